#include "net/rpc/tls_server_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <atomic>
#include <string>
#include <utility>

namespace lockstep::net {
namespace {

grpc_ssl_client_certificate_request_type RequestOf(TlsDemand demand) {
  switch (demand) {
    case TlsDemand::kNone:
      return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    case TlsDemand::kIfGiven:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    case TlsDemand::kVerified:
      return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
}

// gRPC's own C++ credentials read their certificates once, or from files whose contents they do not
// look at; its C interface asks before each handshake.
class Fetching final : public grpc::ServerCredentials {
 public:
  Fetching(std::shared_ptr<const TlsStore> store, TlsDemand demand)
      : store_(std::move(store)), demand_(demand) {}

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    grpc_server_credentials* const credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(RequestOf(demand_), Fetch,
                                                                        this));
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<Fetching*>(self)->FetchNew(config);
  }

  grpc_ssl_certificate_config_reload_status FetchNew(grpc_ssl_server_certificate_config** config) {
    const uint64_t changes = store_->changes() + 1;
    if (given_.exchange(changes) == changes) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const std::shared_ptr<const TlsCredentials> current = store_->Current();
    const TlsPem& pem = current->pem();
    const grpc_ssl_pem_key_cert_pair pair{.private_key = pem.key.c_str(),
                                          .cert_chain = pem.certificate.c_str()};
    *config = grpc_ssl_server_certificate_config_create(pem.authorities.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::shared_ptr<const TlsStore> store_;
  const TlsDemand demand_;
  std::atomic<uint64_t> given_ = 0;  // changes of the store, and one; 0: nothing was given
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsServerCredentials(std::shared_ptr<const TlsStore> store,
                                                              TlsDemand demand) {
  return std::make_shared<Fetching>(std::move(store), demand);
}

}  // namespace lockstep::net
