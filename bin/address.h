// Who can connect to an address.
#ifndef LOCKSTEP_BIN_ADDRESS_H_
#define LOCKSTEP_BIN_ADDRESS_H_

#include "core/base/address.h"

namespace lockstep {

// Whether it stands for every interface, so that nobody can be told to connect to it.
bool IsWildcard(const Address& address);

// Whether only this machine can connect to it. A name other than localhost is taken for one that
// others can.
bool IsLoopback(const Address& address);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_ADDRESS_H_
