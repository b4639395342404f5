// What the checkers know of one replica: its memory as its notes tell it, and what it has promised
// to others, which must outlive its memory.
#ifndef LOCKSTEP_SIM_CHECK_REPLICA_VIEW_H_
#define LOCKSTEP_SIM_CHECK_REPLICA_VIEW_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/raft/group_configuration.h"
#include "core/raft/quorum.h"
#include "sim/check/log_mirror.h"

namespace lockstep::sim {

enum class ReplicaPhase : uint8_t {
  kDown,      // never booted, or crashed: `log` is what its memory held last
  kBooting,   // its notes tell what the disk held
  kFollower,  // or a candidate
  kLeader,
};

// What has left a replica resting on its disk.
struct Promises {
  Term term;   // it has spoken in this term: it must not come back in an earlier one
  Term voted;  // the latest term it granted a vote in, and to whom
  NodeId vote;
  // Its log holds the prefix that ends here, durably: acknowledged to a leader, counted by itself
  // as leader, or covered by an installed snapshot. Taken back only when a leader overrules it.
  Index held;
  ChainLink held_link;
  // The part that was acknowledged to the leader of `match_term`; that leader never takes it back.
  Term match_term;
  Index match;
};

// Where leaders have replaced what a replica held. Of the past it keeps what still decides: later
// terms that replaced less.
class Replacements {
 public:
  void Clear() { list_.clear(); }

  // The leader of `term` replaces the log from `from` on. Terms never go back.
  void Add(Term term, Index from) {
    while (!list_.empty() && list_.back().from >= from) list_.pop_back();
    list_.push_back({term, from});
  }

  // Whether what stood at `index` in `term` was replaced in a later term.
  bool Replaced(Term term, Index index) const {
    const auto later = std::find_if(list_.begin(), list_.end(),
                                    [&](const Replacement& one) { return one.term > term; });
    return later != list_.end() && later->from <= index;
  }

 private:
  struct Replacement {
    Term term;
    Index from;
  };
  std::vector<Replacement> list_;  // ascending in both
};

// What a replica had promised to hold when damage took it: who counts an acknowledgement from
// before has counted right (docs/decisions/0018).
struct Loss {
  Term doubt;  // the promises were made in this term or before
  Promises promises;
  LogMirror log;
};

// A configuration entry that a replica holds.
struct HeldConfiguration {
  raft::GroupConfiguration configuration;
  raft::Membership membership;
};

struct ReplicaView {
  NodeId node;
  ReplicaPhase phase = ReplicaPhase::kDown;
  uint64_t boots = 0;
  Term term;
  NodeId vote;
  LogMirror log;
  std::vector<HeldConfiguration> configurations;  // in its log after the base, ascending
  Replacements replacements;                      // of this life
  Index commit;                                   // of this incarnation: unknown (0) after a boot
  Index applied;
  Index gap_first;  // entries that were skipped in applying; none: no gap. An installed snapshot
  Index gap_final;  // explains them, but may be noted only at the end of the same turn
  Index boot_base;  // the log's base on disk at the last boot: it never moves back
  Promises promises;
  Term doubt;                // it knows that its log has lost something, and must not vote
  uint64_t damages = 0;      // that its disk has suffered, and of which it may lose something
  std::vector<Loss> losses;  // by damage, with all that came of it
  Instant lease_until{};     // of a leader; in the past: it holds none
  // Requests that this life has not answered, and what was committed when each came.
  absl::btree_map<RequestId, Index> asked;

  bool running() const { return phase >= ReplicaPhase::kFollower; }
  bool leads(Term in) const { return phase == ReplicaPhase::kLeader && term == in; }
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_REPLICA_VIEW_H_
