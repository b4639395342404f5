// The end of a scenario: everything is healed, and the run is judged as a whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "sim/check/linearizability/checker.h"
#include "tests/scenario/support/cluster.h"

namespace lockstep::scenario {
namespace {

constexpr Duration kHealPatience = std::chrono::seconds(60);

// Some order of the operations must explain what every client saw. The committed log shows the way
// to it in almost every run; when it does not, it is not believed: the history alone decides.
void JudgeHistory(const sim::Recorder& recorder, const sim::SessionModel& sessions) {
  const linearizability::History& history = recorder.history();
  const absl::Status valid = linearizability::Validate(history);
  ASSERT_TRUE(valid.ok()) << valid;
  linearizability::Options quick;
  quick.use = {true, true, false, false};
  const linearizability::History told = recorder.HistoryByLog(
      [&](const sim::CommandIdentity& command) { return sessions.FirstOf(command); });
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
void JudgeAnswers(const sim::Recorder& recorder, const sim::SessionModel& sessions) {
  for (const sim::Recorder::Executed& executed : recorder.executed()) {
    EXPECT_EQ(sessions.FirstOf(executed.command), executed.index)
        << "command " << executed.command.sequence << " of session "
        << executed.command.session.value();
  }
}

}  // namespace

bool Cluster::ClientsAreIdle() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->Done(); });
}

// All healthy servers are up and at rest, and have executed all that anybody has in its log.
bool Cluster::HasConverged() {
  const NodeId leader = LeaderAmong(Servers());
  if (!leader) return false;
  for (const NodeId server : Servers()) {
    if (lost_.contains(server)) continue;
    if (!IsUp(server) || !IsAtRest(HostOf(server))) return false;
    if (AppliedOf(server) != ReplicaOn(leader).last) return false;
  }
  return true;
}

void Cluster::Heal() {
  links_.MendAll();
  links_.SetWeather(Weather::kReliable);
  for (const NodeId server : Servers()) HostOf(server).Recover();
  RestartAll();
}

void Cluster::ReadEveryKey() {
  std::set<std::string> keys;
  for (const linearizability::Operation& operation : recorder_.history().operations) {
    keys.emplace(operation.key.view());
  }
  std::vector<Pending> reads;
  for (const std::string& key : keys) {
    reads.push_back(client().GetSoon(key));
    if (reads.size() % 64 == 0) client().Await(reads.back(), kPatience);
  }
  RunUntil([&] { return ClientsAreIdle(); }, kHealPatience);
  for (const Pending& read : reads) EXPECT_TRUE(read.ok() || broken_) << read.what();
}

void Cluster::Judge() {
  for (const NodeId server : Servers()) {
    if (lost_.contains(server)) continue;
    CompareTable(watch_.checkers(), HostOf(server), kOnlyGroup,
                 AppliedBy(HostOf(server), kOnlyGroup));
  }
  watch_.checkers().AtEnd();
  LookForFindings();
  const sim::SessionModel& sessions = watch_.checkers().sessions(kOnlyGroup);
  JudgeAnswers(recorder_, sessions);
  JudgeHistory(recorder_, sessions);
}

void Cluster::Finish() {
  if (finished_) return;
  finished_ = true;
  for (const auto& client : clients_) client->on_done = nullptr;
  if (!broken_) Heal();
  if (!broken_) {
    EXPECT_TRUE(RunUntil([&] { return ClientsAreIdle(); }, kPatience + kHealPatience))
        << "a client still waits";
  }
  proposer_.AbandonAll();
  if (!broken_) ReadEveryKey();
  if (broken_) return;
  const bool converged = RunUntil([&] { return HasConverged(); }, kHealPatience);
  EXPECT_TRUE(converged || broken_) << "healed, but the servers do not come to agree";
  if (converged) Judge();
}

}  // namespace lockstep::scenario
