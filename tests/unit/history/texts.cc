#include "tests/unit/history/texts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sim/check/history/write_json.h"

namespace lockstep::history {
namespace {

using linearizability::History;
using linearizability::Kind;
using linearizability::Operation;
using linearizability::Outcome;
using linearizability::Value;

struct Event {
  int64_t time;
  bool returns;
  size_t operation;
  uint64_t process = 0;
};

std::vector<Event> EventsOf(const History& history) {
  std::vector<Event> events;
  for (size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& operation = history.operations[i];
    events.push_back({operation.invoked.time_since_epoch().count(), false, i});
    if (!operation.open())
      events.push_back({operation.returned.time_since_epoch().count(), true, i});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.time, a.returns, a.operation) < std::tie(b.time, b.returns, b.operation);
  });
  std::map<uint64_t, bool> busy;
  std::map<size_t, uint64_t> process_of;
  for (Event& event : events) {
    if (!event.returns) {
      uint64_t process = history.operations[event.operation].process;
      if (busy[process]) process = 1000 + event.operation;
      busy[process] = true;
      process_of[event.operation] = process;
    }
    event.process = process_of[event.operation];
    if (event.returns) busy[event.process] = false;
  }
  return events;
}

std::string Edn(const Value& value) {
  if (!value.has_value()) return "nil";
  return absl::StrCat(
      "\"", absl::StrReplaceAll(value->view(), {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
      "\"");
}

std::string EdnArgument(const Operation& operation) {
  if (operation.kind != Kind::kCompareAndSwap) return Edn(operation.value);
  return absl::StrCat("[", Edn(operation.expected), " ", Edn(operation.value), "]");
}

std::string JsonField(absl::string_view name, const Value& value) {
  return absl::StrCat(",\"", name, "\":", value.has_value() ? Edn(value) : "null");
}

}  // namespace

std::string JsonEvents(const History& history, Model model) {
  std::string text = absl::StrCat("{\"format\":\"lockstep-history\",\"version\":1,\"model\":\"",
                                  Name(model), "\"", JsonField("initial", history.initial), "}\n");
  for (const Event& event : EventsOf(history)) {
    const Operation& operation = history.operations[event.operation];
    absl::StrAppend(&text, "{\"process\":", event.process);
    if (!event.returns) {
      absl::StrAppend(&text, ",\"type\":\"invoke\",\"op\":\"", Name(operation.kind, model), "\"",
                      JsonField("key", operation.key));
      const bool swaps = operation.kind == Kind::kCompareAndSwap;
      if (swaps) absl::StrAppend(&text, JsonField("expected", operation.expected));
      const bool nil = operation.kind == Kind::kDelete && model == Model::kRegister;
      if (swaps || nil || operation.value.has_value())
        absl::StrAppend(&text, JsonField("value", operation.value));
    } else {
      const bool mismatch = operation.outcome == Outcome::kMismatch;
      absl::StrAppend(&text, ",\"type\":\"", mismatch ? "mismatch" : "ok", "\"");
      if (mismatch ? operation.result_known : operation.kind == Kind::kGet)
        absl::StrAppend(&text, JsonField("result", operation.result));
    }
    text += "}\n";
  }
  return text;
}

std::string EdnEvents(const History& history, Model model) {
  std::string text;
  for (const Event& event : EventsOf(history)) {
    const Operation& operation = history.operations[event.operation];
    const bool gets = operation.kind == Kind::kGet;
    const std::string key = Edn(Value(operation.key));
    std::string value =
        gets ? Edn(event.returns ? operation.result : Value()) : EdnArgument(operation);
    if (model == Model::kRegister) value = absl::StrCat("[", key, " ", value, "]");
    absl::StrAppend(&text, "{:process ", event.process, ", :type ",
                    event.returns ? ":ok" : ":invoke", ", :f :", Name(operation.kind, model),
                    model == Model::kKv ? absl::StrCat(", :key ", key) : "", ", :value ", value,
                    "}\n");
  }
  return text;
}

std::string JepsenLog(const History& history) {
  const auto number = [](const Value& value) {
    return value.has_value() ? std::string(value->view()) : "nil";
  };
  std::string text;
  for (const Event& event : EventsOf(history)) {
    const Operation& operation = history.operations[event.operation];
    const bool mismatch = operation.outcome == Outcome::kMismatch;
    absl::StrAppend(&text, "INFO  jepsen.util - ", event.process, "\t",
                    !event.returns ? ":invoke"
                    : mismatch     ? ":fail"
                                   : ":ok",
                    "\t:", Name(operation.kind, Model::kRegister), "\t");
    if (operation.kind == Kind::kCompareAndSwap) {
      absl::StrAppend(&text, "[", number(operation.expected), " ", number(operation.value), "]\n");
    } else if (operation.kind == Kind::kGet) {
      absl::StrAppend(&text, event.returns ? number(operation.result) : "nil", "\n");
    } else {
      absl::StrAppend(&text, number(operation.value), "\n");
    }
  }
  return text;
}

ReadResult ReadText(absl::string_view text, const ReadOptions& options) {
  return ReadHistory(Bytes::Copy(text), options);
}

Recorded MustRead(absl::string_view text, const ReadOptions& options) {
  ReadResult result = ReadText(text, options);
  if (const auto* error = std::get_if<ReadError>(&result)) {
    ADD_FAILURE() << error->line << ": " << error->reason << "\n" << text;
    return {};
  }
  Recorded recorded = std::get<Recorded>(std::move(result));
  EXPECT_TRUE(linearizability::Validate(recorded.history).ok()) << text;
  EXPECT_EQ(recorded.lines.size(), recorded.history.operations.size());
  return recorded;
}

std::string ErrorOf(absl::string_view text, const ReadOptions& options) {
  const ReadResult result = ReadText(text, options);
  if (const auto* error = std::get_if<ReadError>(&result))
    return absl::StrCat(error->line, ": ", error->reason);
  return Dump(std::get<Recorded>(result));
}

std::string Dump(const Recorded& recorded) {
  std::string text;
  for (const Operation& operation : recorded.history.operations)
    absl::StrAppend(&text, Describe(operation), "\n");
  return text;
}

}  // namespace lockstep::history
