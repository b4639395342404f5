// Somebody at a peer port who speaks another version of the peer protocol: it refuses whoever says
// hello, as a node of that version would.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_NEWER_PEER_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_NEWER_PEER_H_

#include <atomic>
#include <string>
#include <thread>

#include "net/unique_fd.h"

namespace lockstep::system {

class NewerPeer {
 public:
  NewerPeer();
  ~NewerPeer();
  NewerPeer(const NewerPeer&) = delete;
  NewerPeer& operator=(const NewerPeer&) = delete;

  const std::string& address() const { return address_; }
  static constexpr const char* kAdvice = "run the same release on both";

 private:
  void Run();
  void Refuse(int connection);

  UniqueFd listener_;
  std::string address_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_NEWER_PEER_H_
