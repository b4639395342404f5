// batch: many writes, atomic or each on its own.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_write_line.h"
#include "core/base/limits.h"

namespace lockstep::bin {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFooter =
    "Each line is one write, in words or as JSON; # begins a comment:\n"
    "  put KEY VALUE            append KEY VALUE\n"
    "  delete KEY               cas KEY EXPECTED VALUE\n"
    "  {\"op\": \"put\", \"key\": \"a\", \"value_base64\": \"AAEC\"}\n"
    "Words take \"...\" and \\n, \\t, \\\\, \\xNN. Every key at most once. Atomic: all keys of "
    "one\n"
    "shard, as those with the same {tag} are.";

struct BatchOptions {
  std::string file = "-";
  bool atomic = false;
};

bool ReadWrites(Shell& shell, std::istream& in, const std::string& name, v1::BatchRequest& request,
                Exit& exit) {
  std::string line;
  for (uint64_t number = 1; std::getline(in, line); ++number) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty() || text[0] == '#') continue;
    absl::StatusOr<v1::Write> write = ParseWriteLine(text);
    if (!write.ok()) {
      exit =
          shell.Fail(Exit::kUsage, absl::StrCat(name, ":", number, ": ", write.status().message()));
      return false;
    }
    *request.add_writes() = *std::move(write);
  }
  if (request.writes_size() > static_cast<int>(kBatchOperationsMax)) {
    exit = shell.Fail(Exit::kUsage,
                      absl::StrCat(name, ": ", request.writes_size(), " writes are more than ",
                                   kBatchOperationsMax, ": split them, or use import"));
    return false;
  }
  return true;
}

const char* NameOf(v1::WriteOutcome::Kind kind) {
  switch (kind) {
    case v1::WriteOutcome::EXECUTED:
      return "executed";
    case v1::WriteOutcome::NOT_EXECUTED:
      return "not executed";
    case v1::WriteOutcome::CONFLICT:
      return "conflict";
    default:
      return "unknown";
  }
}

Exit ExitOfOutcome(v1::WriteOutcome::Kind kind) {
  switch (kind) {
    case v1::WriteOutcome::EXECUTED:
      return Exit::kOk;
    case v1::WriteOutcome::NOT_EXECUTED:
      return Exit::kNotExecuted;
    case v1::WriteOutcome::CONFLICT:
      return Exit::kConflict;
    default:
      return Exit::kUnknown;
  }
}

Exit TellEach(Shell& shell, const v1::BatchRequest& request, const v1::BatchResponse& response) {
  Exit worst = Exit::kOk;
  ordered_json each = ordered_json::array();
  for (int i = 0; i < response.each_size(); ++i) {
    const v1::WriteOutcome& outcome = response.each(i);
    worst = Worse(worst, ExitOfOutcome(outcome.kind()));
    const std::string& key = KeyOf(request.writes(i));
    if (shell.json()) {
      ordered_json row;
      SetBytes(row, "key", key, Encoding::kPlain);
      row["outcome"] = NameOf(outcome.kind());
      if (!outcome.message().empty()) row["message"] = outcome.message();
      each.push_back(row);
    } else {
      shell.out() << Escaped(key) << "\t" << NameOf(outcome.kind());
      if (!outcome.message().empty()) shell.out() << "\t" << Escaped(outcome.message());
      shell.out() << "\n";
    }
  }
  if (shell.json()) {
    shell.out() << Line({{"committed", response.committed()}, {"each", each}}) << "\n";
  }
  return worst;
}

Exit TellAtomic(Shell& shell, const v1::BatchRequest& request, const v1::BatchResponse& response) {
  if (shell.json()) {
    ordered_json json = {{"committed", response.committed()}, {"version", response.version()}};
    if (!response.committed()) json["failed_write"] = response.failed_write();
    shell.out() << Line(json) << "\n";
  } else if (response.committed()) {
    shell.out() << "OK\n";
  } else {
    const auto failed = static_cast<int>(response.failed_write());
    const bool known = failed < request.writes_size();
    return shell.Fail(Exit::kConflict,
                      absl::StrCat("batch: nothing was executed: the comparison of ",
                                   known ? Escaped(KeyOf(request.writes(failed))) : "a key",
                                   " failed (write ", failed + 1, ")"));
  }
  return response.committed() ? Exit::kOk : Exit::kConflict;
}

Exit RunBatch(Shell& shell, const BatchOptions& options) {
  v1::BatchRequest request;
  request.set_atomic(options.atomic);
  Exit exit;
  if (options.file == "-") {
    if (!ReadWrites(shell, shell.in(), "stdin", request, exit)) return exit;
  } else {
    std::ifstream file(options.file, std::ios::binary);
    if (!file) {
      return shell.Fail(Exit::kFile,
                        absl::StrCat(options.file, " cannot be read: ", std::strerror(errno)));
    }
    if (!ReadWrites(shell, file, options.file, request, exit)) return exit;
  }
  if (request.writes().empty()) return shell.Fail(Exit::kUsage, "batch: there is nothing to write");
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  const absl::StatusOr<v1::BatchResponse> response = api->Batch(request);
  if (!response.ok()) return shell.Fail("batch", response.status());
  return options.atomic ? TellAtomic(shell, request, *response)
                        : TellEach(shell, request, *response);
}

}  // namespace

void AddBatchCommand(CLI::App& app, Action& action) {
  const auto options = std::make_shared<BatchOptions>();
  CLI::App& batch = AddCommand(app, "batch", "Many writes in one call, from a file or stdin");
  batch.add_option("FILE", options->file, "Where the writes are (default -, stdin)");
  batch.add_flag("--atomic", options->atomic, "All of them or none");
  batch.footer(kFooter);
  batch.callback([&action, options] {
    action = [options](Shell& shell) { return RunBatch(shell, *options); };
  });
}

}  // namespace lockstep::bin
