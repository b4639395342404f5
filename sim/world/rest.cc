#include "sim/world/rest.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::sim {

void Rest::Judge(bool prompt, uint64_t internal_entries, Findings& findings) const {
  constexpr uint64_t kForgiven = 1;  // one in many thousands is not never
  const auto report = [&findings](const char* property, std::string evidence) {
    findings.Report(
        {.kind = ViolationKind::kLiveness, .property = property, .evidence = std::move(evidence)});
  };
  for (const auto& [group, times] : replaced_) {
    if (times <= kForgiven || !prompt) continue;
    report("Stability",
           absl::StrCat("nothing went wrong but false alarms, and a healthy leader of group ",
                        group.value(), " was replaced ", times, " times"));
  }
  if (internal_entries > entries_at_begin_) {
    report("Idle Growth",
           absl::StrCat("nothing moves, but shard groups wrote ",
                        internal_entries - entries_at_begin_, " entries into their logs"));
  }
}

}  // namespace lockstep::sim
