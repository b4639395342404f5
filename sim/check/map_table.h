// A table in memory, for a state machine that a checker runs beside the cluster's.
#ifndef LOCKSTEP_SIM_CHECK_MAP_TABLE_H_
#define LOCKSTEP_SIM_CHECK_MAP_TABLE_H_

#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "core/runtime/state_machine.h"

namespace lockstep::sim {

class MapTable final : public TableWriter {
 public:
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

 private:
  std::map<std::string, std::string> pairs_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_MAP_TABLE_H_
