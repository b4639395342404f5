// The state machines below the servers' logs: the only place in these scenarios that asks a host
// about one of its groups.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_REPLICAS_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_REPLICAS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/runtime/log.h"
#include "sim/check/cluster_checkers.h"
#include "sim/world/node_host.h"

namespace lockstep::scenario {

// Nothing is being stored, and nobody waits for an answer. Reads may go on: groups of shards never
// cease to ask for configurations.
bool IsAtRest(const sim::NodeHost& host);
// Shows the group's table, which must hold the state at `applied`, to the checkers.
void CompareTable(sim::ClusterCheckers& checkers, const sim::NodeHost& host, GroupId group,
                  LogPosition applied);

enum class Part : uint8_t { kLog, kTable };
// The files of one half of a server's storage.
std::vector<std::string> FilesOf(const sim::NodeHost& host, Part part);
// Bytes that they hold.
uint64_t BytesOnDisk(const sim::NodeHost& host, Part part);

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_REPLICAS_H_
