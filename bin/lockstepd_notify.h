// What a node tells systemd of itself (Type=notify).
#ifndef LOCKSTEP_BIN_LOCKSTEPD_NOTIFY_H_
#define LOCKSTEP_BIN_LOCKSTEPD_NOTIFY_H_

#include <string>

namespace lockstep::lockstepd {

// Nothing happens where no service manager listens ($NOTIFY_SOCKET, sd_notify(3)). Thread-safe.
void TellServing(const std::string& status);
void TellStopping();

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_NOTIFY_H_
