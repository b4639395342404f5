#include "net/rpc/connection_census.h"

#include <sys/stat.h>

#include <optional>
#include <utility>

#include "core/base/check.h"

namespace lockstep::net {
namespace {

// Nothing: the descriptor is closed, or of something else than a socket.
std::optional<ino_t> SocketInode(int descriptor) {
  struct stat about = {};
  if (fstat(descriptor, &about) != 0 || !S_ISSOCK(about.st_mode)) return std::nullopt;
  return about.st_ino;
}

}  // namespace

bool ConnectionCensus::Admit(int descriptor, absl::string_view address) {
  const std::optional<ino_t> inode = SocketInode(descriptor);
  Check(inode.has_value(), "connections are sockets");
  // Whoever had this descriptor before has closed it.
  const auto former = sockets_.find(descriptor);
  if (former != sockets_.end()) {
    Forget(former->second);
    sockets_.erase(former);
  }
  if (!HasRoomFor(address)) ForgetClosed();
  if (!HasRoomFor(address)) return false;
  Socket socket{.inode = *inode, .address = std::string(address.data(), address.size())};
  ++by_address_[socket.address];
  sockets_.emplace(descriptor, std::move(socket));
  return true;
}

bool ConnectionCensus::HasRoomFor(absl::string_view address) const {
  const auto from_there = by_address_.find(address);
  return sockets_.size() < all_max_ &&
         (from_there == by_address_.end() ? 0 : from_there->second) < per_address_max_;
}

void ConnectionCensus::ForgetClosed() {
  absl::erase_if(sockets_, [this](const auto& entry) {
    if (SocketInode(entry.first) == entry.second.inode) return false;
    Forget(entry.second);
    return true;
  });
}

void ConnectionCensus::Forget(const Socket& socket) {
  const auto from_there = by_address_.find(socket.address);
  Check(from_there != by_address_.end());
  if (--from_there->second == 0) by_address_.erase(from_there);
}

}  // namespace lockstep::net
