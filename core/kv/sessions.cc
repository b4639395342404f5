#include "core/kv/sessions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/table_layout.h"

namespace lockstep::kv {
namespace {

constexpr char kSessionFormat = '\x01';

void AppendVarint(uint64_t number, std::string* to) {
  for (; number >= 0x80; number >>= 7) to->push_back(static_cast<char>(number | 0x80));
  to->push_back(static_cast<char>(number));
}

// Records come from our own table, below whose checksums we do not look: a bad one is a mistake of
// ours, hence Check.
uint64_t TakeVarint(absl::string_view* from) {
  uint64_t number = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    Check(!from->empty(), "session record: cut short");
    const uint8_t byte = static_cast<uint8_t>(from->front());
    from->remove_prefix(1);
    number |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  Check(false, "session record: overlong number");
  return 0;
}

struct Record {
  uint64_t sequence = 0;
  uint64_t first_outstanding = 0;
  StoredReply reply;
};

// Varints: sequence, how far it is past the mark, index, code, detail, failed operation, form; then
// the value.
void SetRecord(const Session& session, uint64_t sequence, const StoredReply& reply,
               std::string* out) {
  out->clear();
  AppendVarint(sequence, out);
  AppendVarint(sequence - session.first_outstanding, out);
  AppendVarint(reply.index.value(), out);
  AppendVarint(static_cast<uint64_t>(reply.code), out);
  AppendVarint(reply.detail, out);
  AppendVarint(reply.failed_operation, out);
  AppendVarint(static_cast<uint64_t>(reply.value_form), out);
  out->append(reply.value);
}

Record ReadRecord(absl::string_view bytes) {
  Record record;
  record.sequence = TakeVarint(&bytes);
  const uint64_t past = TakeVarint(&bytes);
  CheckLt(past, record.sequence);
  record.first_outstanding = record.sequence - past;
  record.reply.index = Index(TakeVarint(&bytes));
  const uint64_t code = TakeVarint(&bytes);
  CheckLe(code, static_cast<uint64_t>(proto::Code_MAX));
  record.reply.code = static_cast<proto::Code>(code);
  record.reply.detail = TakeVarint(&bytes);
  const uint64_t failed = TakeVarint(&bytes);
  CheckLe(failed, uint64_t{UINT32_MAX});
  record.reply.failed_operation = static_cast<uint32_t>(failed);
  const uint64_t form = TakeVarint(&bytes);
  CheckLe(form, uint64_t{2});
  record.reply.value_form = static_cast<StoredReply::Value>(form);
  record.reply.value.assign(bytes.data(), bytes.size());
  return record;
}

}  // namespace

Sessions::Sessions(const KvOptions& options) : options_(options) {
  CheckLe(1u, options_.sessions_max);
  CheckLe(1u, options_.limits.session_window_max);
  CheckLe(options_.limits.session_window_max, 65536u);
}

void Sessions::Load(const TableReader& table) {
  sessions_.clear();
  by_use_.clear();
  table.Scan(absl::string_view(&kSessionKind, 1),
             [&](absl::string_view key, absl::string_view record) {
               if (key.empty() || key.front() != kSessionKind) return false;
               LoadRecord(key, record);
               return true;
             });
  for (auto& [id, session] : sessions_) {
    // Replies that had been forgotten still lie in their slots: the records are older than the
    // mark.
    Forget(session, session.first_outstanding);
    const bool alone = by_use_.emplace(session.used, id).second;
    Check(alone, "two sessions used by one entry");
  }
}

void Sessions::LoadRecord(absl::string_view key, absl::string_view record) {
  Check(key.size() == kSessionKeyBytes || key.size() == kSlotKeyBytes, "session key: bad size");
  const SessionId id(ReadBigEndian64(key.substr(1)));
  if (key.size() == kSessionKeyBytes) {
    CheckEq(record, absl::string_view(&kSessionFormat, 1));
    Session& session = sessions_[id];
    session.id = id;
    session.used = Index(id.value());
    return;
  }
  const auto found = sessions_.find(id);  // Its own record sorts before its slots.
  Check(found != sessions_.end(), "a reply without its session");
  Session& session = found->second;
  const size_t slot = static_cast<size_t>(static_cast<uint8_t>(key[kSessionKeyBytes]) << 8 |
                                          static_cast<uint8_t>(key[kSessionKeyBytes + 1]));
  CheckEq(slot, session.sequences.size());  // Slots are taken from the lowest, without gaps.
  Record loaded = ReadRecord(record);
  session.first_outstanding = std::max(session.first_outstanding, loaded.first_outstanding);
  session.used = std::max(session.used, loaded.reply.index);
  session.reply_bytes += loaded.reply.value.size();
  session.sequences.push_back(loaded.sequence);
  session.replies.push_back(std::move(loaded.reply));
}

SessionId Sessions::Register(Index index, TableWriter& table) {
  while (sessions_.size() >= options_.sessions_max) Expire(by_use_.begin()->second, table);
  const SessionId id(index.value());
  const auto [at, added] = sessions_.try_emplace(id);
  Check(added, "an entry registered twice");
  at->second.id = id;
  at->second.used = index;
  by_use_.emplace(index, id);
  SetSessionKey(id, &key_);
  table.Put(key_, absl::string_view(&kSessionFormat, 1));
  CheckLe(sessions_.size(), size_t{options_.sessions_max});
  CheckEq(by_use_.size(), sessions_.size());
  return id;
}

bool Sessions::Close(SessionId id, TableWriter& table) {
  if (!sessions_.contains(id)) return false;
  Expire(id, table);
  return true;
}

void Sessions::Expire(SessionId id, TableWriter& table) {
  const auto found = sessions_.find(id);
  Check(found != sessions_.end());
  const Session& session = found->second;
  SetSessionKey(id, &key_);
  table.Delete(key_);
  for (size_t slot = 0; slot < session.sequences.size(); ++slot) {
    SetSlotKey(id, slot, &key_);
    table.Delete(key_);
  }
  by_use_.erase(session.used);
  sessions_.erase(found);
  CheckEq(by_use_.size(), sessions_.size());
}

Session* Sessions::Find(SessionId id) {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

const StoredReply* Sessions::FindReply(const Session& session, uint64_t sequence) {
  Check(sequence != 0);
  const auto found = std::find(session.sequences.begin(), session.sequences.end(), sequence);
  if (found == session.sequences.end()) return nullptr;
  return &session.replies[static_cast<size_t>(found - session.sequences.begin())];
}

// Linear over the slots, which are as many as the client has ever had outstanding.
void Sessions::Forget(Session& session, uint64_t first_outstanding) {
  for (size_t slot = 0; slot < session.sequences.size(); ++slot) {
    if (session.sequences[slot] == 0 || session.sequences[slot] >= first_outstanding) continue;
    session.sequences[slot] = 0;
    std::string& value = session.replies[slot].value;
    CheckLe(value.size(), session.reply_bytes);
    session.reply_bytes -= value.size();
    if (!value.empty()) std::string().swap(value);  // Gives the memory back.
  }
}

size_t Sessions::FreeSlot(Session& session) {
  const auto free = std::find(session.sequences.begin(), session.sequences.end(), uint64_t{0});
  const size_t slot = static_cast<size_t>(free - session.sequences.begin());
  if (free == session.sequences.end()) {
    session.sequences.push_back(0);
    session.replies.emplace_back();
  }
  return slot;
}

void Sessions::Remember(Session& session, uint64_t sequence, uint64_t first_outstanding,
                        StoredReply reply, TableWriter& table) {
  CheckLe(session.first_outstanding, sequence);
  CheckLt(session.used, reply.index);
  if (first_outstanding > session.first_outstanding) {
    session.first_outstanding = first_outstanding;
    Forget(session, first_outstanding);
  }
  CheckLe(session.first_outstanding, sequence);
  CheckLt(sequence - session.first_outstanding, uint64_t{options_.limits.session_window_max});

  if (reply.value.size() > options_.session_value_bytes_max ||
      reply.value.size() + session.reply_bytes > options_.session_reply_bytes_max) {
    reply.value_form = StoredReply::Value::kOmitted;
    std::string().swap(reply.value);
  }
  const size_t slot = FreeSlot(session);
  CheckLt(slot, size_t{options_.limits.session_window_max});
  by_use_.erase(session.used);
  session.used = reply.index;
  by_use_.emplace_hint(by_use_.end(), session.used, session.id);
  SetSlotKey(session.id, slot, &key_);
  SetRecord(session, sequence, reply, &record_);
  table.Put(key_, record_);
  session.reply_bytes += reply.value.size();
  session.sequences[slot] = sequence;
  session.replies[slot] = std::move(reply);
}

void RefuseUnknown(uint64_t session, proto::Result* result) {
  result->set_code(proto::SESSION_UNKNOWN);
  result->set_message(absl::StrCat(
      "session ", session,
      " is not known: it was closed, or expired because it was the least recently used one; "
      "register a new session. This attempt was not executed; earlier ones may have been"));
}

void RefuseStale(const proto::Command& command, const Session& session, proto::Result* result) {
  result->set_code(proto::SEQUENCE_STALE);
  result->set_message(absl::StrCat("sequence ", command.sequence(), " of session ",
                                   command.session(), " is below first_outstanding ",
                                   session.first_outstanding,
                                   ": the client had said that it was done with it. This attempt "
                                   "was not executed; earlier ones may have been"));
}

}  // namespace lockstep::kv
