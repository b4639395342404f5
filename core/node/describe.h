// One line of text for commands of any group, and for whatever nodes say to each other.
#ifndef LOCKSTEP_CORE_NODE_DESCRIBE_H_
#define LOCKSTEP_CORE_NODE_DESCRIBE_H_

#include <string>

#include "core/base/bytes.h"
#include "core/proto/client.pb.h"

namespace lockstep::node {

std::string Describe(const proto::Command& command);
std::string Describe(const proto::Query& query);
// A message from node to node, as bytes. Total.
std::string DescribeMessage(const Bytes& message);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_DESCRIBE_H_
