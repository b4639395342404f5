#include "sim/check/history/write_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace lockstep::history {
namespace {

using linearizability::Kind;
using linearizability::Operation;
using linearizability::Outcome;
using linearizability::Value;
using Json = nlohmann::ordered_json;

constexpr absl::string_view kOutcomes[] = {"ok", "mismatch", "info"};

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

// What is not UTF-8 cannot stand in JSON.
void Put(Json& line, const std::string& name, const Value& value) {
  if (!value.has_value()) {
    line[name] = nullptr;
  } else if (IsUtf8(value->view())) {
    line[name] = Text(value->view());
  } else {
    line[name + "_base64"] = absl::Base64Escape(value->view());
  }
}

Json Line(const Operation& operation, Model model) {
  Json line;
  line["process"] = operation.process;
  // A register that is set to nil: a delete to the checker, a write to its user.
  line["op"] = Text(Name(operation.kind, model));
  if (model == Model::kKv || !operation.key.empty()) Put(line, "key", operation.key);
  const bool writes_nil = operation.kind == Kind::kDelete && model == Model::kRegister;
  const bool argument = operation.kind != Kind::kGet && operation.kind != Kind::kDelete;
  if (operation.kind == Kind::kCompareAndSwap) Put(line, "expected", operation.expected);
  if (argument || writes_nil) Put(line, "value", operation.value);
  line["start"] = operation.invoked.time_since_epoch().count();
  if (!operation.open()) line["end"] = operation.returned.time_since_epoch().count();
  line["outcome"] = Text(kOutcomes[static_cast<size_t>(operation.outcome)]);
  const bool got = operation.kind == Kind::kGet && operation.outcome == Outcome::kDone;
  const bool found = operation.outcome == Outcome::kMismatch && operation.result_known;
  if (got || found) Put(line, "result", operation.result);
  return line;
}

// Length of the UTF-8 sequence at the beginning of `text`; 0: there is none.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // longer than it needs to be
  if (first == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // beyond Unicode
  return length;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string WriteJson(const linearizability::History& history, Model model) {
  Json header;
  header["format"] = "lockstep-history";
  header["version"] = 1;
  header["model"] = Text(Name(model));
  Put(header, "initial", history.initial);
  std::string text = header.dump() + "\n";
  for (const Operation& operation : history.operations)
    absl::StrAppend(&text, Line(operation, model).dump(), "\n");
  return text;
}

}  // namespace lockstep::history
