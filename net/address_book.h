// The nodes of the cluster as this one knows them: ids, addresses, incarnations; and which of them
// are its controllers now. Grows by configuration, by handshakes, and by what other nodes know.
// Loop thread only.
//
// Invariant: no id is 0, and an id keeps the incarnation that was seen first, for as long as the
// book lives.
#ifndef LOCKSTEP_NET_ADDRESS_BOOK_H_
#define LOCKSTEP_NET_ADDRESS_BOOK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/proto/transport.pb.h"

namespace lockstep::net {

class AddressBook {
 public:
  // Together they keep the whole book within one frame of a handshake. An address that is longer,
  // or holds what none does, says nothing.
  static constexpr size_t kNodesMax = 1024;
  static constexpr size_t kAddressBytesMax = 288;  // of the longest name there is, and its port

  // From the node itself: replaces what was known. False: it has no id, or that is known with
  // another incarnation.
  bool Introduce(const proto::NodeAddress& address);
  // From hearsay or configuration: fills in what is not known. True: something was new.
  bool Mention(const proto::NodeAddress& address);

  // From an operator: replaces the peer address of a node that has never introduced itself to
  // anybody. True: something was new.
  bool Correct(NodeId node, const std::string& peer_address);

  // Who the controllers are, by their own configuration with the id `membership`. What is older, or
  // is no set of at most kNodesMax nodes, changes nothing.
  void LearnControllers(const proto::ControllerNodes& controllers);
  // The newest that was learnt; membership 0: nothing was, they are those of the beginning.
  const proto::ControllerNodes& controllers() const { return controllers_; }

  // nullptr: not known.
  const proto::NodeAddress* Find(NodeId node) const;
  // Ascending.
  std::vector<proto::NodeAddress> All() const;
  bool changed() const { return changed_; }  // since the last Saved
  void Saved() { changed_ = false; }

 private:
  absl::btree_map<NodeId, proto::NodeAddress> nodes_;
  proto::ControllerNodes controllers_;
  bool changed_ = false;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_ADDRESS_BOOK_H_
