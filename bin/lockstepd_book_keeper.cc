#include "bin/lockstepd_book_keeper.h"

#include <chrono>
#include <future>
#include <memory>
#include <utility>
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

// What a changed book holds.
struct News {
  std::vector<proto::NodeAddress> addresses;
  proto::ControllerNodes controllers;
};

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
  proto::ControllerNodes controllers;
  controllers.set_membership(peers.controllers().membership);
  for (const uint64_t node : peers.controllers().nodes) controllers.add_nodes(node);
  book->LearnControllers(controllers);
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
  auto asked = std::make_shared<std::promise<News>>();
  auto arrived = asked->get_future();
  const bool again = std::exchange(again_, true);
  host_.Post([this, asked, again] {
    asked->set_value(again || book_.changed() ? News{book_.All(), book_.controllers()} : News());
    book_.Saved();
  });
  if (arrived.wait_for(kSaveEvery) != std::future_status::ready) return;
  const News news = arrived.get();
  absl::Status saved;
  for (const proto::NodeAddress& address : news.addresses) {
    saved.Update(peers_.Remember(ToPeer(address)));
  }
  saved.Update(peers_.RememberControllers(
      {news.controllers.membership(),
       {news.controllers.nodes().begin(), news.controllers.nodes().end()}}));
  again_ = !saved.ok();
  if (again_ && !again) {
    log::Warn("node", "the address book was not saved, and will be tried again",
              {{"why", saved.message()}});
  }
}

}  // namespace lockstep::lockstepd
