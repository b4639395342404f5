#include "net/handshake.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/shardkv/options.h"

namespace lockstep::net {
namespace {

// A cluster's name as it is quoted to people: the peer's may be anything.
constexpr size_t kQuotedBytesMax = 256;

// `text` is UTF-8 and stays so: half a character would make the whole message unreadable.
std::string OneLine(absl::string_view text, size_t bytes_max) {
  size_t end = std::min(text.size(), bytes_max);
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;
  std::string line(text.substr(0, end));
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }, ' ');
  return line;
}

void LearnBook(const google::protobuf::RepeatedPtrField<proto::NodeAddress>& learnt, uint64_t self,
               AddressBook& book) {
  for (const proto::NodeAddress& address : learnt) {
    if (address.node() != self) book.Mention(address);
  }
}

proto::Welcome Refuse(proto::Refusal refusal, std::string advice) {
  proto::Welcome welcome;
  welcome.set_refusal(refusal);
  welcome.set_advice(std::move(advice));
  return welcome;
}

// Introduces it, if it is welcome.
proto::Welcome Judge(const proto::Hello& hello, const TlsPeer* certificate,
                     const std::string& cluster, const proto::NodeAddress& self,
                     AddressBook& book) {
  const uint64_t from = hello.from().node();
  const absl::Status certified = CheckCertificate(certificate, NodeId(from));
  if (!certified.ok()) {
    return Refuse(proto::OTHER_CERTIFICATE, std::string(certified.message()));
  }
  if (hello.version() != kPeerProtocolVersion) {
    return Refuse(proto::OTHER_VERSION,
                  absl::StrCat("node ", self.node(), " speaks version ", kPeerProtocolVersion,
                               " of the peer protocol and node ", from, " version ",
                               hello.version(), ": run the same release on both"));
  }
  if (hello.cluster() != cluster) {
    return Refuse(
        proto::OTHER_CLUSTER,
        absl::StrCat("node ", self.node(), " belongs to cluster \"", cluster, "\" and node ", from,
                     " to \"", OneLine(hello.cluster(), kQuotedBytesMax),
                     "\": check --cluster and the addresses in --peers and --join"));
  }
  if (from == self.node()) {
    return Refuse(proto::SAME_NODE,
                  absl::StrCat("id ", from, " is taken by the node at ", self.peer(),
                               ": give each node an id of its own with --node-id"));
  }
  if (hello.to() != 0 && hello.to() != self.node()) {
    return Refuse(proto::OTHER_NODE,
                  absl::StrCat("node ", hello.to(), " was expected at ", self.peer(), " but node ",
                               self.node(), " is there: correct --peers of node ", from));
  }
  if (!book.Introduce(hello.from())) {
    return Refuse(
        proto::OTHER_INCARNATION,
        absl::StrCat("node ", from,
                     " is known here with another data directory: a node that lost "
                     "its data may not come back under its old id; start it with a new --node-id"));
  }
  return proto::Welcome();
}

void TellCluster(const Introduction& introduction, const AddressBook& book,
                 proto::Welcome* welcome) {
  for (const proto::NodeAddress& known : book.All()) *welcome->add_book() = known;
  for (const NodeId controller : introduction.controllers) {
    welcome->add_controllers(controller.value());
  }
  welcome->set_shards(introduction.shards);
  if (book.controllers().membership() == 0) return;
  *welcome->mutable_newest_controllers() = book.controllers();
}

}  // namespace

proto::Hello MakeHello(const std::string& cluster, const proto::NodeAddress& self, NodeId to,
                       node::Channel channel) {
  proto::Hello hello;
  hello.set_version(kPeerProtocolVersion);
  hello.set_cluster(cluster);
  *hello.mutable_from() = self;
  hello.set_to(to.value());
  hello.set_channel(static_cast<uint32_t>(channel));
  return hello;
}

std::optional<proto::Hello> ReadHello(const Bytes& payload) {
  proto::Hello hello;
  const bool readable = hello.ParseFromArray(payload.data(), static_cast<int>(payload.size())) &&
                        hello.channel() < static_cast<uint32_t>(node::kChannels) &&
                        hello.from().node() != 0;
  if (!readable) return std::nullopt;
  return hello;
}

absl::Status CheckCertificate(const TlsPeer* certificate, NodeId node) {
  if (certificate == nullptr || MaySpeakFor(*certificate, node.value())) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "the certificate shown (\"", OneLine(certificate->common_name, kQuotedBytesMax),
      "\") is not that of node ", node.value(), ": its names lack lockstep://node/", node.value(),
      "; give the node the one that lockstep certs create makes for it"));
}

proto::Welcome AnswerHello(const std::optional<proto::Hello>& hello, const TlsPeer* certificate,
                           const std::string& cluster, const Introduction& introduction,
                           AddressBook& book) {
  const proto::NodeAddress& self = introduction.self;
  proto::Welcome welcome =
      hello.has_value()
          ? Judge(*hello, certificate, cluster, self, book)
          : Refuse(proto::MALFORMED,
                   "the hello cannot be read: is it a lockstep node of this version?");
  welcome.set_version(kPeerProtocolVersion);
  welcome.set_cluster(cluster);
  *welcome.mutable_from() = self;
  if (welcome.refusal() != proto::WELCOME) return welcome;
  LearnBook(hello->book(), self.node(), book);
  TellCluster(introduction, book, &welcome);
  return welcome;
}

absl::StatusOr<proto::Welcome> ReadWelcome(const Bytes& payload) {
  proto::Welcome welcome;
  if (!welcome.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return absl::InvalidArgumentError("it answers with something else");
  }
  welcome.set_advice(OneLine(welcome.advice(), kAdviceBytesMax));
  if (welcome.refusal() != proto::WELCOME) return welcome;
  const auto& controllers = welcome.controllers();
  const bool ascend = std::adjacent_find(controllers.begin(), controllers.end(),
                                         std::greater_equal<>()) == controllers.end();
  const bool plausible = welcome.from().node() != 0 && welcome.shards() <= shardkv::kShardsMax &&
                         static_cast<size_t>(controllers.size()) <= AddressBook::kNodesMax &&
                         ascend && (controllers.empty() || controllers.Get(0) != 0);
  if (!plausible) return absl::InvalidArgumentError("it answers with what no node would say");
  return welcome;
}

absl::Status TakeWelcome(const proto::Welcome& welcome, NodeId dialled, NodeId self,
                         AddressBook& book) {
  Check(welcome.refusal() == proto::WELCOME);
  if (welcome.from().node() != dialled.value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("it answers as node ", welcome.from().node(), ", which was not asked"));
  }
  if (!book.Introduce(welcome.from())) {
    return absl::PermissionDeniedError(absl::StrCat(
        "node ", dialled.value(), " has another data directory than before (incarnation ",
        welcome.from().incarnation(),
        "): a node that lost its data may not come back under its old id; give it a new one"));
  }
  LearnBook(welcome.book(), self.value(), book);
  return absl::OkStatus();
}

}  // namespace lockstep::net
