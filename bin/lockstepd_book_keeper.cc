#include "bin/lockstepd_book_keeper.h"

#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "bin/lockstepd_log.h"

namespace lockstep::lockstepd {
namespace {

constexpr std::chrono::seconds kSaveEvery{1};

Peer ToPeer(const proto::NodeAddress& address) {
  return {.node_id = address.node(),
          .incarnation = address.incarnation(),
          .peer_address = address.peer(),
          .grpc_address = address.grpc(),
          .http_address = address.http()};
}

}  // namespace

void Recall(const PeerBook& peers, uint64_t self, net::AddressBook* book) {
  for (const auto& [node, peer] : peers.peers()) {
    if (node == self) continue;
    proto::NodeAddress address;
    address.set_node(node);
    address.set_incarnation(peer.incarnation);
    address.set_peer(peer.peer_address);
    address.set_grpc(peer.grpc_address);
    address.set_http(peer.http_address);
    book->Mention(address);
  }
}

BookKeeper::BookKeeper(net::UvHost& host, net::AddressBook& book, PeerBook& peers)
    : host_(host), book_(book), peers_(peers), thread_([this] { Run(); }) {}

BookKeeper::~BookKeeper() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void BookKeeper::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_.wait_for(lock, kSaveEvery, [this] { return stopped_; })) {
    lock.unlock();
    Save();
    lock.lock();
  }
}

// The loop thread may end without running the task: then its promise breaks, and there is nothing
// to save.
void BookKeeper::Save() {
  auto asked = std::make_shared<std::promise<std::vector<proto::NodeAddress>>>();
  auto arrived = asked->get_future();
  host_.Post([this, asked] {
    asked->set_value(book_.changed() ? book_.All() : std::vector<proto::NodeAddress>());
    book_.Saved();
  });
  if (arrived.wait_for(kSaveEvery) != std::future_status::ready) return;
  for (const proto::NodeAddress& address : arrived.get()) {
    const absl::Status status = peers_.Remember(ToPeer(address));
    if (!status.ok())
      log::Warn("node", "the address book was not saved", {{"why", status.message()}});
  }
}

}  // namespace lockstep::lockstepd
