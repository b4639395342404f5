// One line of text for a command of the controller: short, stable, printable. Results are described
// by core/kv/describe.h, configurations by configuration.h.
#ifndef LOCKSTEP_CORE_CONTROLLER_DESCRIBE_H_
#define LOCKSTEP_CORE_CONTROLLER_DESCRIBE_H_

#include <string>

#include "core/proto/client.pb.h"

namespace lockstep::controller {

// "s7 #3>=2 join 5 with 3 members, 6 with 1 member; 64 shards". Groups beyond the eighth are only
// counted. Commands that are not the controller's alone are described as kv::Describe does.
std::string Describe(const proto::Command& command);
// "configuration 7", "newest configuration".
std::string Describe(const proto::Query& query);

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_DESCRIBE_H_
