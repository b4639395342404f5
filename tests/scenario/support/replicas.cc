#include "tests/scenario/support/replicas.h"

#include <vector>

#include "absl/strings/match.h"

namespace lockstep::scenario {

bool IsAtRest(const sim::NodeHost& host) {
  return host.lane(Lane::kLog).empty() && !host.lane(Lane::kTable).Writes() &&
         host.unanswered() == 0;
}

void CompareTable(sim::ClusterCheckers& checkers, const sim::NodeHost& host, GroupId group,
                  LogPosition applied) {
  const uint64_t digest = host.Digest(group);
  // A rotten table may be unreadable where no job has looked yet.
  if (digest == 0 && host.rotted_by != sim::kNoFault) return;
  checkers.OnTableDigest(host.node(), group, applied, digest);
}

std::vector<std::string> FilesOf(const sim::NodeHost& host, Part part) {
  std::vector<std::string> files;
  for (const std::string& path : host.files().Files()) {
    const bool of_log = absl::StrContains(path, "/wal/");
    if (of_log == (part == Part::kLog)) files.push_back(path);
  }
  return files;
}

uint64_t BytesOnDisk(const sim::NodeHost& host, Part part) {
  uint64_t bytes = 0;
  for (const std::string& path : FilesOf(host, part)) bytes += host.files().Content(path)->size();
  return bytes;
}

}  // namespace lockstep::scenario
