#include "tests/system/support/isolation.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "net/unique_fd.h"

namespace lockstep::system {
namespace {

absl::Status& Outcome() {
  static absl::Status outcome = absl::FailedPreconditionError("nobody has tried");
  return outcome;
}

void SetAddress(const std::string& text, sockaddr* out) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  std::memcpy(out, &address, sizeof(address));
}

// The network last: who cannot have all keeps the loopback interface that there is.
absl::Status TryToIsolate() {
  constexpr char kRefused[] =
      "namespaces of its own (network, mounts) are not allowed to this process";
  if (::unshare(CLONE_NEWNS) != 0) return absl::ErrnoToStatus(errno, kRefused);
  // Or our mounts would show up in everybody's tree. In a chroot "/" is no mount.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return absl::ErrnoToStatus(errno, "mounts cannot be made private");
  }
  if (::unshare(CLONE_NEWNET) != 0) return absl::ErrnoToStatus(errno, kRefused);
  return BringUp("lo", "");
}

}  // namespace

void IsolateThisProcess() { Outcome() = TryToIsolate(); }

const absl::Status& Isolation() { return Outcome(); }

absl::Status BringUp(const std::string& interface, const std::string& address) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  bool done = socket.valid();
  if (done && !address.empty()) {
    SetAddress(address, &request.ifr_addr);
    done = ::ioctl(socket.get(), SIOCSIFADDR, &request) == 0;
    SetAddress("255.255.255.0", &request.ifr_netmask);
    done = done && ::ioctl(socket.get(), SIOCSIFNETMASK, &request) == 0;
  }
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  done = done && ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  if (!done) return absl::ErrnoToStatus(errno, absl::StrCat(interface, " cannot be brought up"));
  return absl::OkStatus();
}

}  // namespace lockstep::system
