// What a request needs its caller to be allowed: a role, and keys. Read off the request itself,
// so nothing that is asked of a node goes unjudged.
#ifndef LOCKSTEP_NET_ACCESS_NEED_H_
#define LOCKSTEP_NET_ACCESS_NEED_H_

#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/proto/client.pb.h"
#include "core/proto/gateway.pb.h"
#include "net/access/access_policy.h"

namespace lockstep::net {

struct Need {
  Role role = Role::kNone;
  std::vector<std::string> keys = {};
  std::vector<std::string> ranges = {};  // all keys that begin so
  std::string action = {};  // for people, of what needs kAdmin: "move shard 3 to group 101"
};

Need NeedOf(const proto::GatewayRequest& request);
Need NeedOf(const proto::ClientRequest& request);

// Whether an encoded request may need kAdmin; false: certainly not. Cheap; total.
bool MayNeedAdmin(const Bytes& request);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_ACCESS_NEED_H_
