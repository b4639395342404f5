#include "sim/faults/fault_kind.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/quoted.h"

namespace lockstep::sim {
namespace {

constexpr std::array<const char*, kFaultKinds> kNames = {
    "loss",
    "duplication",
    "delay",
    "partition",
    "isolation",
    "one-way",
    "bridge",
    "clog",
    "swizzle",
    "queue-limit",
    "crash",
    "pause",
    "majority-crash",
    "disk-stall",
    "disk-slow",
    "power-cut",
    "crash-unheard",
    "power-cut-at-boot",
    "crash-in-write",
    "election-strike",
    "snapshot-strike",
    "promise-strike",
    "leader-isolation",
    "majority-crash-in-write",
    "sync-failure",
    "bit-rot",
    "group-partition",
    "handover-strike",
    "crash-loop",
    "misdirected-write",
    "io-failure",
    "disk-full",
    "disk-wipe",
    "transfer-strike",
};

}  // namespace

absl::string_view FaultName(FaultKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<FaultKind> FaultNamed(absl::string_view name) {
  for (size_t i = 0; i < kFaultKinds; ++i) {
    if (kNames[i] == name) return static_cast<FaultKind>(i);
  }
  return std::nullopt;
}

absl::StatusOr<FaultSet> FaultSet::Parse(absl::string_view text) {
  FaultSet set = None();
  for (absl::string_view word : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const bool remove = word.substr(0, 1) == "-";
    if (remove) word.remove_prefix(1);
    if (word == "all" || word == "none") {
      set = (word == "all") != remove ? All() : None();
      continue;
    }
    const std::optional<FaultKind> kind = FaultNamed(word);
    if (!kind.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown fault kind ", Quoted(word),
                                                     "; known: all, none, ",
                                                     absl::StrJoin(kNames, ", ")));
    }
    if (remove) {
      set.erase(*kind);
    } else {
      set.insert(*kind);
    }
  }
  return set;
}

std::string FaultSet::ToString() const {
  std::vector<absl::string_view> names;
  for (size_t i = 0; i < kFaultKinds; ++i) {
    if (contains(static_cast<FaultKind>(i))) names.push_back(kNames[i]);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ",");
}

}  // namespace lockstep::sim
