// The history with what the committed log says of operations that never returned.
//
// A command with a session is found by its name. One that went by a gateway's session has none: of
// the executions of what it asked for, those that nobody else accounts for are its own, or of
// others like it. Those that began first are given the first of them, which is possible if anything
// is.
#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "sim/workload/recorder.h"

namespace lockstep::sim {
namespace {

using Content = std::pair<uint32_t, uint64_t>;  // the shard, and what was asked for

Content ContentOf(const CommandIdentity& command) { return {command.shard, command.content}; }

bool IsNameless(const CommandIdentity& command) {
  return command.sequence == 0 && command.content != 0;
}

}  // namespace

// By place in open_; none: nowhere.
std::vector<Index> Recorder::PlacesOfOpen(FirstOf first_of, ExecutionsOf executions_of) const {
  std::vector<Index> places(open_.size());
  absl::btree_map<Content, absl::btree_set<Index>> accounted;
  absl::btree_map<Content, std::vector<size_t>> nameless;
  for (const Executed& one : executed_) accounted[ContentOf(one.command)].insert(one.index);
  for (size_t i = 0; i < open_.size(); ++i) {
    const CommandIdentity& command = open_[i].second;
    if (IsNameless(command)) {
      nameless[ContentOf(command)].push_back(i);
    } else {
      places[i] = first_of(command);
      accounted[ContentOf(command)].insert(places[i]);
    }
  }
  for (auto& [content, waiting] : nameless) {
    std::sort(waiting.begin(), waiting.end(), [this](size_t a, size_t b) {
      return std::pair(history_.operations[open_[a].first].invoked, a) <
             std::pair(history_.operations[open_[b].first].invoked, b);
    });
    auto next = waiting.begin();
    for (const Index version : executions_of(open_[waiting.front()].second)) {
      if (next == waiting.end()) break;
      if (accounted[content].contains(version)) continue;
      places[*next] = version;
      ++next;
    }
  }
  return places;
}

linearizability::History Recorder::HistoryByLog(FirstOf first_of,
                                                ExecutionsOf executions_of) const {
  const std::vector<Index> places = PlacesOfOpen(first_of, executions_of);
  linearizability::History result;
  result.operations.reserve(history_.operations.size());
  size_t open = 0;
  for (size_t i = 0; i < history_.operations.size(); ++i) {
    if (open == open_.size() || open_[open].first != i) {
      result.operations.push_back(history_.operations[i]);
      continue;
    }
    const Index index = places[open];
    ++open;
    if (!index) continue;
    result.operations.push_back(history_.operations[i]);
    result.operations.back().witness = linearizability::Witness{.epoch = 0, .index = index.value()};
  }
  return result;
}

}  // namespace lockstep::sim
