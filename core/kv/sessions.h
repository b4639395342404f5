// Client sessions: what makes a retried command execute once (thesis §6.3, LogCabin's scheme).
//
// A session is registered through the log; its id is the index of that entry. Each command carries
// its sequence in the session and the smallest sequence whose reply the client still wants. Replies
// at or above that mark are kept and repeated for duplicates; below it a command is stale and never
// executed. An unknown session is refused, never treated as new: an old retry would execute twice.
//
// The number of sessions is bounded: registering one too many expires the least recently used one,
// by log index, so every replica expires the same one at the same entry. The number of replies is
// bounded by the window. So are their bytes: a value that is too large is not kept with its reply,
// and the repetition says so (value_omitted). Reading the value again instead would be wrong: it
// could show a later state than the one in which the comparison failed.
//
// Sessions live in memory and are written through to the table in the entry that changes them.
// Invariants: Load gives the same state as having applied the entries. A reply takes the lowest
// free slot of its session, so that a client with one command outstanding rewrites one small record
// for ever. Each record carries the session's mark and index at its time; the newest record cannot
// be overwritten but by a newer one, so the largest of them are the session's own.
#ifndef LOCKSTEP_CORE_KV_SESSIONS_H_
#define LOCKSTEP_CORE_KV_SESSIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/kv/options.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::kv {

// What a command came to, as far as it is kept.
struct StoredReply {
  enum class Value : uint8_t { kAbsent = 0, kPresent = 1, kOmitted = 2 };
  Index index;  // of the entry that executed it
  proto::Code code = proto::CODE_UNSPECIFIED;
  uint64_t detail = 0;            // TOO_LARGE: the bytes that the value would have had
  uint32_t failed_operation = 0;  // of a batch that was not executed
  Value value_form = Value::kAbsent;
  std::string value;
};

struct Session {
  SessionId id;
  uint64_t first_outstanding = 1;    // never goes back
  Index used;                        // the last entry that executed a command of it
  std::vector<uint64_t> sequences;   // by slot; 0: free
  std::vector<StoredReply> replies;  // by slot
  uint64_t reply_bytes = 0;          // sum over replies of value.size()
};

class Sessions {
 public:
  explicit Sessions(const KvOptions& options);

  void Load(const TableReader& table);

  // Registers the session that is named by `index`, expiring others as needed.
  SessionId Register(Index index, TableWriter& table);
  // False when there is no such session.
  bool Close(SessionId id, TableWriter& table);

  // Null when unknown. Valid until the next Register, Close or Load.
  Session* Find(SessionId id);
  // The reply kept for `sequence`, or null.
  static const StoredReply* FindReply(const Session& session, uint64_t sequence);

  // Records that the entry at reply.index executed `sequence`, and forgets replies below
  // `first_outstanding`. REQUIRES: no reply is kept for it, it is not below the session's mark, and
  // it is inside the window.
  void Remember(Session& session, uint64_t sequence, uint64_t first_outstanding, StoredReply reply,
                TableWriter& table);

  size_t size() const { return sessions_.size(); }

 private:
  void Expire(SessionId id, TableWriter& table);
  void LoadRecord(absl::string_view key, absl::string_view record);
  static void Forget(Session& session, uint64_t first_outstanding);
  static size_t FreeSlot(Session& session);

  // By value and not by reference: the machine that owns both may be moved.
  KvOptions options_;
  absl::btree_map<SessionId, Session> sessions_;
  absl::btree_map<Index, SessionId> by_use_;  // an entry uses at most one session
  std::string key_;                           // scratch
  std::string record_;                        // scratch
};

// Answers to a command whose session is not known, and to one whose sequence the session is past.
void RefuseUnknown(uint64_t session, proto::Result* result);
void RefuseStale(const proto::Command& command, const Session& session, proto::Result* result);

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_SESSIONS_H_
