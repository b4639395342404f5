#include "tests/scenario/support/client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "sim/check/command_identity.h"
#include "tests/scenario/support/history_of.h"

namespace lockstep::scenario {
namespace {

// Names what was told: no attempt of the library has it.
constexpr uint64_t kTold = UINT64_MAX;

}  // namespace

const client::Outcome& Pending::outcome() const {
  Check(done(), "nothing is known of it yet");
  return *state_->outcome;
}

std::optional<std::string> Pending::value() const {
  Check(ok());
  if (!outcome().result.has_value()) return std::nullopt;
  return outcome().result.value();
}

Client::Client(std::unique_ptr<client::Caller> caller, uint32_t shards,
               std::vector<std::string>& keys, sim::Recorder& recorder, Wait wait)
    : caller_(std::move(caller)),
      shards_(shards),
      keys_(keys),
      recorder_(recorder),
      wait_(std::move(wait)) {}

bool Client::Await(const Pending& pending, Duration within) {
  return wait_([&] { return pending.done(); }, within);
}

// The library gives up at the deadline itself; a second later it must have said so.
void Client::Complete(const Pending& pending) {
  const bool done = Await(pending, kPatience + std::chrono::seconds(1));
  EXPECT_TRUE(done) << pending.what() << " is not done";
  if (!done) return;
  EXPECT_TRUE(pending.ok()) << pending.what() << ": " << pending.outcome().status;
}

void Client::Later(Duration after, std::function<void()> what) {
  later_at_ = port_->Now() + after;
  later_ = std::move(what);
  SetAlarm();
}

// --- The library's wires ---

Pending Client::Issue(Whole whole, std::string what, Duration patience) {
  Check(port_ != nullptr, "bind the client first");
  const Instant now = port_->Now();
  auto state = std::make_shared<Pending::State>();
  state->what = std::move(what);
  for (Single& single : SinglesOf(whole)) {
    NameKey(KeyOf(single));
    const uint64_t process = recorder_.NewProcess();  // Its operations may overlap.
    std::optional<sim::ListPosition> page;
    const auto* query = std::get_if<proto::Query>(&single);
    if (query != nullptr && query->has_list() && !query->list().continuation().empty()) {
      page = {.prefix = query->list().prefix(),
              .after = last_keys_.at(query->list().continuation()),
              .continuation = query->list().continuation()};
    }
    state->recorded.push_back(recorder_.Invoke(
        now, process, {.body = std::move(single), .deadline = patience, .page = std::move(page)}));
  }
  state->whole = whole;
  return Invoke(std::move(state), std::move(whole), patience);
}

Pending Client::AskSoon(const Single& body, std::string what, Duration patience) {
  auto state = std::make_shared<Pending::State>();
  state->what = std::move(what);
  if (const auto* query = std::get_if<proto::Query>(&body)) {
    return Invoke(std::move(state), *query, patience);
  }
  return Invoke(std::move(state), std::get<proto::Command>(body), patience);
}

Pending Client::Invoke(std::shared_ptr<Pending::State> state, Whole whole, Duration patience) {
  const client::OperationId id(++last_operation_);
  const Instant deadline = port_->Now() + patience;
  open_[id] = state;
  if (auto* writes = std::get_if<Writes>(&whole)) {
    Step(client::InvokeBulk{.id = id, .operations = std::move(*writes), .deadline = deadline});
  } else if (auto* command = std::get_if<proto::Command>(&whole)) {
    Step(client::Invoke{.id = id, .operation = std::move(*command), .deadline = deadline});
  } else {
    Step(client::Invoke{
        .id = id, .operation = std::get<proto::Query>(std::move(whole)), .deadline = deadline});
  }
  return Pending(std::move(state));
}

void Client::NameKey(const std::string& key) {
  if (key.empty()) return;
  const auto place = std::lower_bound(keys_.begin(), keys_.end(), key);
  if (place == keys_.end() || *place != key) keys_.insert(place, key);
}

void Client::Step(client::Input input) {
  const Instant now = port_->Now();
  client::Output out;
  caller_->Step(now, std::move(input), &out);
  client_wake_ = out.wake_at;
  for (client::Send& send : out.sends) {
    const auto open = open_.find(send.operation);
    if (open != open_.end()) NoteName(*open->second, send.request);
    port_->SendRequest(send.to, send.attempt.value(), std::move(send.request));
  }
  SetAlarm();
  for (client::Completion& completion : out.completions) {
    const auto found = open_.find(completion.id);
    Check(found != open_.end(), "a completion of nothing");
    const Pending pending(found->second);
    open_.erase(found);
    pending.state_->outcome = std::move(completion.outcome);
    Record(now, *pending.state_);
    if (on_done) on_done(pending);
  }
}

// A write that ends without an answer is found again in the committed log by its last name.
void Client::NoteName(Pending::State& state, const Bytes& request) const {
  const sim::CommandIdentity name = sim::IdentifyRequest(request);
  if (name.sequence == 0) return;
  state.command = name;
  for (sim::Recorder::Open& open : state.recorded) {
    const bool elsewhere =
        shards_ > 0 && ShardOf(KeyOf(open.planned.body), shards_).value() != name.shard;
    if (!elsewhere) open.command = name;
  }
}

void Client::Record(Instant now, const Pending::State& state) {
  for (size_t i = 0; i < state.recorded.size(); ++i) {
    recorder_.Return(now, state.recorded[i], OutcomeOf(state.whole, *state.outcome, i));
  }
  const proto::Result& result = state.outcome->result;
  if (!result.continuation().empty() && !result.pairs().empty()) {
    last_keys_[result.continuation()] = result.pairs().rbegin()->key();
  }
}

void Client::Tell(NodeId node, Bytes request) {
  Check(port_ != nullptr, "bind the client first");
  port_->SendRequest(node, kTold, std::move(request));
}

void Client::OnReply(uint64_t attempt, const Bytes& reply) {
  if (attempt == kTold) return;
  Step(client::Reply{.attempt = client::AttemptId(attempt), .reply = reply});
}

void Client::OnWake() {
  const Instant now = port_->Now();
  if (now >= later_at_) {
    later_at_ = kNever;
    std::exchange(later_, nullptr)();
  }
  if (now >= client_wake_) Step(client::Wake{});
  SetAlarm();
}

void Client::SetAlarm() { port_->WakeAt(std::min(client_wake_, later_at_)); }

std::string Client::WaitingFor() const {
  std::string text;
  for (const auto& [id, state] : open_) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", state->what);
  }
  return text;
}

}  // namespace lockstep::scenario
