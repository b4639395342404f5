// Which nodes a playground has, and how each is started.
#ifndef LOCKSTEP_BIN_LOCKSTEP_PLAYGROUND_PLAN_H_
#define LOCKSTEP_BIN_LOCKSTEP_PLAYGROUND_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bin/process_child.h"

namespace lockstep::bin {

struct PlaygroundOptions {
  std::string directory;            // of the whole cluster; it is there
  std::string lockstepd;            // the program
  bool split = false;               // nine nodes: three controllers, two groups of three
  std::vector<std::string> extras;  // more flags for every node
};

struct PlaygroundNode {
  uint64_t id = 0;
  std::string holds;  // "controller, 101, 102"
  std::string grpc;   // host:port each
  std::string http;
  std::string log;  // the file
  ChildOptions start;
};

struct PlaygroundPlan {
  std::vector<PlaygroundNode> nodes;
  std::vector<uint64_t> groups;

  std::vector<std::string> grpc_addresses() const;
};

// How many ports a plan needs: three a node.
size_t PortsNeeded(bool split);
// REQUIRES: as many ports.
PlaygroundPlan MakePlan(const PlaygroundOptions& options, const std::vector<uint16_t>& ports);

// The command line as a person would type it.
std::string CommandOf(const ChildOptions& start);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_PLAYGROUND_PLAN_H_
