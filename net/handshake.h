// The first words between two nodes, without the connection that carries them: what each side says,
// and what becomes of what it hears. All of that is untrusted, whoever sent it.
#ifndef LOCKSTEP_NET_HANDSHAKE_H_
#define LOCKSTEP_NET_HANDSHAKE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/node/channel.h"
#include "core/proto/transport.pb.h"
#include "net/address_book.h"
#include "net/tls/tls_channel.h"

namespace lockstep::net {

// Changes with every change of what nodes say to each other that older ones do not understand.
inline constexpr uint32_t kPeerProtocolVersion = 1;

// What a node says of a refusal is one line of at most so many bytes, whatever it sent.
inline constexpr size_t kAdviceBytesMax = 1024;
// What a node tells others of itself and of the cluster.
struct Introduction {
  proto::NodeAddress self;  // without a peer address: where it listens
  std::vector<NodeId>
      controllers;      // of the beginning, for nodes that join; the book has the newest
  uint32_t shards = 0;  // likewise
};

// `to` none: whoever answers.
proto::Hello MakeHello(const std::string& cluster, const proto::NodeAddress& self, NodeId to,
                       node::Channel channel);

// None: no hello that could be answered.
std::optional<proto::Hello> ReadHello(const Bytes& payload);
// The answer, complete. Who is welcome has been introduced to the book, which has learnt what it
// knows; who is not learns why, and nothing changes. `certificate`: what was shown; null: no TLS.
proto::Welcome AnswerHello(const std::optional<proto::Hello>& hello, const TlsPeer* certificate,
                           const std::string& cluster, const Introduction& introduction,
                           AddressBook& book);

// PermissionDenied: the certificate is not that of the node. Null: there is no TLS, and nothing to
// say.
absl::Status CheckCertificate(const TlsPeer* certificate, NodeId node);

// InvalidArgument: no correct node says that. A refusal is a welcome, too: its advice is one line.
absl::StatusOr<proto::Welcome> ReadWelcome(const Bytes& payload);
// That of `dialled`, which does not refuse, into the book of the node `self`. InvalidArgument: it
// is another node's. PermissionDenied, with advice: another incarnation of it is known.
absl::Status TakeWelcome(const proto::Welcome& welcome, NodeId dialled, NodeId self,
                         AddressBook& book);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_HANDSHAKE_H_
