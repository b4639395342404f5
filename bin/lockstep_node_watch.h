// Waits for changes of members that have begun, and tells on stderr how far each group is.
#ifndef LOCKSTEP_BIN_LOCKSTEP_NODE_WATCH_H_
#define LOCKSTEP_BIN_LOCKSTEP_NODE_WATCH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bin/lockstep_node_text.h"
#include "bin/lockstep_shell.h"

namespace lockstep::bin {

// What was asked for, in every group.
struct NodeWish {
  uint64_t comes = 0;  // 0: nobody
  uint64_t goes = 0;   // 0: nobody
  bool learner = false;
};

class NodeWatch {
 public:
  // All outlive it.
  NodeWatch(Shell& shell, Api& api, const NodeWish& wish) : shell_(shell), api_(api), wish_(wish) {}

  // Until all of them that are begun or unchanged have settled, or nothing has moved for the
  // shell's timeout. Sets what became of each: done, superseded by somebody else's change, or still
  // waiting.
  void Run(std::vector<GroupEnd>& ends);

 private:
  // False: it has come to its end.
  bool Look(GroupEnd& end, const v1::StatusResponse& status);
  bool IsGranted(const v1::ReplicaStatus& leading) const;
  void Tell(const GroupEnd& end, const std::string& progress);

  Shell& shell_;
  Api& api_;
  const NodeWish wish_;
  std::map<uint64_t, std::string> told_;  // by group: its last line
  std::map<uint64_t, std::string> seen_;  // by group: what it was, without what moves by itself
  bool moved_ = false;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_NODE_WATCH_H_
