#include "tests/scenario/support/client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/check/command_identity.h"

namespace lockstep::scenario {
namespace {

constexpr size_t kShownBytes = 20;

std::string Short(const std::string& text) {
  if (text.size() <= kShownBytes) return text;
  return absl::StrCat(text.substr(0, kShownBytes), "... (", text.size(), " bytes)");
}

}  // namespace

std::optional<std::string> Pending::value() const {
  Check(ok());
  if (!outcome().result.has_value()) return std::nullopt;
  return outcome().result.value();
}

Client::Client(const client::ClientOptions& options, Rng rng, sim::Recorder& recorder, Wait wait)
    : client_(options, rng), recorder_(recorder), wait_(std::move(wait)) {}

// --- Verbs ---

void Client::Put(const std::string& key, const std::string& value) {
  Complete(PutSoon(key, value));
}
void Client::Append(const std::string& key, const std::string& value) {
  Complete(AppendSoon(key, value));
}
void Client::Delete(const std::string& key) { Complete(DeleteSoon(key)); }

std::optional<std::string> Client::Get(const std::string& key) {
  const Pending pending = GetSoon(key);
  Complete(pending);
  return pending.ok() ? pending.value() : std::nullopt;
}

bool Client::Cas(const std::string& key, const std::optional<std::string>& expected,
                 const std::optional<std::string>& value) {
  const Pending pending = CasSoon(key, expected, value);
  Complete(pending);
  return pending.ok() && pending.outcome().result.code() == proto::OK;
}

Pending Client::PutSoon(const std::string& key, const std::string& value, Duration patience) {
  proto::Command command;
  command.mutable_put()->set_key(key);
  command.mutable_put()->set_value(value);
  return Issue(std::move(command), absl::StrCat("put ", key, " = ", Short(value)), patience);
}

Pending Client::AppendSoon(const std::string& key, const std::string& value, Duration patience) {
  proto::Command command;
  command.mutable_append()->set_key(key);
  command.mutable_append()->set_value(value);
  return Issue(std::move(command), absl::StrCat("append ", key, " += ", Short(value)), patience);
}

Pending Client::DeleteSoon(const std::string& key, Duration patience) {
  proto::Command command;
  command.mutable_delete_()->set_key(key);
  return Issue(std::move(command), absl::StrCat("delete ", key), patience);
}

Pending Client::GetSoon(const std::string& key, Duration patience) {
  proto::Query query;
  query.mutable_get()->set_key(key);
  return Issue(std::move(query), absl::StrCat("get ", key), patience);
}

Pending Client::CasSoon(const std::string& key, const std::optional<std::string>& expected,
                        const std::optional<std::string>& value, Duration patience) {
  proto::Command command;
  proto::CompareAndSwap& swap = *command.mutable_compare_and_swap();
  swap.set_key(key);
  if (expected.has_value()) swap.set_expected(*expected);
  if (value.has_value()) swap.set_value(*value);
  return Issue(std::move(command), absl::StrCat("cas ", key), patience);
}

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

Pending Client::Issue(std::variant<proto::Command, proto::Query> body, std::string what,
                      Duration patience) {
  Check(port_ != nullptr, "bind the client first");
  const Instant now = port_->Now();
  const client::OperationId id(++last_operation_);
  client::Invoke invoke{.id = id, .operation = body, .deadline = now + patience};
  const uint64_t process = recorder_.NewProcess();  // Its operations may overlap.
  auto state = std::make_shared<Pending::State>();
  state->what = std::move(what);
  state->open = recorder_.Invoke(
      now, process, {.body = std::move(body), .deadline = patience, .page = std::nullopt});
  open_[id] = state;
  Step(std::move(invoke));
  return Pending(std::move(state));
}

void Client::Step(client::Input input) {
  const Instant now = port_->Now();
  client::Output out;
  client_.Step(now, std::move(input), &out);
  client_wake_ = out.wake_at;
  for (client::Send& send : out.sends) {
    // A write that ends without an answer is found again in the committed log by its last name.
    const auto open = open_.find(send.operation);
    if (open != open_.end() &&
        std::holds_alternative<proto::Command>(open->second->open.planned.body)) {
      open->second->open.command = sim::IdentifyRequest(send.request);
    }
    port_->SendRequest(send.to, send.attempt.value(), std::move(send.request));
  }
  SetAlarm();
  for (client::Completion& completion : out.completions) {
    const auto found = open_.find(completion.id);
    Check(found != open_.end(), "a completion of nothing");
    const Pending pending(found->second);
    open_.erase(found);
    recorder_.Return(now, pending.state_->open, completion.outcome);
    pending.state_->outcome = std::move(completion.outcome);
    if (on_done) on_done(pending);
  }
}

void Client::OnReply(uint64_t attempt, const Bytes& reply) {
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
