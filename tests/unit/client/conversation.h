// A conversation with a client: steps it, reads what it sends, and answers by hand.
#ifndef LOCKSTEP_TESTS_UNIT_CLIENT_CONVERSATION_H_
#define LOCKSTEP_TESTS_UNIT_CLIENT_CONVERSATION_H_

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/client/client.h"
#include "core/kv/command.h"

namespace lockstep::client {

using std::chrono::milliseconds;

inline constexpr Instant kStart = Instant(std::chrono::seconds(100));

inline ClientOptions ThreeNodes() {
  ClientOptions options;
  options.nodes = {NodeId(1), NodeId(2), NodeId(3)};
  options.group = GroupId(5);
  options.attempt_timeout = milliseconds(100);
  options.backoff_min = milliseconds(10);
  options.backoff_max = milliseconds(80);
  return options;
}

class Conversation {
 public:
  struct Sent {
    AttemptId attempt;
    NodeId to;
    proto::ClientRequest request;
  };

  explicit Conversation(const ClientOptions& options = ThreeNodes(), uint64_t seed = 1)
      : client_(options, Rng(seed)) {}

  void Step(Input input) {
    Output out;
    client_.Step(now_, std::move(input), &out);
    wake_at_ = out.wake_at;
    for (Send& send : out.sends) {
      proto::ClientRequest request;
      EXPECT_TRUE(
          request.ParseFromArray(send.request.data(), static_cast<int>(send.request.size())));
      EXPECT_EQ(request.group(), 5u);
      sent_.push_back({send.attempt, send.to, std::move(request)});
    }
    for (Completion& completion : out.completions) {
      EXPECT_TRUE(outcomes_.emplace(completion.id.value(), std::move(completion.outcome)).second)
          << "completed twice";
    }
  }
  uint64_t Invoke(std::variant<proto::Command, proto::Query> operation,
                  Duration patience = milliseconds(1000)) {
    ++last_id_;
    Step(client::Invoke{OperationId(last_id_), std::move(operation), now_ + patience});
    return last_id_;
  }
  // The next request that was sent and not looked at yet.
  Sent Take() {
    if (sent_.empty()) {
      ADD_FAILURE() << "nothing was sent";
      return {};
    }
    Sent sent = sent_.front();
    sent_.pop_front();
    return sent;
  }
  bool Quiet() const { return sent_.empty(); }
  void Answer(const Sent& sent, const proto::ClientReply& reply) {
    Step(Reply{sent.attempt, kv::Encode(reply)});
  }
  void Answer(const Sent& sent, proto::Code code, uint64_t leader = 0, uint64_t index = 0) {
    proto::ClientReply reply;
    reply.mutable_result()->set_code(code);
    reply.mutable_result()->set_index(index);
    reply.set_leader(leader);
    Answer(sent, reply);
  }
  void AnswerRegistered(const Sent& sent, uint64_t session) {
    EXPECT_TRUE(sent.request.command().has_register_session());
    proto::ClientReply reply;
    reply.mutable_result()->set_code(proto::OK);
    reply.mutable_result()->set_session(session);
    Answer(sent, reply);
  }
  // A client that has session `session`, and nothing on its mind.
  void Register(uint64_t session) {
    const uint64_t id = Invoke(kv::MakePut("first", ""));
    AnswerRegistered(Take(), session);
    Answer(Take(), proto::OK);
    EXPECT_EQ(Outcome(id), "ok OK");
  }
  void Pass(Duration time) {
    const Instant until = now_ + time;
    while (wake_at_ <= until) {
      now_ = wake_at_;
      Step(Wake{});
    }
    now_ = until;
  }
  // Lets time pass until something is sent, and returns that.
  Sent Await() {
    for (int i = 0; i < 100 && sent_.empty() && wake_at_ < kNever; ++i) {
      now_ = wake_at_;
      Step(Wake{});
    }
    return Take();
  }
  // "" while unfinished.
  std::string Outcome(uint64_t id) const {
    const auto found = outcomes_.find(id);
    if (found == outcomes_.end()) return "";
    const client::Outcome& outcome = found->second;
    switch (outcome.kind) {
      case client::Outcome::Kind::kOk:
        return absl::StrCat("ok ", proto::Code_Name(outcome.result.code()));
      case client::Outcome::Kind::kNotExecuted:
        return absl::StrCat("not executed ", absl::StatusCodeToString(outcome.status.code()));
      case client::Outcome::Kind::kUnknown:
        return absl::StrCat("unknown ", absl::StatusCodeToString(outcome.status.code()));
    }
    return "?";
  }
  const client::Outcome& FullOutcome(uint64_t id) const { return outcomes_.at(id); }
  Client& client() { return client_; }
  Instant now() const { return now_; }
  Instant wake_at() const { return wake_at_; }

 private:
  Client client_;
  Instant now_ = kStart;
  Instant wake_at_ = kNever;
  std::deque<Sent> sent_;
  std::map<uint64_t, client::Outcome> outcomes_;
  uint64_t last_id_ = 0;
};

// "s=7 q=2 f=1": session, sequence, first_outstanding.
inline std::string Place(const Conversation::Sent& sent) {
  const proto::Command& command = sent.request.command();
  return absl::StrCat("s=", command.session(), " q=", command.sequence(),
                      " f=", command.first_outstanding());
}

}  // namespace lockstep::client

#endif  // LOCKSTEP_TESTS_UNIT_CLIENT_CONVERSATION_H_
