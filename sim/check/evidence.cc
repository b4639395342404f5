#include "sim/check/evidence.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lockstep::sim {

std::string Seconds(Instant instant) {
  const int64_t micros =
      std::chrono::duration_cast<std::chrono::microseconds>(instant.time_since_epoch()).count();
  return absl::StrFormat("%d.%06d s", micros / 1'000'000, micros % 1'000'000);
}

std::string DescribeVoters(const raft::Membership& members) {
  std::string text = "nodes";
  for (const NodeId node : members.incoming()) absl::StrAppend(&text, " ", node.value());
  if (members.outgoing().empty()) return text;
  absl::StrAppend(&text, " and nodes");
  for (const NodeId node : members.outgoing()) absl::StrAppend(&text, " ", node.value());
  return text;
}

std::string DescribeEntry(const Entry& entry) {
  std::string what = absl::StrCat("a command of ", entry.data.size(), " bytes");
  if (entry.kind == EntryKind::kNoop) what = "a no-op";
  if (entry.kind == EntryKind::kConfiguration) what = "the group's members";
  return absl::StrCat("index ", entry.index.value(), ", term ", entry.term.value(), ", ", what);
}

std::string DescribeAt(Index index, ChainLink link) {
  if (!index) return "the beginning";
  return absl::StrCat("index ", index.value(), " of term ", link.term.value());
}

}  // namespace lockstep::sim
