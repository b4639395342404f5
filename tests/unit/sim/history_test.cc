// The history's hygiene: what a client did is written down once, under a process that does one
// thing at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/client/client.h"
#include "core/proto/client.pb.h"
#include "sim/workload/operation_source.h"
#include "sim/workload/recorder.h"
#include "sim/workload/workload_client.h"

namespace lockstep::sim {
namespace {

using linearizability::Operation;

// One client before a server that registers sessions and answers only every so many-th attempt at
// anything else; 0: none.
class Conversation : private ClientPort {
 public:
  Conversation(const WorkloadOptions& options, uint64_t answers_every)
      : answers_every_(answers_every),
        source_(options, Rng(1)),
        recorder_(source_.keys()),
        client_(1, MakeClient(options), options.processes, Rng(2), source_, recorder_) {
    client_.Bind(*this);
    client_.Start();
  }

  void Run() {
    while (wake_at_ != kNever && !client_.Done()) {
      now_ = std::max(now_, wake_at_);
      wake_at_ = kNever;
      client_.OnWake();
      Answer();
    }
  }
  const std::vector<Operation>& history() const { return recorder_.history().operations; }
  uint64_t attempts() const { return attempts_; }
  uint64_t not_executed() const { return recorder_.counters().not_executed; }

 private:
  static MakeCaller MakeClient(const WorkloadOptions& options) {
    client::ClientOptions result;
    result.nodes = {NodeId(1)};
    result.group = GroupId(1);
    result.attempt_timeout = options.attempt_timeout;
    result.outstanding_max = options.outstanding_max;
    return [result](NodeId, Rng rng) { return std::make_unique<client::Client>(result, rng); };
  }

  Instant Now() const override { return now_; }
  void WakeAt(Instant when) override { wake_at_ = when; }
  void SendRequest(NodeId, uint64_t attempt, Bytes request) override {
    proto::ClientRequest parsed;
    ASSERT_TRUE(parsed.ParseFromArray(request.data(), static_cast<int>(request.size())));
    const bool registers = parsed.command().has_register_session();
    if (!registers && (answers_every_ == 0 || ++attempts_ % answers_every_ != 0)) return;
    proto::ClientReply reply;
    reply.mutable_result()->set_code(proto::OK);
    reply.mutable_result()->set_index(++index_);
    if (registers) reply.mutable_result()->set_session(index_);
    replies_.emplace_back(attempt, Bytes::Copy(reply.SerializeAsString()));
  }
  // Not in the course of the request.
  void Answer() {
    while (!replies_.empty()) {
      const auto replies = std::exchange(replies_, {});
      for (const auto& [attempt, reply] : replies) client_.OnReply(attempt, reply);
    }
  }

  const uint64_t answers_every_;
  Instant now_{};
  Instant wake_at_ = kNever;
  uint64_t attempts_ = 0;
  uint64_t index_ = 0;
  std::vector<std::pair<uint64_t, Bytes>> replies_;
  OperationSource source_;
  Recorder recorder_;
  WorkloadClient client_;
};

WorkloadOptions Puts() {
  WorkloadOptions options;
  options.clients = 1;
  options.processes = 3;
  options.outstanding_max = 3;
  options.operations = 60;
  options.mix = {.get = 0, .put = 1, .append = 0, .remove = 0, .compare_and_swap = 0, .list = 0};
  options.attempt_timeout = std::chrono::milliseconds(10);
  options.deadline_min = std::chrono::milliseconds(200);
  options.deadline_max = std::chrono::milliseconds(400);
  return options;
}

// What has no answer may take effect at any later time, so its process never does anything again.
TEST(History, AProcessThatHasATimeOutEnds) {
  Conversation deaf(Puts(), 0);
  deaf.Run();
  ASSERT_EQ(deaf.history().size(), 60u);
  std::set<uint64_t> processes;
  for (const Operation& operation : deaf.history()) {
    EXPECT_TRUE(operation.open());
    EXPECT_TRUE(processes.insert(operation.process).second) << "process " << operation.process;
  }
}

TEST(History, AProcessDoesOneThingAtATime) {
  Conversation slow(Puts(), 3);
  slow.Run();
  std::map<uint64_t, std::vector<std::pair<Instant, Instant>>> spans;
  for (const Operation& operation : slow.history()) {
    const Instant returned = operation.open() ? kNever : operation.returned;
    spans[operation.process].emplace_back(operation.invoked, returned);
  }
  for (auto& [process, of_one] : spans) {
    std::sort(of_one.begin(), of_one.end());
    for (size_t i = 1; i < of_one.size(); ++i) EXPECT_LE(of_one[i - 1].second, of_one[i].first);
  }
}

TEST(History, ARetryIsTheSameOperation) {
  Conversation slow(Puts(), 3);
  slow.Run();
  EXPECT_GT(slow.attempts(), 100u) << "there were retries";
  EXPECT_EQ(slow.history().size() + slow.not_executed(), 60u);
  std::set<std::string> values;
  for (const Operation& operation : slow.history()) {
    const std::string value(operation.value->view());
    EXPECT_TRUE(values.insert(value).second) << value << " is recorded twice";
  }
}

}  // namespace
}  // namespace lockstep::sim
