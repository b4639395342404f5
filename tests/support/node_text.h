// Storage jobs, client requests and replies as text, for the node scripts.
#ifndef LOCKSTEP_TESTS_SUPPORT_NODE_TEXT_H_
#define LOCKSTEP_TESTS_SUPPORT_NODE_TEXT_H_

#include <string>

#include "core/base/bytes.h"
#include "core/runtime/journal.h"
#include "core/runtime/storage_job.h"
#include "tests/support/datadriven.h"

namespace lockstep::test {

// "write g1: term=1 vote=1 [1.1 noop]; g2: ...", "apply g1: 2..3", "query g1: r7 d1", ... What a
// group says to itself is told where it is applied: "apply g5: 4..4 (sweep shard 1@7)".
std::string Describe(const StorageJob& job);

// The encoded ClientRequest that the rest of the command says: `register`, `put k v`, `append k v`,
// `get k`, each with group=1 and, for commands, session=2 sequence=1; `transfer to=2`; `nothing`.
Bytes ParseRequest(Command& command);

// "OK index=3", "NOT_LEADER leader=2: not the leader: try node 2".
std::string DescribeReply(const Bytes& reply);

// Empty for notes that no script needs.
std::string Describe(const Note& note);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_NODE_TEXT_H_
