// A cluster of real processes on this machine, as long as this object lives.
#ifndef LOCKSTEP_BIN_LOCKSTEP_PLAYGROUND_CLUSTER_H_
#define LOCKSTEP_BIN_LOCKSTEP_PLAYGROUND_CLUSTER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bin/lockstep_api.h"
#include "bin/lockstep_playground_plan.h"
#include "bin/process_child.h"

namespace lockstep::bin {

// What a process writes to a file, line by line.
class LogFollower {
 public:
  // Begins at the file's present end.
  LogFollower(std::string path, std::string prefix);
  // Prints the lines that have come since the last time, each behind the prefix.
  void Print(std::ostream& out);

 private:
  const std::string path_;
  const std::string prefix_;
  uint64_t at_ = 0;  // bytes
};

class PlaygroundCluster {
 public:
  PlaygroundCluster(PlaygroundPlan plan, std::ostream& told);

  const PlaygroundPlan& plan() const { return plan_; }

  // Starts every node, waits for leaders, and joins the groups. An error names what is missing, or
  // the node that has ended. `stop` gives up.
  absl::Status Start(Duration patience, const std::atomic<bool>& stop);

  // Tells of nodes that have ended since the last time, and how to start them again. How many run.
  size_t Watch();
  void PrintLogs(std::ostream& out);
  // Whether a node has ended by itself since the start.
  bool lost() const { return lost_; }

  // SIGTERM to each, SIGKILL to who has not ended within `patience`. Whether all ended with 0.
  bool Stop(Duration patience);

 private:
  struct Node {
    Child child;
    LogFollower log;
    bool told = false;  // that it has ended
  };

  absl::Status StartNodes();
  absl::Status WaitFor(Duration patience, const std::atomic<bool>& stop, const std::string& what,
                       const std::function<bool()>& reached);
  bool HasLeaders(Api& api) const;
  absl::Status JoinGroups(Api& api) const;
  bool AllServed(Api& api) const;

  const PlaygroundPlan plan_;
  std::ostream& told_;
  std::vector<Node> nodes_;  // in the plan's order
  bool lost_ = false;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_PLAYGROUND_CLUSTER_H_
