#include "bin/lockstepd_notify.h"

#include <systemd/sd-daemon.h>

#include "absl/strings/str_cat.h"

namespace lockstep::lockstepd {

void TellServing(const std::string& status) {
  sd_notify(/*unset_environment=*/0, absl::StrCat("READY=1\nSTATUS=", status).c_str());
}

void TellStopping() {
  sd_notify(/*unset_environment=*/0, "STOPPING=1\nSTATUS=leaders hand over, calls are answered");
}

}  // namespace lockstep::lockstepd
