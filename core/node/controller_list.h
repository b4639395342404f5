// Whom to ask for configurations: the controllers of the newest configuration that was heard of,
// one after the other; when all of them have been asked in vain, those of the beginning as well.
#ifndef LOCKSTEP_CORE_NODE_CONTROLLER_LIST_H_
#define LOCKSTEP_CORE_NODE_CONTROLLER_LIST_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "core/proto/shard.pb.h"

namespace lockstep::node {

// All of both, each once; the newest first.
inline std::vector<NodeId> NewestFirst(std::vector<NodeId> newest,
                                       const std::vector<NodeId>& beginning) {
  for (const NodeId node : beginning) {
    if (std::find(newest.begin(), newest.end(), node) == newest.end()) newest.push_back(node);
  }
  return newest;
}

class ControllerList {
 public:
  explicit ControllerList(const std::vector<NodeId>& beginning)
      : beginning_(beginning), known_count_(beginning.size()), all_(beginning) {}

  // Older ones than what is known change nothing.
  void Learn(const proto::Controllers& controllers) {
    if (controllers.membership() <= newest_.membership() || controllers.nodes().empty()) return;
    newest_ = controllers;
    std::vector<NodeId> newest;
    for (const uint64_t node : controllers.nodes()) newest.push_back(NodeId(node));
    known_count_ = newest.size();
    all_ = NewestFirst(std::move(newest), beginning_);
    asked_in_vain_ = 0;
  }
  // Of membership 0: nobody told of others than those of the beginning.
  const proto::Controllers& newest() const { return newest_; }
  // Somebody had something to tell. That there is nothing new is no proof: who was replaced long
  // ago says so for ever.
  void Answered() { asked_in_vain_ = 0; }

  // Another one each time: one may be dead, or behind. None: nobody is known.
  NodeId Next() {
    const size_t count = asked_in_vain_ < known_count_ ? known_count_ : all_.size();
    if (count == 0) return NodeId();
    ++asked_in_vain_;
    return all_[next_++ % count];
  }

 private:
  const std::vector<NodeId> beginning_;
  proto::Controllers newest_;
  size_t known_count_;       // the first of all_: by the newest configuration
  std::vector<NodeId> all_;  // and the others of the beginning
  size_t asked_in_vain_ = 0;
  size_t next_ = 0;
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_CONTROLLER_LIST_H_
