// A network and mounts of this test process's own: ports that nobody else can take, devices and
// file systems that vanish with the process, however it ends.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_ISOLATION_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_ISOLATION_H_

#include <string>

#include "absl/status/status.h"

namespace lockstep::system {

// Moves this process into namespaces of its own, whose only interface is the loopback. Before any
// thread is started. Where it is not allowed, nothing changes.
void IsolateThisProcess();

// Whether that went well; otherwise why not, for those who must skip a test.
const absl::Status& Isolation();

// Brings an interface of the calling thread's network up. `address`: of IPv4, in a network of 256;
// empty: it keeps what it has.
absl::Status BringUp(const std::string& interface, const std::string& address);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_ISOLATION_H_
