// A client of a scenario: the product's client library, told by hand what to ask for. Its verbs
// that wait run the world until the answer is there; those that end in Soon return at once.
//
// Everything that a client does goes into the scenario's history, which must be linearizable. What
// covers several keys is there as an operation on each of them.
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
#include <vector>

#include "core/base/types.h"
#include "core/client/caller.h"
#include "core/proto/client.pb.h"
#include "sim/workload/recorder.h"
#include "sim/workload/sim_client.h"
#include "tests/scenario/support/history_of.h"

namespace lockstep::scenario {

// How long clients try, unless told otherwise.
inline constexpr Duration kPatience = std::chrono::seconds(120);

// One operation on its way. A copy is the same operation.
class Pending {
 public:
  struct State {
    std::string what;                           // for people
    Whole whole;                                // what was asked for
    std::vector<sim::Recorder::Open> recorded;  // what it is in the history: SinglesOf(whole)
    sim::CommandIdentity command;
    std::optional<client::Outcome> outcome;
  };
  explicit Pending(std::shared_ptr<State> state) : state_(std::move(state)) {}

  bool done() const { return state_->outcome.has_value(); }
  bool ok() const { return done() && state_->outcome->kind == client::Outcome::Kind::kOk; }
  // REQUIRES: done().
  const client::Outcome& outcome() const;
  // What a Get read; absent: the key is missing. REQUIRES: ok().
  std::optional<std::string> value() const;
  const std::string& what() const { return state_->what; }
  // What the committed log knows it by, as last sent; nothing when it was never sent.
  const sim::CommandIdentity& command() const { return state_->command; }

 private:
  friend class Client;
  std::shared_ptr<State> state_;
};

// Waits in virtual time: true as soon as the condition holds, false when the time is over.
using Wait = std::function<bool(const std::function<bool()>& condition, Duration within)>;

using Pairs = std::map<std::string, std::string>;

// A part of a listing.
struct Page {
  Pairs pairs;
  std::string continuation;  // empty: there is no more
};

// Writes of a batch or a bulk, each key at most once.
proto::BatchOperation PutOf(const std::string& key, const std::string& value);
proto::BatchOperation AppendOf(const std::string& key, const std::string& value);
using Writes = std::vector<proto::BatchOperation>;

class Client : public sim::SimClient {
 public:
  // `shards`: of the cluster; 0: it has none. `keys`, ascending: those that it names are added.
  // `keys` and `recorder` outlive the client, and so does what `wait` refers to.
  Client(std::unique_ptr<client::Caller> caller, uint32_t shards, std::vector<std::string>& keys,
         sim::Recorder& recorder, Wait wait);
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
  // Keys that exist.
  Pairs GetMany(const std::vector<std::string>& keys);
  Page List(const std::string& prefix, uint32_t limit, const std::string& continuation = "");
  void Batch(const Writes& writes);
  void Bulk(const Writes& writes);

  // --- Verbs that do not wait ---
  Pending PutSoon(const std::string& key, const std::string& value, Duration patience = kPatience);
  Pending AppendSoon(const std::string& key, const std::string& value,
                     Duration patience = kPatience);
  Pending DeleteSoon(const std::string& key, Duration patience = kPatience);
  Pending GetSoon(const std::string& key, Duration patience = kPatience);
  Pending CasSoon(const std::string& key, const std::optional<std::string>& expected,
                  const std::optional<std::string>& value, Duration patience = kPatience);
  Pending GetManySoon(const std::vector<std::string>& keys, Duration patience = kPatience);
  Pending ListSoon(const std::string& prefix, uint32_t limit, const std::string& continuation,
                   Duration patience = kPatience);
  Pending BatchSoon(const Writes& writes, Duration patience = kPatience);
  Pending BulkSoon(const Writes& writes, Duration patience = kPatience);
  // Anything else, which the history knows nothing of.
  Pending AskSoon(const Single& body, std::string what, Duration patience = kPatience);
  // Sends this to a node, once, whatever becomes of it.
  void Tell(NodeId node, Bytes request);
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
  Pending Issue(Whole whole, std::string what, Duration patience);
  Pending Invoke(std::shared_ptr<Pending::State> state, Whole whole, Duration patience);
  void NameKey(const std::string& key);
  void Complete(const Pending& pending);
  void Step(client::Input input);
  void NoteName(Pending::State& state, const Bytes& request) const;
  void Record(Instant now, const Pending::State& state);
  void SetAlarm();

  const std::unique_ptr<client::Caller> caller_;
  const uint32_t shards_;
  std::vector<std::string>& keys_;
  sim::Recorder& recorder_;
  const Wait wait_;
  sim::ClientPort* port_ = nullptr;
  std::map<client::OperationId, std::shared_ptr<Pending::State>> open_;
  std::map<std::string, std::string> last_keys_;  // of pages that go on, by continuation
  uint64_t last_operation_ = 0;
  Instant client_wake_ = kNever;
  Instant later_at_ = kNever;
  std::function<void()> later_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLIENT_H_
