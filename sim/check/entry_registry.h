// Every entry that any replica of a group ever held, by (index, term). Raft creates at most one
// entry with an index and a term, and it follows one prefix only (Log Matching, Raft §5.3): so all
// who hold it must agree on its chain hash.
//
// Almost always one term per index exists, so those lie in a vector; the others, left behind by
// deposed leaders, in a map.
#ifndef LOCKSTEP_SIM_CHECK_ENTRY_REGISTRY_H_
#define LOCKSTEP_SIM_CHECK_ENTRY_REGISTRY_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "sim/check/command_identity.h"
#include "sim/check/log_mirror.h"

namespace lockstep::sim {

class EntryRegistry {
 public:
  struct Record {
    ChainLink link;
    NodeId node;  // who held it first, for the evidence
    CommandIdentity command;
    Entry entry;  // where contents are kept
  };

  // `keeps_contents`: somebody wants to see what is committed.
  explicit EntryRegistry(bool keeps_contents) : keeps_contents_(keeps_contents) {}

  // Registers the entry, or finds the one that was there before: the caller compares the chains.
  const Record& Meet(const Entry& entry, ChainLink link, NodeId node);
  // nullptr: nobody ever held such an entry, or it has been pruned.
  const Record* Find(Index index, Term term) const;
  Index floor() const { return floor_; }  // entries up to here have been forgotten
  // Forgets the entries up to `index`.
  void PruneThrough(Index index);

 private:
  Record RecordOf(const Entry& entry, ChainLink link, NodeId node) const;

  const bool keeps_contents_;
  Index floor_;                  // records_[0] is at floor_ + 1
  std::vector<Record> records_;  // term 0: nobody has held an entry here yet
  absl::btree_map<std::pair<Index, Term>, Record> others_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_ENTRY_REGISTRY_H_
