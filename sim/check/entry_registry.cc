#include "sim/check/entry_registry.h"

#include <cstddef>

namespace lockstep::sim {

EntryRegistry::Record EntryRegistry::RecordOf(const Entry& entry, ChainLink link,
                                              NodeId node) const {
  return {.link = link,
          .node = node,
          .command = IdentifyCommand(entry),
          .entry = keeps_contents_ ? entry : Entry{}};
}

const EntryRegistry::Record& EntryRegistry::Meet(const Entry& entry, ChainLink link, NodeId node) {
  CheckLt(floor_, entry.index);
  const size_t slot = entry.index.Since(floor_) - 1;
  if (slot >= records_.size()) records_.resize(slot + 1);
  Record& usual = records_[slot];
  if (usual.link.term == entry.term) return usual;
  if (!usual.link.term) return usual = RecordOf(entry, link, node);
  const auto key = std::make_pair(entry.index, entry.term);
  const auto found = others_.find(key);
  if (found != others_.end()) return found->second;
  return others_.emplace(key, RecordOf(entry, link, node)).first->second;
}

const EntryRegistry::Record* EntryRegistry::Find(Index index, Term term) const {
  if (index <= floor_ || index.Since(floor_) > records_.size()) return nullptr;
  const Record& usual = records_[index.Since(floor_) - 1];
  if (usual.link.term == term) return term ? &usual : nullptr;
  const auto found = others_.find({index, term});
  return found == others_.end() ? nullptr : &found->second;
}

void EntryRegistry::PruneThrough(Index index) {
  if (index <= floor_) return;
  const size_t count = std::min<size_t>(index.Since(floor_), records_.size());
  records_.erase(records_.begin(), records_.begin() + static_cast<ptrdiff_t>(count));
  floor_ = floor_.Plus(count);
  others_.erase(others_.begin(), others_.lower_bound({floor_.Next(), Term()}));
}

}  // namespace lockstep::sim
