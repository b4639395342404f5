#include "tests/examples/primary_backup/store.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace examples {

using lockstep::RequestId;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kResendAfter{50};
constexpr uint64_t kRecordsPerMessageMax = 16;
constexpr size_t kWaitingMax = 100;

Bytes Text(absl::string_view text) { return Bytes::Copy(text); }

}  // namespace

void StoreServer::OnTurnEnd() {
  log_.Commit(host_.disk);
  if (news_) Speak();
  news_ = false;
}

// --- Primary ---

Primary::Primary(const lockstep::ReplicaImage& disk, const lockstep::Host& host, Mistake mistake)
    : StoreServer(disk, host, mistake) {
  Show(log_.durable());
}

void Primary::OnRequest(RequestId id, const Bytes& request) {
  const std::vector<std::string> words = absl::StrSplit(request.view(), absl::ByAnyChar(" \n"));
  if (words[0] == "put" && words.size() == 3) return Put(id, request);
  if (words[0] == "get" && words.size() == 2) {
    const auto found = values_.find(words[1]);
    return host_.replies.Reply(id, Text(found == values_.end() ? "none" : found->second));
  }
  host_.replies.Reply(id, Text("what?"));
}

void Primary::Put(RequestId id, const Bytes& request) {
  if (waiting_.size() >= kWaitingMax) return host_.replies.Reply(id, Text("busy"));
  waiting_[log_.Append(request)] = id;
  if (mistake_ == Mistake::kReadsTooEarly) Show(log_.last());
}

void Primary::OnStorage(lockstep::Lane, lockstep::Ticket,
                        absl::StatusOr<lockstep::StorageResult> result) {
  if (!result.ok()) return;  // The host stops us now: nobody knows what the disk holds.
  log_.OnStored();
  Show(log_.durable());
  news_ = true;
}

// From the backup: "have 17".
void Primary::OnMessage(NodeId, const Bytes& message) {
  uint64_t have = 0;
  absl::string_view text = message.view();
  if (!absl::ConsumePrefix(&text, "have ") || !absl::SimpleAtoi(text, &have)) return;
  confirmed_ = std::max(confirmed_, Index(have));
  while (!waiting_.empty() && waiting_.begin()->first <= confirmed_) {
    host_.replies.Reply(waiting_.begin()->second, Text("ok"));
    waiting_.erase(waiting_.begin());
  }
}

// To the backup: what it has not confirmed, as "append 18", a line each for the records from 18 on.
// Only what is on our own disk: else it could come to know a put that we forget.
void Primary::Speak() {
  if (confirmed_ >= log_.durable()) return;
  const Index last = std::min(log_.durable(), confirmed_.Plus(kRecordsPerMessageMax));
  std::string message = absl::StrCat("append ", confirmed_.Next().value());
  for (Index index = confirmed_.Next(); index <= last; index = index.Next()) {
    absl::StrAppend(&message, "\n", log_.at(index).view());
  }
  host_.transport.Send(kBackup, Text(message));
  host_.clock.WakeAt(host_.clock.Now() + kResendAfter);
}

void Primary::Show(Index through) {
  for (; shown_ < through; shown_ = shown_.Next()) {
    const std::vector<std::string> words = absl::StrSplit(log_.at(shown_.Next()).view(), ' ');
    values_[words[1]] = words[2];
  }
}

// --- Backup ---

void Backup::OnMessage(NodeId, const Bytes& message) {
  const std::vector<absl::string_view> lines = absl::StrSplit(message.view(), '\n');
  uint64_t first = 0;
  absl::string_view head = lines[0];
  if (!absl::ConsumePrefix(&head, "append ") || !absl::SimpleAtoi(head, &first)) return;
  for (size_t i = 1; i < lines.size(); ++i) {
    const Index index(first + i - 1);
    if (index == log_.last().Next()) log_.Append(Text(lines[i]));
  }
  news_ = true;  // Old records are confirmed again: our last word may have been lost.
}

void Backup::OnStorage(lockstep::Lane, lockstep::Ticket,
                       absl::StatusOr<lockstep::StorageResult> result) {
  if (!result.ok()) return;
  log_.OnStored();
  news_ = true;
}

void Backup::Speak() {
  const bool early = mistake_ == Mistake::kConfirmsTooEarly;
  const Index have = early ? log_.last() : log_.durable();
  host_.transport.Send(kPrimary, Text(absl::StrCat("have ", have.value())));
}

}  // namespace examples
