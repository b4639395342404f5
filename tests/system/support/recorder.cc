#include "tests/system/support/recorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "net/client/failure.h"
#include "sim/check/history/page.h"
#include "sim/check/history/recorded.h"
#include "sim/check/history/write_json.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::system {
namespace {

using linearizability::Kind;
using linearizability::Operation;

Bytes ToBytes(const std::string& text) { return Bytes::Copy(absl::string_view(text)); }

linearizability::Value ToValue(const std::optional<std::string>& text) {
  if (!text.has_value()) return std::nullopt;
  return ToBytes(*text);
}

}  // namespace

std::string Describe(const CallCounters& counters) {
  std::string text =
      absl::StrCat(counters.reads, " reads, ", counters.writes, " writes, ", counters.not_executed,
                   " not executed, ", counters.unknown, " unknown");
  for (const auto& [code, count] : counters.errors) absl::StrAppend(&text, ", ", code, " ", count);
  return text;
}

bool Recorder::Return(Operation operation, const absl::Status& status) {
  operation.returned = Tick();
  const bool read = operation.kind == Kind::kGet;
  const bool unknown = !status.ok() && client::EffectOf(status) == client::Effect::kUnknown;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!status.ok()) ++counters_.errors[absl::StatusCodeToString(status.code())];
  if (status.ok()) {
    ++(read ? counters_.reads : counters_.writes);
    if (operation.outcome == linearizability::Outcome::kUnknown) {
      operation.outcome = linearizability::Outcome::kDone;
    }
    history_.operations.push_back(std::move(operation));
  } else if (read || !unknown) {
    ++counters_.not_executed;  // A read has no effect anyway.
  } else {
    ++counters_.unknown;
    operation.outcome = linearizability::Outcome::kUnknown;
    operation.returned = kNever;
    history_.operations.push_back(std::move(operation));
  }
  return status.ok() || !unknown;
}

CallCounters Recorder::counters() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counters_;
}

linearizability::History Recorder::history() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return history_;
}

void Recorder::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  history_.operations.clear();
}

// --- A client

Operation RecordedClient::Begin(Kind kind, const std::string& key) const {
  Operation operation;
  operation.process = process_;
  operation.kind = kind;
  operation.key = ToBytes(key);
  operation.invoked = recorder_.Tick();
  return operation;
}

void RecordedClient::End(Operation operation, const absl::Status& status) {
  if (!recorder_.Return(std::move(operation), status)) process_ = recorder_.NewProcess();
}

absl::StatusOr<std::optional<std::string>> RecordedClient::Get(const std::string& key) {
  Operation operation = Begin(Kind::kGet, key);
  absl::StatusOr<std::optional<std::string>> answer = door_->Get(key);
  if (answer.ok()) operation.result = ToValue(*answer);
  End(std::move(operation), answer.status());
  return answer;
}

absl::Status RecordedClient::Put(const std::string& key, const std::string& value) {
  Operation operation = Begin(Kind::kPut, key);
  operation.value = ToBytes(value);
  const absl::Status status = door_->Put(key, value);
  End(std::move(operation), status);
  return status;
}

absl::Status RecordedClient::Append(const std::string& key, const std::string& value) {
  Operation operation = Begin(Kind::kAppend, key);
  operation.value = ToBytes(value);
  const absl::Status status = door_->Append(key, value);
  End(std::move(operation), status);
  return status;
}

absl::Status RecordedClient::Delete(const std::string& key) {
  Operation operation = Begin(Kind::kDelete, key);
  const absl::Status status = door_->Delete(key);
  End(std::move(operation), status);
  return status;
}

absl::StatusOr<Swap> RecordedClient::CompareAndSwap(const std::string& key,
                                                    const std::optional<std::string>& expected,
                                                    const std::optional<std::string>& value) {
  Operation operation = Begin(Kind::kCompareAndSwap, key);
  operation.expected = ToValue(expected);
  operation.value = ToValue(value);
  absl::StatusOr<Swap> answer = door_->CompareAndSwap(key, expected, value);
  if (answer.ok() && !answer->swapped) {
    operation.outcome = linearizability::Outcome::kMismatch;
    operation.result = ToValue(answer->actual);
    operation.result_known = answer->actual_known;
  }
  End(std::move(operation), answer.status());
  return answer;
}

// --- Verdicts

void ExpectLinearizable(const linearizability::History& history, Workspace& workspace) {
  const absl::Status valid = linearizability::Validate(history);
  ASSERT_TRUE(valid.ok()) << valid;
  const linearizability::Report report = linearizability::CheckHistory(history);
  if (report.verdict == linearizability::Verdict::kLinearizable) return;
  WriteFile(workspace / "history.json", history::WriteJson(history));
  const history::Recorded recorded{.history = history,
                                   .lines = std::vector<history::Lines>(history.operations.size())};
  WriteFile(workspace / "history.html", history::DrawPage(recorded, report, "history.json"));
  ADD_FAILURE() << linearizability::Describe(report, history) << "\nsee "
                << workspace / "history.html" << "; again: lockstep-sim check "
                << workspace / "history.json";
}

void Words::Note(const std::string& word, const absl::Status& status) {
  if (status.ok()) {
    acknowledged.push_back(word);
  } else if (client::EffectOf(status) == client::Effect::kUnknown) {
    unknown.push_back(word);
  } else {
    refused[word] = std::string(status.message().data(), status.message().size());
  }
}

void Words::Add(const Words& others) {
  acknowledged.insert(acknowledged.end(), others.acknowledged.begin(), others.acknowledged.end());
  unknown.insert(unknown.end(), others.unknown.begin(), others.unknown.end());
  refused.insert(others.refused.begin(), others.refused.end());
}

void ExpectWordsOnce(const std::string& key, const std::string& value, const Words& words) {
  std::map<std::string, uint64_t> seen;
  for (const absl::string_view word : absl::StrSplit(value, ';', absl::SkipEmpty())) {
    ++seen[absl::StrCat(word, ";")];
  }
  for (const std::string& word : words.acknowledged) {
    EXPECT_EQ(seen[word], 1u) << "the acknowledged " << word << " of " << key;
    seen.erase(word);
  }
  for (const std::string& word : words.unknown) {
    EXPECT_LE(seen[word], 1u) << word << " of " << key;
    seen.erase(word);
  }
  for (const auto& [word, count] : seen) {
    const auto refused = words.refused.find(word);
    ADD_FAILURE() << key << " holds " << word << ", "
                  << (refused == words.refused.end()
                          ? "which nobody has appended"
                          : "of which its client was told that it was not executed: " +
                                refused->second);
  }
}

}  // namespace lockstep::system
