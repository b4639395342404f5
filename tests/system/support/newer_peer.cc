#include "tests/system/support/newer_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/proto/transport.pb.h"
#include "net/framing.h"
#include "net/peer_transport.h"

namespace lockstep::system {

NewerPeer::NewerPeer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(at);
  auto* const generic = reinterpret_cast<sockaddr*>(&at);
  CheckEq(::bind(listener_.get(), generic, sizeof(at)), 0);
  CheckEq(::getsockname(listener_.get(), generic, &length), 0);
  CheckEq(::listen(listener_.get(), SOMAXCONN), 0);
  address_ = absl::StrCat("127.0.0.1:", ntohs(at.sin_port));
  thread_ = std::thread([this] { Run(); });
}

NewerPeer::~NewerPeer() {
  stopped_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

void NewerPeer::Run() {
  while (!stopped_) {
    const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.valid()) Refuse(connection.get());
  }
}

void NewerPeer::Refuse(int connection) {
  bool greeted = false;
  net::FrameReader reader;
  std::array<char, 4096> buffer;
  while (!greeted) {
    const ssize_t bytes = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (bytes <= 0) return;
    const absl::string_view received(buffer.data(), static_cast<size_t>(bytes));
    const absl::Status fed = reader.Feed(received, [&](net::FrameKind kind, const Bytes&) {
      greeted = kind == net::FrameKind::kHello;
      return false;
    });
    if (!fed.ok()) return;
  }
  proto::Welcome welcome;
  welcome.set_version(net::kPeerProtocolVersion + 1);
  welcome.set_refusal(proto::OTHER_VERSION);
  welcome.set_advice(kAdvice);
  const std::string payload = welcome.SerializeAsString();
  const net::FrameHeader header = net::MakeFrameHeader(net::FrameKind::kWelcome, payload);
  const std::string frame = absl::StrCat(absl::string_view(header.data(), header.size()), payload);
  [[maybe_unused]] const ssize_t ignored =
      ::send(connection, frame.data(), frame.size(), MSG_NOSIGNAL);
}

}  // namespace lockstep::system
