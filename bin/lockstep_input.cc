#include "bin/lockstep_input.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_values.h"
#include "core/base/limits.h"

namespace lockstep::bin {
namespace {

// One byte more than any value may have: then the server says what is wrong.
absl::StatusOr<std::string> ReadAll(std::istream& in, const std::string& name) {
  std::string bytes;
  char buffer[65536];
  while (in && bytes.size() <= kValueBytesMax) {
    in.read(buffer, sizeof(buffer));
    bytes.append(buffer, static_cast<size_t>(in.gcount()));
  }
  if (in.bad()) return absl::UnavailableError(absl::StrCat(name, " cannot be read"));
  return bytes;
}

}  // namespace

Encoding EncodingOptions::input() const {
  return in == "base64" ? Encoding::kBase64 : in == "hex" ? Encoding::kHex : Encoding::kPlain;
}
Encoding EncodingOptions::output() const {
  return base64 ? Encoding::kBase64 : hex ? Encoding::kHex : Encoding::kPlain;
}

void AddEncodingOptions(CLI::App& command, EncodingOptions& options, EncodingsFor which) {
  const std::string group = "Bytes";
  if (which != EncodingsFor::kOutput) {
    command
        .add_option_function<std::string>(
            "--in",
            [&options](const std::string& text) {
              OneOf("--in", text, {"plain", "base64", "hex"});
              options.in = text;
            },
            "How keys and values are given as arguments (default plain)")
        ->option_text("plain|base64|hex")
        ->group(group);
  }
  if (which != EncodingsFor::kInput) {
    CLI::Option* base64 =
        command.add_flag("--base64", options.base64, "Print keys and values in base64")
            ->group(group);
    command.add_flag("--hex", options.hex, "Print keys and values in hexadecimal")
        ->group(group)
        ->excludes(base64);
  }
}

absl::StatusOr<std::string> ReadArgument(const std::string& argument, Encoding encoding,
                                         std::istream& in) {
  if (argument == "-") return ReadAll(in, "stdin");
  if (absl::StartsWith(argument, "@@")) {
    return Decode(absl::string_view(argument).substr(1), encoding);
  }
  if (!absl::StartsWith(argument, "@")) return Decode(argument, encoding);
  std::ifstream file(argument.substr(1), std::ios::binary);
  if (!file) {
    return absl::ErrnoToStatus(errno, absl::StrCat(argument.substr(1), " cannot be read"));
  }
  return ReadAll(file, argument.substr(1));
}

}  // namespace lockstep::bin
