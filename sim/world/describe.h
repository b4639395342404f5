// One stable line for everything that a trace shows. Slow; only for readers.
#ifndef LOCKSTEP_SIM_WORLD_DESCRIBE_H_
#define LOCKSTEP_SIM_WORLD_DESCRIBE_H_

#include <string>

#include "core/base/bytes.h"
#include "core/runtime/journal.h"
#include "core/runtime/storage_job.h"

namespace lockstep::sim {

std::string DescribePeer(const Bytes& message);     // what servers say to each other
std::string DescribeRequest(const Bytes& request);  // what a client asks
std::string DescribeReply(const Bytes& reply);      // what it is answered
std::string DescribeJob(const StorageJob& job);
std::string DescribeNote(const Note& note);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_DESCRIBE_H_
