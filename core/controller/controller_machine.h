// The shard controller as a replicated state machine: numbered configurations, made by join, leave,
// move and unpin.
//
// Apply is total: bytes that are no command, or one that validation refuses, change nothing. What
// only the state can refuse (a gid that is taken, an unknown one, the last group) is executed, and
// the refusal kept as that command's reply, so that a retry gets the same answer whatever has
// happened since; a retried join makes no second configuration.
#ifndef LOCKSTEP_CORE_CONTROLLER_CONTROLLER_MACHINE_H_
#define LOCKSTEP_CORE_CONTROLLER_CONTROLLER_MACHINE_H_

#include <memory>

#include "core/controller/history.h"
#include "core/controller/options.h"
#include "core/kv/sessions.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::controller {

class ControllerMachine final : public StateMachine {
 public:
  explicit ControllerMachine(const ControllerOptions& options);

  void Load(const TableReader& table) override;
  // The codes are OK, ALREADY_EXISTS, NOT_FOUND, FAILED_PRECONDITION (see changes.h),
  // INVALID_ARGUMENT, TOO_LARGE, SESSION_UNKNOWN and SEQUENCE_STALE. Result.index is set when this
  // command was executed or settled by a log entry: for a replay, the entry that did so first.
  // Result.configuration_num is the newest as of that entry: of a change, the one that it made. It
  // is 0 when nothing was executed.
  Bytes Apply(const Entry& entry, TableWriter& table) override;
  // Result.index is applied.index, Result.configuration_num the newest. NOT_FOUND names what is
  // kept.
  Bytes Query(const Bytes& query, LogPosition applied, const TableReader& table) const override;

  const Configuration& newest() const { return history_.newest(); }
  size_t sessions() const { return sessions_.size(); }

 private:
  void ApplyCommand(const proto::Command& command, Index index, TableWriter& table,
                    proto::Result* result);
  void ApplyInSession(const proto::Command& command, Index index, TableWriter& table,
                      proto::Result* result);
  kv::StoredReply Execute(const proto::Command& command, TableWriter& table);

  const ControllerOptions options_;
  kv::Sessions sessions_;
  History history_;
};

class ControllerMachineFactory final : public MachineFactory {
 public:
  explicit ControllerMachineFactory(const ControllerOptions& options) : options_(options) {}
  std::unique_ptr<StateMachine> Make(GroupId) const override {
    return std::make_unique<ControllerMachine>(options_);
  }

 private:
  const ControllerOptions options_;
};

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_CONTROLLER_MACHINE_H_
