#include "net/client/store_types.h"

#include "absl/strings/str_cat.h"

namespace lockstep::client {

absl::Status ValidateStoreOptions(const StoreOptions& options) {
  if (options.servers.empty()) {
    return absl::InvalidArgumentError("no servers: name the gRPC address of at least one node");
  }
  for (const std::string& server : options.servers) {
    if (server.find(':') == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("server \"", server, "\" has no port: give host:port"));
    }
  }
  const bool timeouts =
      options.timeout > Duration::zero() && options.connect_timeout > Duration::zero() &&
      options.rediscover_min > Duration::zero() && options.rediscover_max >= options.rediscover_min;
  if (!timeouts) {
    return absl::InvalidArgumentError(
        "timeout, connect_timeout and rediscover_min must be above 0, and rediscover_max not "
        "below rediscover_min");
  }
  const Credentials& credentials = options.credentials;
  const bool certificate = !credentials.certificate.empty();
  if (certificate != !credentials.key.empty() || (certificate && credentials.authorities.empty())) {
    return absl::InvalidArgumentError(
        "credentials: a certificate needs its key, and the authorities that sign the servers'");
  }
  if (options.unfinished_bytes_max == 0) {
    return absl::InvalidArgumentError("unfinished_bytes_max is 0: it must be at least 1");
  }
  RouterOptions router = options.router;
  router.controller_nodes = {NodeId(1)};  // learnt later
  return ValidateRouterOptions(router);
}

Write Write::Put(std::string key, std::string value) {
  return {.kind = Kind::kPut, .key = std::move(key), .value = std::move(value)};
}

Write Write::Append(std::string key, std::string value) {
  return {.kind = Kind::kAppend, .key = std::move(key), .value = std::move(value)};
}

Write Write::Delete(std::string key) { return {.kind = Kind::kDelete, .key = std::move(key)}; }

Write Write::CompareAndSwap(std::string key, std::optional<std::string> expected,
                            std::optional<std::string> value) {
  return {.kind = Kind::kCompareAndSwap,
          .key = std::move(key),
          .value = std::move(value),
          .expected = std::move(expected)};
}

}  // namespace lockstep::client
