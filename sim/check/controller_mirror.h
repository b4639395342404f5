// The configurations of the cluster, as the controller's committed log makes them: the same state
// machine, run once more beside the cluster's replicas on a table of its own.
#ifndef LOCKSTEP_SIM_CHECK_CONTROLLER_MIRROR_H_
#define LOCKSTEP_SIM_CHECK_CONTROLLER_MIRROR_H_

#include <vector>

#include "core/controller/controller_machine.h"
#include "core/runtime/memory_table.h"

namespace lockstep::sim {

class ControllerMirror {
 public:
  explicit ControllerMirror(const controller::ControllerOptions& options) : machine_(options) {
    machine_.Load(table_);
  }

  void OnCommitted(const Entry& entry) {
    if (!IsForMachine(entry.kind)) return;
    machine_.Apply(entry, table_);
    if (machine_.newest().num.value() == all_.size()) all_.push_back(machine_.newest());
  }

  const controller::Configuration& newest() const { return all_.back(); }
  // Null: there is none of that number.
  const controller::Configuration* At(uint64_t num) const {
    return num < all_.size() ? &all_[num] : nullptr;
  }

 private:
  MemoryTable table_;
  controller::ControllerMachine machine_;
  std::vector<controller::Configuration> all_{controller::Configuration{}};  // by number
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_CONTROLLER_MIRROR_H_
