#include "net/rpc/caller.h"

#include <grpc/grpc_security_constants.h>

#include <string>
#include <vector>

namespace lockstep::net {

Caller CallerOf(const grpc::CallbackServerContext& context) {
  Caller caller;
  caller.address = context.peer();
  const auto& fields = context.client_metadata();
  const auto field = fields.find("authorization");
  if (field != fields.end()) {
    const std::string token = TokenIn({field->second.data(), field->second.size()});
    // What is no token is shown all the same, and known to nobody.
    caller.token_digest = TokenDigest(token);
  }
  const std::shared_ptr<const grpc::AuthContext> shown = context.auth_context();
  if (shown == nullptr || !shown->IsPeerAuthenticated()) return caller;
  const std::vector<grpc::string_ref> names = shown->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  if (!names.empty()) caller.certificate.assign(names.front().data(), names.front().size());
  return caller;
}

}  // namespace lockstep::net
