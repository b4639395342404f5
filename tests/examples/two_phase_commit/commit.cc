#include "tests/examples/two_phase_commit/commit.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace examples {

using lockstep::Instant;
using lockstep::RequestId;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kVotingTime{150};
constexpr milliseconds kLookAgainAfter{50};
constexpr size_t kActiveMax = 100;

// "prepare 3.17": a verb and a transaction.
struct Words {
  std::string verb;
  std::string transaction;
};
Words Split(const Bytes& text) {
  const std::vector<std::string> words = absl::StrSplit(text.view(), ' ');
  return words.size() == 2 ? Words{words[0], words[1]} : Words{};
}

}  // namespace

void CommitServer::OnStorage(lockstep::Lane, lockstep::Ticket,
                             absl::StatusOr<lockstep::StorageResult> result) {
  if (!result.ok()) return;  // The host stops us now: nobody knows what the disk holds.
  log_.OnStored();
  ApplyDurable();
  for (; !waiting_.empty() && waiting_.front().after <= log_.durable(); waiting_.pop_front()) {
    SendNow(waiting_.front().to, waiting_.front().text);
  }
}

void CommitServer::ApplyDurable() {
  while (applied_ < log_.durable()) {
    applied_ = applied_.Next();
    const Words record = Split(log_.at(applied_));
    Apply(record.verb, record.transaction);
  }
}

void CommitServer::OnTurnEnd() { log_.Commit(host_.disk); }

void CommitServer::SendWhenDurable(NodeId to, const std::string& text) {
  if (log_.durable() == log_.last()) return SendNow(to, text);
  waiting_.push_back({.after = log_.last(), .to = to, .text = text});
}

void CommitServer::SendNow(NodeId to, const std::string& text) {
  host_.transport.Send(to, Bytes::Copy(text));
}

// --- Coordinator ---

Coordinator::Coordinator(const lockstep::ReplicaImage& disk, const lockstep::Host& host,
                         uint16_t participants, CommitMistake mistake)
    : CommitServer(disk, host), participants_(participants), mistake_(mistake) {
  ApplyDurable();
}

void Coordinator::OnRequest(RequestId id, const Bytes& request) {
  const auto [verb, transaction] = Split(request);
  if (verb != "begin" || active_.size() >= kActiveMax) {
    return host_.replies.Reply(id, Bytes::Copy("busy"));
  }
  const Instant now = host_.clock.Now();
  active_[transaction] = {.client = id, .deadline = now + kVotingTime, .yes = {}};
  Announce(absl::StrCat("prepare ", transaction));
  host_.clock.WakeAt(now + kLookAgainAfter);
}

void Coordinator::OnMessage(NodeId from, const Bytes& message) {
  const auto [verb, transaction] = Split(message);
  if (verb == "yes") return OnYes(from, transaction);
  if (verb == "no") return Abort(transaction);
  if (verb != "ask" || active_.contains(transaction)) return;  // Not decided yet.
  SendNow(from, absl::StrCat(committed_.contains(transaction) ? "commit " : "abort ", transaction));
}

void Coordinator::OnYes(NodeId from, const std::string& transaction) {
  const auto found = active_.find(transaction);
  if (found == active_.end() || found->second.decided) return;
  found->second.yes.insert(from);
  if (found->second.yes.size() < participants_) return;
  found->second.decided = true;
  const std::string decision = absl::StrCat("commit ", transaction);
  Record(decision);
  if (mistake_ == CommitMistake::kTellsTooEarly) Announce(decision);
}

void Coordinator::Apply(const std::string& verb, const std::string& transaction) {
  committed_.insert(transaction);
  const auto found = active_.find(transaction);
  if (found == active_.end()) return;  // We restarted: participants will ask, the client gave up.
  Announce(absl::StrCat(verb, " ", transaction));
  host_.replies.Reply(found->second.client, Bytes::Copy("committed"));
  active_.erase(found);
}

// Nothing is recorded: who does not know a transaction says that it was aborted.
void Coordinator::Abort(const std::string& transaction) {
  const auto found = active_.find(transaction);
  if (found == active_.end() || found->second.decided) return;
  Announce(absl::StrCat("abort ", transaction));
  host_.replies.Reply(found->second.client, Bytes::Copy("aborted"));
  active_.erase(found);
}

void Coordinator::OnWake() {
  std::vector<std::string> late;
  for (const auto& [transaction, active] : active_) {
    if (active.deadline <= host_.clock.Now()) late.push_back(transaction);
  }
  for (const std::string& transaction : late) Abort(transaction);
  if (!active_.empty()) host_.clock.WakeAt(host_.clock.Now() + kLookAgainAfter);
}

void Coordinator::Announce(const std::string& text) {
  for (uint16_t i = 1; i <= participants_; ++i) SendNow(NodeId(kCoordinator.Plus(i)), text);
}

// --- Participant ---

Participant::Participant(const lockstep::ReplicaImage& disk, const lockstep::Host& host,
                         lockstep::Rng rng, CommitMistake mistake)
    : CommitServer(disk, host), rng_(rng) {
  ApplyDurable();
  if (mistake == CommitMistake::kForgetsVotes) {
    const std::set<std::string> forgotten = prepared_;
    for (const std::string& transaction : forgotten) Apply("abort", transaction);
  }
  host_.clock.WakeAt(host_.clock.Now() + kLookAgainAfter);
}

void Participant::OnMessage(NodeId, const Bytes& message) {
  const auto [verb, transaction] = Split(message);
  if (verb == "prepare") return OnPrepare(transaction);
  const bool decision = verb == "commit" || verb == "abort";
  if (decision && prepared_.contains(transaction)) Record(absl::StrCat(verb, " ", transaction));
}

void Participant::OnPrepare(const std::string& transaction) {
  if (voting_.contains(transaction)) return;  // It came twice.
  const auto decided = decided_.find(transaction);
  if (decided != decided_.end() || prepared_.contains(transaction)) {
    const bool no = decided != decided_.end() && !decided->second;
    return SendNow(kCoordinator, absl::StrCat(no ? "no " : "yes ", transaction));
  }
  // A real one would ask its locks and its data; four times in five they are willing.
  const std::string vote = absl::StrCat(rng_.Chance({4, 5}) ? "yes " : "no ", transaction);
  voting_.insert(transaction);
  Record(vote);
  SendWhenDurable(kCoordinator, vote);
}

void Participant::Apply(const std::string& verb, const std::string& transaction) {
  voting_.erase(transaction);
  if (verb == "yes") {
    prepared_.insert(transaction);
    host_.clock.WakeAt(host_.clock.Now() + kLookAgainAfter);
    return;
  }
  const bool commit = verb == "commit";  // "no" is an abort of our own.
  prepared_.erase(transaction);
  const bool news = decided_.emplace(transaction, commit).second;
  if (news) decisions_.push_back({transaction, commit});
}

void Participant::OnWake() {
  for (const std::string& transaction : prepared_) {
    SendNow(kCoordinator, absl::StrCat("ask ", transaction));
  }
  if (!prepared_.empty()) host_.clock.WakeAt(host_.clock.Now() + kLookAgainAfter);
}

}  // namespace examples
