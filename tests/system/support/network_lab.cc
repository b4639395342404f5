#include "tests/system/support/network_lab.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tests/system/support/isolation.h"
#include "tests/system/support/patience.h"

namespace lockstep::system {
namespace {

constexpr size_t kFrameBytesMax = 2048;
constexpr size_t kMacBytes = 6;
constexpr size_t kFramesWaitingMax = 65'536;  // more are lost, as in any switch
constexpr int kFramesAtATime = 64;
constexpr uint8_t kBroadcastBit = 1;
// Locally administered; the last byte is the place.
constexpr std::array<uint8_t, kMacBytes> kMac = {0x02, 0x4c, 0x53, 0x00, 0x00, 0x00};
constexpr const char* kInterface = "wire0";

// A TAP device in the calling thread's network, with the place's addresses.
absl::StatusOr<UniqueFd> OpenTap(uint64_t place) {
  UniqueFd tap(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tap.valid()) return absl::ErrnoToStatus(errno, "/dev/net/tun cannot be opened");
  ifreq request = {};
  std::strncpy(request.ifr_name, kInterface, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(tap.get(), TUNSETIFF, &request) != 0) {
    return absl::ErrnoToStatus(errno, "a TAP device cannot be made");
  }
  std::array<uint8_t, kMacBytes> mac = kMac;
  mac.back() = static_cast<uint8_t>(place);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::memcpy(request.ifr_hwaddr.sa_data, mac.data(), mac.size());
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::ioctl(socket.get(), SIOCSIFHWADDR, &request) != 0) {
    return absl::ErrnoToStatus(errno, "a TAP device cannot be given its hardware address");
  }
  const absl::Status up = BringUp(kInterface, NetworkLab::AddressOf(place));
  if (!up.ok()) return up;
  return tap;
}

}  // namespace

std::string NetworkLab::AddressOf(uint64_t node) {
  constexpr uint64_t kClientHost = 200;
  return absl::StrCat("10.77.0.", node == 0 ? kClientHost : node);
}

std::string NetworkLab::NamespaceOf(uint64_t node) const {
  return absl::StrCat("/proc/", ::getpid(), "/fd/", places_[node].space.get());
}

absl::StatusOr<std::unique_ptr<NetworkLab>> NetworkLab::Create(uint16_t nodes, uint64_t seed) {
  if (!Isolation().ok()) return Isolation();
  std::unique_ptr<NetworkLab> lab(new NetworkLab(seed));
  for (uint64_t number = 0; number <= nodes; ++number) {
    absl::Status added;
    // A namespace belongs to a thread: this one lives just as long as it takes to make one.
    std::thread([&] { added = lab->AddPlace(number); }).join();
    if (!added.ok()) return added;
  }
  lab->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  lab->thread_ = std::thread([wire = lab.get()] { wire->Carry(); });
  return lab;
}

absl::Status NetworkLab::AddPlace(uint64_t number) {
  Place place;
  if (number > 0) {
    if (::unshare(CLONE_NEWNET) != 0) {
      return absl::ErrnoToStatus(errno, "a network namespace cannot be made");
    }
    const absl::Status up = BringUp("lo", "");
    if (!up.ok()) return up;
    place.space = UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!place.space.valid()) return absl::ErrnoToStatus(errno, "a namespace cannot be held");
  }
  absl::StatusOr<UniqueFd> tap = OpenTap(number);
  if (!tap.ok()) return tap.status();
  place.tap = *std::move(tap);
  places_.push_back(std::move(place));
  return absl::OkStatus();
}

NetworkLab::~NetworkLab() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof(one)) == sizeof(one)) thread_.join();
}

// --- Orders

void NetworkLab::CutOneWay(uint64_t from, uint64_t to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  cut_[{from, to}] = true;
}

void NetworkLab::MendOneWay(uint64_t from, uint64_t to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  cut_.erase({from, to});
}

void NetworkLab::Cut(uint64_t a, uint64_t b) {
  CutOneWay(a, b);
  CutOneWay(b, a);
}

void NetworkLab::Isolate(uint64_t node) {
  for (uint64_t other = 1; other < places_.size(); ++other) {
    if (other != node) Cut(node, other);
  }
}

void NetworkLab::MendAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cut_.clear();
}

void NetworkLab::SetWeather(const LinkWeather& weather) {
  const std::lock_guard<std::mutex> lock(mutex_);
  weather_ = weather;
}

uint64_t NetworkLab::frames_lost() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return frames_lost_;
}

// --- The wire

void NetworkLab::Carry() {
  std::vector<pollfd> ready(places_.size() + 1);
  for (size_t i = 0; i < places_.size(); ++i) {
    ready[i] = {.fd = places_[i].tap.get(), .events = POLLIN, .revents = 0};
  }
  ready.back() = {.fd = stop_.get(), .events = POLLIN, .revents = 0};
  while (true) {
    if (::poll(ready.data(), ready.size(), WaitMs()) < 0 && errno != EINTR) return;
    if (ready.back().revents != 0) return;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (ready[i].revents != 0) ReadFrom(i);
    }
    DeliverDue();
  }
}

void NetworkLab::ReadFrom(size_t place) {
  std::array<char, kFrameBytesMax> buffer;
  for (int i = 0; i < kFramesAtATime; ++i) {
    const ssize_t length = ::read(places_[place].tap.get(), buffer.data(), buffer.size());
    if (length < static_cast<ssize_t>(kMacBytes)) return;
    Accept(place, std::string(buffer.data(), static_cast<size_t>(length)));
  }
}

void NetworkLab::Accept(size_t from, std::string frame) {
  const bool broadcast = (static_cast<uint8_t>(frame[0]) & kBroadcastBit) != 0;
  if (!broadcast) {
    const auto to = static_cast<uint8_t>(frame[kMacBytes - 1]);
    if (to < places_.size()) AcceptFor(from, to, std::move(frame));
    return;
  }
  for (size_t to = 0; to < places_.size(); ++to) {
    if (to != from) AcceptFor(from, to, frame);
  }
}

void NetworkLab::AcceptFor(size_t from, size_t to, std::string frame) {
  const bool between_nodes = from != 0 && to != 0;
  Duration delay{0};
  if (between_nodes) {
    constexpr uint64_t kPermille = 1000;
    const uint64_t luck = rng_.Below(kPermille);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (cut_.contains({from, to}) || luck < weather_.lost_permille) {
      ++frames_lost_;
      return;
    }
    delay = rng_.Between(weather_.delay_min, weather_.delay_max);
  }
  if (waiting_.size() >= kFramesWaitingMax) return;
  Instant& last = last_due_[{from, to}];
  last = std::max(last, Now() + delay);
  waiting_.push({.due = last, .sequence = ++sequence_, .to = to, .bytes = std::move(frame)});
}

void NetworkLab::DeliverDue() {
  const Instant now = Now();
  while (!waiting_.empty() && waiting_.top().due <= now) {
    const Frame& frame = waiting_.top();
    // A device that takes no more loses it, as a full queue does.
    [[maybe_unused]] const ssize_t ignored =
        ::write(places_[frame.to].tap.get(), frame.bytes.data(), frame.bytes.size());
    waiting_.pop();
  }
}

int NetworkLab::WaitMs() const {
  if (waiting_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting_.top().due - Now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

}  // namespace lockstep::system
