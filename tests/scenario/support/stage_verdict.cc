// What every scenario ends with: all is healed, and the run is judged as a whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "sim/check/linearizability/checker.h"
#include "tests/scenario/support/stage.h"

namespace lockstep::scenario {
namespace {

constexpr size_t kReadsAtOnce = 64;

// Some order of the operations must explain what every client saw. The committed log shows the way
// to it in almost every run; when it does not, it is not believed: the history alone decides.
void JudgeOrder(const sim::Recorder& recorder, sim::FirstOf first_of) {
  const linearizability::History& history = recorder.history();
  const absl::Status valid = linearizability::Validate(history);
  ASSERT_TRUE(valid.ok()) << valid;
  linearizability::Options quick;
  quick.use = {true, true, false, false};
  const linearizability::History told = recorder.HistoryByLog(first_of);
  if (linearizability::CheckHistory(told, quick).verdict ==
      linearizability::Verdict::kLinearizable) {
    return;
  }
  const linearizability::Report report = linearizability::CheckHistory(history);
  // Undecided is not a pass.
  EXPECT_EQ(report.verdict, linearizability::Verdict::kLinearizable)
      << linearizability::Describe(report, history);
}

// A command that was answered is in the committed log, first at the index that the answer names.
void JudgeAnswers(const sim::Recorder& recorder, sim::FirstOf first_of) {
  for (const sim::Recorder::Executed& executed : recorder.executed()) {
    EXPECT_EQ(first_of(executed.command), executed.index)
        << "command " << executed.command.sequence << " of session "
        << executed.command.session.value();
  }
}

}  // namespace

bool Stage::ClientsAreIdle() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->Done(); });
}

bool Stage::BeginEnd() { return !std::exchange(finished_, true); }

void Stage::Heal() {
  if (broken_) return;
  software_.Listen(nullptr);
  links_.MendAll();
  links_.SetWeather(Weather::kReliable);
  for (const NodeId server : Servers()) HostOf(server).Recover();
  RestartAll();
}

void Stage::LetClientsFinish() {
  for (const auto& client : clients_) client->on_done = nullptr;
  if (broken_) return;
  EXPECT_TRUE(RunUntil([&] { return ClientsAreIdle(); }, kPatience + kHealPatience) || broken_)
      << "a client still waits";
}

void Stage::ReadEveryKey() {
  if (broken_ || clients_.empty()) return;
  std::set<std::string> keys;
  for (const linearizability::Operation& operation : recorder_.history().operations) {
    keys.emplace(operation.key.view());
  }
  std::vector<Pending> reads;
  for (const std::string& key : keys) {
    reads.push_back(client().GetSoon(key));
    if (reads.size() % kReadsAtOnce == 0) client().Await(reads.back(), kPatience);
  }
  RunUntil([&] { return ClientsAreIdle(); }, kHealPatience);
  for (const Pending& read : reads) EXPECT_TRUE(read.ok() || broken_) << read.what();
}

void Stage::JudgeTable(NodeId server, GroupId group) {
  CompareTable(watch_.checkers(), HostOf(server), group, HostOf(server).applied(group));
}

void Stage::JudgeHistory(GroupId group) {
  const auto first_of = [&](const sim::CommandIdentity& command) {
    return watch_.checkers().FirstOf(group, command);
  };
  JudgeAnswers(recorder_, first_of);
  JudgeOrder(recorder_, first_of);
}

}  // namespace lockstep::scenario
