// One line of text for a command, a query or a result: short, stable, printable. For traces and
// people.
#ifndef LOCKSTEP_CORE_KV_DESCRIBE_H_
#define LOCKSTEP_CORE_KV_DESCRIBE_H_

#include <string>

#include "core/proto/client.pb.h"

namespace lockstep::kv {

// "s7 #3>=2 put "k"="v"": session, sequence, first_outstanding. Bytes are escaped, and cut after 24
// with their length.
std::string Describe(const proto::Command& command);
// What stands there before the operation: "s7 #3>=2 ".
std::string DescribePlace(const proto::Command& command);
std::string Describe(const proto::Query& query);
// "OK @12 value="v"": the code, the index, what it carries.
std::string Describe(const proto::Result& result);

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_DESCRIBE_H_
