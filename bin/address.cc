#include "bin/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace lockstep {

bool IsWildcard(const Address& address) {
  return address.host == "0.0.0.0" || address.host == "::" || address.host == "*";
}

bool IsLoopback(const Address& address) {
  sockaddr_in v4 = {};
  if (inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
    return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
  }
  return address.host == "localhost" || address.host == "::1";
}

}  // namespace lockstep
