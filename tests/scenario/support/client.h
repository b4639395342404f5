// A client of a scenario: the product's client library, told by hand what to ask for. Its verbs
// that wait run the world until the answer is there; those that end in Soon return at once.
//
// Everything that a client does goes into the scenario's history, which must be linearizable.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLIENT_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/client.h"
#include "core/proto/client.pb.h"
#include "sim/workload/recorder.h"
#include "sim/workload/sim_client.h"

namespace lockstep::scenario {

// How long clients try, unless told otherwise.
inline constexpr Duration kPatience = std::chrono::seconds(120);

// One operation on its way. A copy is the same operation.
class Pending {
 public:
  struct State {
    sim::Recorder::Open open;
    std::string what;  // for people
    std::optional<client::Outcome> outcome;
  };
  explicit Pending(std::shared_ptr<State> state) : state_(std::move(state)) {}

  bool done() const { return state_->outcome.has_value(); }
  bool ok() const { return done() && state_->outcome->kind == client::Outcome::Kind::kOk; }
  // REQUIRES: done().
  const client::Outcome& outcome() const { return *state_->outcome; }
  // What a Get read; absent: the key is missing. REQUIRES: ok().
  std::optional<std::string> value() const;
  const std::string& what() const { return state_->what; }
  // What the committed log knows it by; nothing when it was never sent.
  const sim::CommandIdentity& command() const { return state_->open.command; }

 private:
  friend class Client;
  std::shared_ptr<State> state_;
};

// Waits in virtual time: true as soon as the condition holds, false when the time is over.
using Wait = std::function<bool(const std::function<bool()>& condition, Duration within)>;

class Client : public sim::SimClient {
 public:
  // `recorder` outlives the client, and so does what `wait` refers to.
  Client(const client::ClientOptions& options, Rng rng, sim::Recorder& recorder, Wait wait);
  // `port` outlives the client.
  void Bind(sim::ClientPort& port) { port_ = &port; }

  // --- Waiting verbs. A failure to complete within the patience fails the test. ---
  void Put(const std::string& key, const std::string& value);
  void Append(const std::string& key, const std::string& value);
  void Delete(const std::string& key);
  // Absent: the key is missing. Present and empty is something else.
  std::optional<std::string> Get(const std::string& key);
  // Whether it swapped. Absent `expected`: the key must be missing; absent `value`: delete it.
  bool Cas(const std::string& key, const std::optional<std::string>& expected,
           const std::optional<std::string>& value);

  // --- Verbs that do not wait ---
  Pending PutSoon(const std::string& key, const std::string& value, Duration patience = kPatience);
  Pending AppendSoon(const std::string& key, const std::string& value,
                     Duration patience = kPatience);
  Pending DeleteSoon(const std::string& key, Duration patience = kPatience);
  Pending GetSoon(const std::string& key, Duration patience = kPatience);
  Pending CasSoon(const std::string& key, const std::optional<std::string>& expected,
                  const std::optional<std::string>& value, Duration patience = kPatience);
  // True when it is done, false when the time is over.
  bool Await(const Pending& pending, Duration within);

  // Called whenever an operation is done; it may begin the next one. May be empty.
  std::function<void(const Pending&)> on_done;
  // Calls `what` once, after a while, in an event of this client's. One call at a time.
  void Later(Duration after, std::function<void()> what);

  size_t unfinished() const { return open_.size(); }

  // sim::SimClient.
  void Start() override {}
  void OnReply(uint64_t attempt, const Bytes& reply) override;
  void OnWake() override;
  bool Done() const override { return open_.empty(); }
  std::string WaitingFor() const override;

 private:
  Pending Issue(std::variant<proto::Command, proto::Query> body, std::string what,
                Duration patience);
  void Complete(const Pending& pending);
  void Step(client::Input input);
  void SetAlarm();

  client::Client client_;
  sim::Recorder& recorder_;
  const Wait wait_;
  sim::ClientPort* port_ = nullptr;
  std::map<client::OperationId, std::shared_ptr<Pending::State>> open_;
  uint64_t last_operation_ = 0;
  Instant client_wake_ = kNever;
  Instant later_at_ = kNever;
  std::function<void()> later_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLIENT_H_
