#include "bin/lockstep_write_line.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_text.h"

namespace lockstep::bin {
namespace {

using nlohmann::ordered_json;

absl::Status Wrong(const std::string& what) { return absl::InvalidArgumentError(what); }

absl::StatusOr<v1::Write> CasOfJson(const ordered_json& json, std::string key) {
  v1::Write write;
  v1::CompareAndSwapRequest& swap = *write.mutable_compare_and_swap();
  swap.set_key(std::move(key));
  absl::StatusOr<std::string> expected = GetBytes(json, "expected");
  if (!expected.ok() && !absl::IsNotFound(expected.status())) return expected.status();
  if (expected.ok()) swap.set_expected(*std::move(expected));
  absl::StatusOr<std::string> value = GetBytes(json, "value");
  if (!value.ok() && !absl::IsNotFound(value.status())) return value.status();
  if (value.ok()) swap.set_value(*std::move(value));
  return write;
}

absl::StatusOr<v1::Write> ParseJson(absl::string_view line) {
  const ordered_json json =
      ordered_json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Wrong("is no JSON object");
  const std::string operation =
      json.contains("op") && json["op"].is_string() ? json["op"].get<std::string>() : "put";
  absl::StatusOr<std::string> key = GetBytes(json, "key");
  if (!key.ok()) return key.status();
  v1::Write write;
  if (operation == "cas") return CasOfJson(json, *std::move(key));
  if (operation == "delete") {
    write.mutable_delete_()->set_key(*std::move(key));
    return write;
  }
  absl::StatusOr<std::string> value = GetBytes(json, "value");
  if (!value.ok()) return value.status();
  if (operation == "put") {
    write.mutable_put()->set_key(*std::move(key));
    write.mutable_put()->set_value(*std::move(value));
  } else if (operation == "append") {
    write.mutable_append()->set_key(*std::move(key));
    write.mutable_append()->set_value(*std::move(value));
  } else {
    return Wrong(absl::StrCat("\"op\": \"", operation, "\" is none of put, append, delete, cas"));
  }
  return write;
}

absl::StatusOr<v1::Write> OfWords(const std::vector<std::string>& words) {
  v1::Write write;
  const std::string& operation = words[0];
  const size_t arguments = words.size() - 1;
  if (operation == "put" && arguments == 2) {
    write.mutable_put()->set_key(words[1]);
    write.mutable_put()->set_value(words[2]);
  } else if (operation == "append" && arguments == 2) {
    write.mutable_append()->set_key(words[1]);
    write.mutable_append()->set_value(words[2]);
  } else if (operation == "delete" && arguments == 1) {
    write.mutable_delete_()->set_key(words[1]);
  } else if (operation == "cas" && arguments == 3) {
    write.mutable_compare_and_swap()->set_key(words[1]);
    write.mutable_compare_and_swap()->set_expected(words[2]);
    write.mutable_compare_and_swap()->set_value(words[3]);
  } else {
    return Wrong(absl::StrCat("\"", Escaped(operation), "\" with ", arguments,
                              " arguments is none of put KEY VALUE, append KEY VALUE, delete KEY, "
                              "cas KEY EXPECTED VALUE"));
  }
  return write;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseWords(absl::string_view line) {
  std::vector<std::string> words;
  for (line = absl::StripLeadingAsciiWhitespace(line); !line.empty();
       line = absl::StripLeadingAsciiWhitespace(line)) {
    const bool quoted = line[0] == '"';
    if (quoted) line.remove_prefix(1);
    // A quoted word goes on to a quote that no backslash stands before.
    size_t end = 0;
    while (end < line.size() &&
           (quoted ? line[end] != '"' : line[end] != ' ' && line[end] != '\t')) {
      end += line[end] == '\\' ? 2u : 1u;
    }
    if (quoted && end >= line.size()) return Wrong("a quote is not closed");
    end = std::min(end, line.size());
    std::string raw(line.substr(0, end));
    // \" is for words in quotes alone.
    for (size_t at = raw.find("\\\""); at != std::string::npos; at = raw.find("\\\"", at)) {
      raw.replace(at, 2, "\\x22");
    }
    absl::StatusOr<std::string> word = Unescaped(raw);
    if (!word.ok()) return word.status();
    words.push_back(*std::move(word));
    line.remove_prefix(std::min(end + (quoted ? 1 : 0), line.size()));
  }
  return words;
}

absl::StatusOr<v1::Write> ParseWriteLine(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (!line.empty() && line[0] == '{') return ParseJson(line);
  const absl::StatusOr<std::vector<std::string>> words = ParseWords(line);
  if (!words.ok()) return words.status();
  if (words->empty()) return Wrong("is empty");
  return OfWords(*words);
}

const std::string& KeyOf(const v1::Write& write) {
  switch (write.operation_case()) {
    case v1::Write::kAppend:
      return write.append().key();
    case v1::Write::kDelete:
      return write.delete_().key();
    case v1::Write::kCompareAndSwap:
      return write.compare_and_swap().key();
    case v1::Write::kPut:
    case v1::Write::OPERATION_NOT_SET:
      break;
  }
  return write.put().key();
}

}  // namespace lockstep::bin
