#include "bin/process_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "net/unique_fd.h"

namespace lockstep {
namespace {

// Linux gives outgoing connections ports from 32768.
constexpr uint32_t kFirst = 12'000;
constexpr uint32_t kCount = 20'000;

// A socket bound to the port; invalid: somebody has it.
UniqueFd Bind(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;  // As servers do, so that connections that have ended are no obstacle.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  // With SO_REUSEADDR only listening tells whether somebody else listens.
  if (::bind(fd.get(), any, sizeof(address)) != 0 || ::listen(fd.get(), 1) != 0) fd.Reset();
  return fd;
}

}  // namespace

absl::StatusOr<std::vector<uint16_t>> FreePorts(size_t count) {
  uint32_t start = 0;
  if (::getrandom(&start, sizeof(start), 0) != sizeof(start)) start = 0;
  std::vector<uint16_t> ports;
  std::vector<UniqueFd> held;
  for (uint32_t i = 0; i < kCount && ports.size() < count; ++i) {
    const auto port = static_cast<uint16_t>(kFirst + (start % kCount + i) % kCount);
    UniqueFd fd = Bind(port);
    if (!fd.valid()) continue;
    held.push_back(std::move(fd));
    ports.push_back(port);
  }
  if (ports.size() < count) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no ", count, " free ports from ", kFirst, " to ", kFirst + kCount - 1));
  }
  return ports;
}

bool PortIsFree(uint16_t port) { return Bind(port).valid(); }

}  // namespace lockstep
