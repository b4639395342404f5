// Requests at the door between fronts and node: whatever the bytes are, what gets through is what
// the node would understand and the caller may do.
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/gateway/gateway.h"
#include "net/access/access_policy.h"
#include "net/access/door.h"
#include "net/access/need.h"

namespace lockstep::fuzz {
namespace {

constexpr char kPolicy[] =
    R"({"principals": [{"name": "reader", "certificate": "reader", "role": "read"},
                       {"name": "scoped", "certificate": "scoped", "role": "write",
                        "prefixes": ["a"]}]})";

class Counting final : public net::Service {
 public:
  void Call(Bytes, Done) override { ++passed; }
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override { passed += calls.size(); }
  size_t passed = 0;
};

template <class Message>
bool Reads(const Bytes& bytes, net::Need* need) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  *need = net::NeedOf(message);
  return true;
}

bool Passes(net::Door& door, Counting& service, const char* who, const Bytes& request) {
  service.passed = 0;
  bool answered = false;
  door.Call([&] { return net::Caller{.certificate = who}; }, request,
            [&](const Bytes& reply) { answered = !reply.empty(); });
  Check((service.passed == 1) != answered);
  return service.passed == 1;
}

void RunAccessRequest(absl::string_view text) {
  static const auto policy = *net::AccessPolicy::Parse(kPolicy);
  Counting service;
  net::Door door(service, std::make_shared<net::Guard>(policy));
  const Bytes request = Bytes::Copy(text);
  net::Need need;
  const bool sound = gateway::IsGatewayRequest(request)
                         ? Reads<proto::GatewayRequest>(request, &need)
                         : Reads<proto::ClientRequest>(request, &need);
  const bool reader = Passes(door, service, "reader", request);
  const bool scoped = Passes(door, service, "scoped", request);
  if (!sound) return;  // The node refuses it.
  if (need.role == net::Role::kAdmin) Check(net::MayNeedAdmin(request));
  CheckEq(reader, need.role <= net::Role::kRead);
  bool covered = need.role <= net::Role::kWrite;
  for (const auto* touched : {&need.keys, &need.ranges}) {
    for (const std::string& key : *touched) covered = covered && key.rfind('a', 0) == 0;
  }
  CheckEq(scoped, covered);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunAccessRequest({reinterpret_cast<const char*>(data), size});
  return 0;
}
