// How many connections are open, in all and from each address, when those who own them do not say
// that they close them.
//
// A descriptor that is closed names nothing any more, or another file: so a socket is known by its
// descriptor together with its inode. Nothing is asked of the connection itself.
#ifndef LOCKSTEP_NET_RPC_CONNECTION_CENSUS_H_
#define LOCKSTEP_NET_RPC_CONNECTION_CENSUS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace lockstep::net {

// For one thread. What was closed is noticed when a place is needed; no more is kept than there are
// descriptors.
class ConnectionCensus {
 public:
  ConnectionCensus(uint32_t all_max, uint32_t per_address_max)
      : all_max_(all_max), per_address_max_(per_address_max) {}

  // Whether a connection from this address may stay open. If so it is counted until its descriptor
  // is closed, by whomever.
  bool Admit(int descriptor, absl::string_view address);

 private:
  struct Socket {
    ino_t inode;
    std::string address;
  };

  bool HasRoomFor(absl::string_view address) const;
  void ForgetClosed();
  void Forget(const Socket& socket);

  const uint32_t all_max_;
  const uint32_t per_address_max_;
  absl::flat_hash_map<int, Socket> sockets_;               // by descriptor
  absl::flat_hash_map<std::string, uint32_t> by_address_;  // how many of sockets_; never 0
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_CONNECTION_CENSUS_H_
