// A router and a model cluster, with the test between them: it sees each request, and decides
// whether it is carried, and whether the answer is.
#ifndef LOCKSTEP_TESTS_UNIT_CLIENT_ROUTER_TALK_H_
#define LOCKSTEP_TESTS_UNIT_CLIENT_ROUTER_TALK_H_

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/client/router.h"
#include "core/kv/command.h"
#include "tests/unit/client/model_cluster.h"

namespace lockstep::client {

using std::chrono::milliseconds;

inline RouterOptions QuickRouter() {
  RouterOptions options;
  options.controller_nodes = {NodeId(1), NodeId(2), NodeId(3)};
  options.attempt_timeout = milliseconds(100);
  options.backoff_min = milliseconds(10);
  options.backoff_max = milliseconds(80);
  options.configuration_age_max = milliseconds(200);
  return options;
}

class RouterTalk {
 public:
  struct Sent {
    AttemptId attempt;
    NodeId to;
    OperationId operation;
    proto::ClientRequest request;
    uint64_t gid() const { return request.group(); }
    bool AsksForConfiguration() const { return request.query().has_get_configuration(); }
  };

  explicit RouterTalk(const RouterOptions& options = QuickRouter(), uint64_t seed = 1)
      : router_(options, Rng(seed)) {}

  ModelCluster cluster;

  void Step(Input input) {
    Output out;
    router_.Step(now_, std::move(input), &out);
    wake_at_ = out.wake_at;
    for (Send& send : out.sends) {
      Sent sent{send.attempt, send.to, send.operation, {}};
      EXPECT_TRUE(
          sent.request.ParseFromArray(send.request.data(), static_cast<int>(send.request.size())));
      if (sent.AsksForConfiguration()) ++questions;
      sent_.push_back(std::move(sent));
    }
    for (Completion& completion : out.completions) {
      EXPECT_TRUE(outcomes_.emplace(completion.id.value(), std::move(completion.outcome)).second)
          << "completed twice";
    }
  }
  uint64_t Invoke(std::variant<proto::Command, proto::Query> operation,
                  Duration patience = milliseconds(2000)) {
    ++last_id_;
    Step(client::Invoke{OperationId(last_id_), std::move(operation), now_ + patience});
    return last_id_;
  }
  uint64_t InvokeBulk(const std::vector<proto::Command>& commands,
                      Duration patience = milliseconds(2000)) {
    ++last_id_;
    const proto::Command batch = kv::MakeBatch(commands);
    const auto& operations = batch.batch().operations();
    Step(client::InvokeBulk{
        OperationId(last_id_), {operations.begin(), operations.end()}, now_ + patience});
    return last_id_;
  }

  // --- The requests, one by one

  bool Quiet() const { return sent_.empty(); }
  Sent Take() {
    if (sent_.empty()) {
      ADD_FAILURE() << "nothing was sent";
      return {};
    }
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    return sent;
  }
  // The next that is no question for the configuration; those are answered.
  Sent TakeData() {
    for (int i = 0; i < 100; ++i) {
      if (sent_.empty()) PassToWake();
      Sent sent = Take();
      if (!sent.AsksForConfiguration()) return sent;
      Carry(sent);
    }
    ADD_FAILURE() << "no data request";
    return {};
  }
  proto::ClientReply Execute(const Sent& sent) { return cluster.Handle(sent.to, sent.request); }
  void Answer(const Sent& sent, const proto::ClientReply& reply) {
    Step(Reply{sent.attempt, kv::Encode(reply)});
  }
  void Carry(const Sent& sent) {
    if (!cluster.IsDead(sent.to)) Answer(sent, Execute(sent));
  }

  // --- All of them

  void CarryAll() {
    while (!Quiet()) Carry(Take());
  }
  void Pass(Duration time) {
    const Instant until = now_ + time;
    CarryAll();
    while (wake_at_ <= until) {
      PassToWake();
      CarryAll();
    }
    now_ = until;
  }
  void PassToWake() {
    if (wake_at_ == kNever) return;
    now_ = std::max(now_, wake_at_);
    Step(Wake{});
  }
  // Until it is answered.
  const client::Outcome& Await(uint64_t id) {
    CarryAll();
    while (outcomes_.count(id) == 0 && wake_at_ < kNever) {
      PassToWake();
      CarryAll();
    }
    return outcomes_[id];
  }
  std::string Do(std::variant<proto::Command, proto::Query> operation,
                 Duration patience = milliseconds(2000)) {
    return Describe(Await(Invoke(std::move(operation), patience)));
  }

  bool Done(uint64_t id) const { return outcomes_.count(id) > 0; }
  std::string OutcomeOf(uint64_t id) const { return Done(id) ? Describe(outcomes_.at(id)) : ""; }
  static std::string Describe(const client::Outcome& outcome) {
    const std::string status = absl::StatusCodeToString(outcome.status.code());
    switch (outcome.kind) {
      case client::Outcome::Kind::kOk:
        return absl::StrCat("ok ", proto::Code_Name(outcome.result.code()));
      case client::Outcome::Kind::kNotExecuted:
        return absl::StrCat("not executed ", status);
      case client::Outcome::Kind::kUnknown:
        return absl::StrCat("unknown ", status);
    }
    return "?";
  }
  const client::Outcome& FullOutcome(uint64_t id) const { return outcomes_.at(id); }
  Router& router() { return router_; }
  Instant now() const { return now_; }
  Instant wake_at() const { return wake_at_; }

  int questions = 0;  // for the configuration

 private:
  Router router_;
  Instant now_ = Instant(std::chrono::seconds(100));
  Instant wake_at_ = kNever;
  std::deque<Sent> sent_;
  std::map<uint64_t, client::Outcome> outcomes_;
  uint64_t last_id_ = 0;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_TESTS_UNIT_CLIENT_ROUTER_TALK_H_
