#include "tests/scenario/support/proposer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/client/events.h"

namespace lockstep::scenario {
namespace {

// So many proposals may be without an answer. Less than a group's session_window_max.
constexpr uint64_t kWindow = 200;

}  // namespace

void Proposer::Send(NodeId server, const proto::ClientRequest& request) {
  const size_t size = request.ByteSizeLong();
  port_->SendRequest(server, ++attempts_, Bytes::Make(size, [&](char* to) {
                       request.SerializeToArray(to, static_cast<int>(size));
                     }));
}

void Proposer::OpenSession(NodeId server) {
  proto::ClientRequest request;
  request.set_group(group_.value());
  request.mutable_command()->mutable_register_session()->set_nonce(1);
  Send(server, request);
}

Proposal Proposer::Propose(NodeId server, const std::string& value) {
  Check(has_session());
  proto::Command command;
  command.mutable_put()->set_key(absl::StrCat("proposal ", ++sequence_));
  command.mutable_put()->set_value(value);
  auto state = std::make_shared<Proposal::State>();
  state->server = server;
  state->open = recorder_.Invoke(port_->Now(), recorder_.NewProcess(),
                                 {.body = command, .deadline = Duration(0), .page = std::nullopt});
  command.set_session(session_.value());
  command.set_sequence(sequence_);
  command.set_first_outstanding(sequence_ < kWindow ? 1 : sequence_ - kWindow + 1);
  state->command = {.session = session_,
                    .sequence = command.sequence(),
                    .first_outstanding = command.first_outstanding()};
  state->open.command = state->command;
  proto::ClientRequest request;
  request.set_group(group_.value());
  *request.mutable_command() = std::move(command);
  Send(server, request);
  open_[attempts_] = state;
  return Proposal(std::move(state));
}

void Proposer::OnNote(NodeId node, const Note& note) {
  if (note.kind != NoteKind::kAppended || open_.empty()) return;
  const sim::CommandIdentity command = sim::IdentifyCommand(*note.entry);
  if (command.session != session_ || command.sequence == 0) return;
  for (const auto& [attempt, state] : open_) {
    if (state->command.sequence != command.sequence || state->server != node) continue;
    if (state->fate != Proposal::Fate::kOnItsWay) continue;
    state->fate = Proposal::Fate::kAccepted;
    state->position = {note.entry->index, note.entry->term};
  }
}

void Proposer::OnReply(uint64_t attempt, const Bytes& reply) {
  proto::ClientReply decoded;
  Check(decoded.ParseFromArray(reply.data(), static_cast<int>(reply.size())));
  const proto::Result& result = decoded.result();
  if (result.session() != 0 && !has_session()) session_ = SessionId(result.session());
  const auto found = open_.find(attempt);
  if (found == open_.end()) return;
  const std::shared_ptr<Proposal::State> state = found->second;
  open_.erase(found);
  client::Outcome outcome;
  if (result.code() == proto::OK) {
    state->fate = Proposal::Fate::kAnswered;
    outcome.kind = client::Outcome::Kind::kOk;
    outcome.result = result;
  } else if (result.code() == proto::LEADERSHIP_LOST || result.code() == proto::TIMEOUT) {
    outcome.kind = client::Outcome::Kind::kUnknown;
  } else {
    state->fate = Proposal::Fate::kRefused;
    outcome.kind = client::Outcome::Kind::kNotExecuted;
  }
  recorder_.Return(port_->Now(), state->open, outcome);
}

void Proposer::AbandonAll() {
  for (const auto& [attempt, state] : open_) recorder_.Abandon(state->open);
  open_.clear();
}

}  // namespace lockstep::scenario
