// The key-value store as a replicated state machine: commands from the log in, replies out.
//
// Apply and Query answer with an encoded proto::Result; ApplyCommand and Answer are the same for
// callers that have parsed already, or keep several stores in one table. Apply is total: bytes that
// are no command, or a command that validation refuses, change nothing, neither data nor session.
// So do duplicates and stale sequences.
#ifndef LOCKSTEP_CORE_KV_KV_MACHINE_H_
#define LOCKSTEP_CORE_KV_KV_MACHINE_H_

#include <memory>
#include <string>

#include "core/kv/options.h"
#include "core/kv/sessions.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::kv {

class KvMachine final : public StateMachine {
 public:
  explicit KvMachine(const KvOptions& options);

  void Load(const TableReader& table) override;
  // The codes are OK, CONFLICT (a failed comparison, with the current value unless the key is
  // missing), TOO_LARGE (also an Append that would exceed value_bytes_max: kept as that command's
  // reply, so its retries get it too), INVALID_ARGUMENT, SESSION_UNKNOWN and SEQUENCE_STALE.
  // Result.index is set when this command was executed or settled by a log entry: for a replay, the
  // entry that did so first.
  Bytes Apply(const Entry& entry, TableWriter& table) override;
  // Result.index is applied.index.
  Bytes Query(const Bytes& query, LogPosition applied, const TableReader& table) const override;

  // `version` grows from command to command; it stands where the entry's index would.
  void ApplyCommand(const proto::Command& command, Index version, TableWriter& table,
                    proto::Result* result);
  // `version` is that of the last command applied.
  void Answer(const proto::Query& query, Index version, const TableReader& table,
              proto::Result* result) const;

  size_t sessions() const { return sessions_.size(); }

 private:
  void ApplyInSession(const proto::Command& command, Index version, TableWriter& table,
                      proto::Result* result);
  void Fill(const StoredReply& reply, proto::Result* result) const;
  void TrimScratch();

  const KvOptions options_;
  Sessions sessions_;
  proto::Command command_;  // scratch: parsing into it again reuses its memory
};

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_KV_MACHINE_H_
