// A table in memory: for a state machine that runs beside a cluster's, or without one.
#ifndef LOCKSTEP_CORE_RUNTIME_MEMORY_TABLE_H_
#define LOCKSTEP_CORE_RUNTIME_MEMORY_TABLE_H_

#include <map>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "core/runtime/state_machine.h"

namespace lockstep {

// Single values and ranges, as TableWriter says.
class MemoryTable final : public TableWriter {
 public:
  MemoryTable() = default;  // empty
  // Holds these.
  explicit MemoryTable(std::map<std::string, std::string> pairs) : pairs_(std::move(pairs)) {}

  bool Get(absl::string_view key, std::string* value) const override {
    const auto found = pairs_.find(std::string(key));
    if (found == pairs_.end()) return false;
    *value = found->second;
    return true;
  }
  void Scan(absl::string_view start,
            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit)
      const override {
    for (auto at = pairs_.lower_bound(std::string(start)); at != pairs_.end(); ++at) {
      if (!visit(at->first, at->second)) return;
    }
  }
  void Put(absl::string_view key, absl::string_view value) override {
    pairs_[std::string(key)] = std::string(value);
  }
  void Delete(absl::string_view key) override { pairs_.erase(std::string(key)); }

  // Everything, ascending.
  const std::map<std::string, std::string>& pairs() const { return pairs_; }

 private:
  std::map<std::string, std::string> pairs_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_MEMORY_TABLE_H_
