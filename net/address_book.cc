#include "net/address_book.h"

#include <algorithm>
#include <functional>

#include "absl/strings/ascii.h"

namespace lockstep::net {
namespace {

// Strangers may say anything; what no address holds would only be dialled in vain and passed on.
bool IsAddress(const std::string& text) {
  return text.size() <= AddressBook::kAddressBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c != ' ' && !absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

// As it is, without what is no address.
proto::NodeAddress Cleaned(proto::NodeAddress address) {
  for (std::string* text :
       {address.mutable_peer(), address.mutable_grpc(), address.mutable_http()}) {
    if (!IsAddress(*text)) text->clear();
  }
  return address;
}

// True: there was something to take.
bool Fill(const std::string& from, std::string* to) {
  if (from.empty() || !to->empty()) return false;
  *to = from;
  return true;
}

bool Replace(const std::string& from, std::string* to) {
  if (from.empty() || *to == from) return false;
  *to = from;
  return true;
}

}  // namespace

bool AddressBook::Introduce(const proto::NodeAddress& said) {
  if (said.node() == 0) return false;
  const proto::NodeAddress address = Cleaned(said);
  const NodeId node(address.node());
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) {
    if (nodes_.size() >= kNodesMax) return true;
    nodes_.emplace(node, address);
    changed_ = true;
    return true;
  }
  proto::NodeAddress& known = found->second;
  if (known.incarnation() != 0 && known.incarnation() != address.incarnation()) return false;
  bool news = known.incarnation() != address.incarnation();
  known.set_incarnation(address.incarnation());
  news |= Replace(address.peer(), known.mutable_peer());
  news |= Replace(address.grpc(), known.mutable_grpc());
  news |= Replace(address.http(), known.mutable_http());
  changed_ |= news;
  return true;
}

bool AddressBook::Mention(const proto::NodeAddress& said) {
  if (said.node() == 0) return false;
  const proto::NodeAddress address = Cleaned(said);
  const NodeId node(address.node());
  const auto found = nodes_.find(node);
  bool news = false;
  if (found == nodes_.end()) {
    if (nodes_.size() >= kNodesMax) return false;
    nodes_.emplace(node, address);
    news = true;
  } else {
    proto::NodeAddress& known = found->second;
    if (known.incarnation() == 0 && address.incarnation() != 0) {
      known.set_incarnation(address.incarnation());
      news = true;
    }
    news |= Fill(address.peer(), known.mutable_peer());
    news |= Fill(address.grpc(), known.mutable_grpc());
    news |= Fill(address.http(), known.mutable_http());
  }
  changed_ |= news;
  return news;
}

bool AddressBook::Correct(NodeId node, const std::string& peer_address) {
  proto::NodeAddress address;
  address.set_node(node.value());
  address.set_peer(peer_address);
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || found->second.incarnation() != 0) return Mention(address);
  const bool news = Replace(Cleaned(address).peer(), found->second.mutable_peer());
  changed_ |= news;
  return news;
}

void AddressBook::LearnControllers(const proto::ControllerNodes& controllers) {
  const auto& nodes = controllers.nodes();
  const bool ascends =
      std::adjacent_find(nodes.begin(), nodes.end(), std::greater_equal<>()) == nodes.end();
  if (nodes.empty() || nodes.Get(0) == 0 || !ascends) return;
  if (static_cast<size_t>(nodes.size()) > kNodesMax) return;
  if (controllers.membership() <= controllers_.membership()) return;
  controllers_ = controllers;
  changed_ = true;
}

const proto::NodeAddress* AddressBook::Find(NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::vector<proto::NodeAddress> AddressBook::All() const {
  std::vector<proto::NodeAddress> all;
  for (const auto& [node, address] : nodes_) all.push_back(address);
  return all;
}

}  // namespace lockstep::net
