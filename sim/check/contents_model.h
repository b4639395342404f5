// What one shard holds, and held at each of its versions: the operations in their smallest form,
// executed in the order of the committed log. Judges reads that may see an old state, and says what
// was executed how often where no session can tell.
//
// Kept apart from the key-value machine, so that its answers are checked and not believed.
#ifndef LOCKSTEP_SIM_CHECK_CONTENTS_MODEL_H_
#define LOCKSTEP_SIM_CHECK_CONTENTS_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"

namespace lockstep::sim {

// The single writes that a command is made of; none: it writes nothing.
std::vector<proto::BatchOperation> WritesOf(const proto::Command& command);
// What a write asks for, as a number that is never 0: equal for equal ones, whoever asks.
uint64_t ContentOf(const proto::BatchOperation& write);

class ContentsModel {
 public:
  // The command takes effect at `version`, above all earlier ones.
  void Execute(Index version, const proto::Command& command);

  // What the key held at the version; nullopt: it was missing.
  std::optional<std::string> At(absl::string_view key, Index version) const;
  // Whether the key ever held this; nullopt: was missing, as all are to begin with.
  bool EverHeld(absl::string_view key, const std::optional<std::string>& value) const;
  // The versions at which such a write was executed; failed comparisons are executed too.
  const std::vector<Index>& ExecutionsOf(uint64_t content) const;
  const absl::btree_map<uint64_t, std::vector<Index>>& executions() const { return executions_; }

 private:
  using Value = std::optional<std::string>;

  Value Newest(const std::string& key) const;
  bool Holds(const proto::CompareAndSwap& swap) const;
  void Write(Index version, const proto::BatchOperation& write);

  absl::btree_map<std::string, std::vector<std::pair<Index, Value>>> values_;  // ascending versions
  absl::btree_map<uint64_t, std::vector<Index>> executions_;                   // by content
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_CONTENTS_MODEL_H_
