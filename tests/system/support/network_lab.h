// Machines on one wire, inside this process's network: each node gets a network namespace with one
// interface, and what goes between them passes through here, so that it can be lost and delayed, in
// one direction alone if need be.
//
// The wire is a thread of this process that carries Ethernet frames from one TAP device to another:
// the kernels of test machines often lack netem, and nothing is left behind when the test dies.
// Everybody's own TCP copes with what the wire does to them.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_NETWORK_LAB_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_NETWORK_LAB_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "net/unique_fd.h"

namespace lockstep::system {

// What a link does to each frame.
struct LinkWeather {
  uint32_t lost_permille = 0;
  Duration delay_min{0};
  Duration delay_max{0};  // frames of one link stay in their order
};

// Thread-safe.
class NetworkLab {
 public:
  // Nodes are numbered from 1. An error says what this process is not allowed to do.
  static absl::StatusOr<std::unique_ptr<NetworkLab>> Create(uint16_t nodes, uint64_t seed);
  ~NetworkLab();
  NetworkLab(const NetworkLab&) = delete;
  NetworkLab& operator=(const NetworkLab&) = delete;

  // A node's address, and the path of its namespace for who starts it.
  static std::string AddressOf(uint64_t node);
  std::string NamespaceOf(uint64_t node) const;

  // Between nodes. Clients, in this process, reach all of them whatever is cut here.
  void CutOneWay(uint64_t from, uint64_t to);
  void MendOneWay(uint64_t from, uint64_t to);
  void Cut(uint64_t a, uint64_t b);
  // From all other nodes.
  void Isolate(uint64_t node);
  void MendAll();
  // Of all links between nodes.
  void SetWeather(const LinkWeather& weather);

  uint64_t frames_lost() const;

 private:
  // The client's place is 0.
  struct Place {
    UniqueFd space;  // its namespace; none: this process's own
    UniqueFd tap;
  };
  struct Frame {
    Instant due;
    uint64_t sequence = 0;
    size_t to = 0;
    std::string bytes;
    bool operator>(const Frame& other) const {
      return std::pair(due, sequence) > std::pair(other.due, other.sequence);
    }
  };
  using Link = std::pair<size_t, size_t>;  // from, to

  explicit NetworkLab(uint64_t seed) : rng_(seed) {}
  absl::Status AddPlace(uint64_t number);
  void Carry();
  // What there is to be read, at most a fair share.
  void ReadFrom(size_t place);
  void Accept(size_t from, std::string frame);
  void AcceptFor(size_t from, size_t to, std::string frame);
  void DeliverDue();
  int WaitMs() const;

  std::vector<Place> places_;
  UniqueFd stop_;
  std::thread thread_;

  mutable std::mutex mutex_;  // guards what follows up to the next blank line
  std::map<Link, bool> cut_;
  LinkWeather weather_;
  uint64_t frames_lost_ = 0;

  // The thread's own.
  Rng rng_;
  std::priority_queue<Frame, std::vector<Frame>, std::greater<>> waiting_;
  std::map<Link, Instant> last_due_;
  uint64_t sequence_ = 0;
};

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_NETWORK_LAB_H_
