#include "net/http/health_checks.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "net/http/failure.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

// Election timeouts without contact that health thinks nothing of.
constexpr uint64_t kElectionsMax = 3;

HealthCheck LoopCheck(const NodeStatus* node) {
  HealthCheck check{.name = "loop", .problems = {}};
  if (node == nullptr) check.problems.emplace_back("the node does not say how it is");
  return check;
}

HealthCheck StorageCheck(const NodeStatus& node, const HttpOptions& options) {
  HealthCheck check{.name = "storage", .problems = {}};
  if (node.disk_free_bytes() < options.disk_free_bytes_min) {
    check.problems.push_back(absl::StrCat(node.disk_free_bytes(), " bytes are free on disk"));
  }
  return check;
}

HealthCheck GroupsCheck(const NodeStatus& node, const HttpOptions& options) {
  HealthCheck check{.name = "groups", .problems = {}};
  for (const ReplicaStatus& replica : node.replicas()) {
    std::string trouble = TroubleOf(replica, options);
    if (!trouble.empty()) check.problems.push_back(std::move(trouble));
  }
  return check;
}

// A node without replicas serves by asking others.
HealthCheck PeersCheck(const NodeStatus& node) {
  HealthCheck check{.name = "peers", .problems = {}};
  if (node.replicas().empty() && node.counters().peers_connected() == 0) {
    check.problems.emplace_back("no replica here, and no other node is connected");
  }
  return check;
}

HealthCheck StayingCheck(bool leaving) {
  HealthCheck check{.name = "staying", .problems = {}};
  if (leaving) check.problems.emplace_back("the node is leaving: ask another one");
  return check;
}

}  // namespace

std::string TroubleOf(const ReplicaStatus& replica, const HttpOptions& options) {
  // A group that elects for a while is no news.
  const uint64_t age_ms_max =
      std::max(options.quorum_contact_age_ms_max, kElectionsMax * options.election_timeout_ms);
  if (replica.leader() == 0) return absl::StrCat("group ", replica.group(), " has no leader");
  if (replica.members_size() > 1 && replica.quorum_contact_age_ms() > age_ms_max) {
    return absl::StrCat("group ", replica.group(), ": no contact for ",
                        replica.quorum_contact_age_ms(), " ms");
  }
  return "";
}

std::vector<HealthCheck> ReadyChecks(const NodeStatus* node, const HttpOptions& options,
                                     bool leaving) {
  // What says nothing has no replicas and no disk to speak of.
  if (node == nullptr) return {LoopCheck(node), StayingCheck(leaving)};
  return {LoopCheck(node), StorageCheck(*node, options), GroupsCheck(*node, options),
          PeersCheck(*node), StayingCheck(leaving)};
}

std::vector<HealthCheck> LiveChecks(const NodeStatus* node) { return {LoopCheck(node)}; }

absl::Status Exclude(absl::string_view names, std::vector<HealthCheck>* checks) {
  static constexpr absl::string_view kNames[] = {"loop", "storage", "groups", "peers", "staying"};
  for (const absl::string_view name : absl::StrSplit(names, ',', absl::SkipEmpty())) {
    if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
      return Refuse("INVALID_REQUEST",
                    absl::StrCat("exclude: no check is named \"", name.substr(0, 100),
                                 "\"; there are: ", absl::StrJoin(kNames, ", ")));
    }
    std::erase_if(*checks, [&](const HealthCheck& check) { return check.name == name; });
  }
  return absl::OkStatus();
}

bool AllWell(const std::vector<HealthCheck>& checks) {
  return std::all_of(checks.begin(), checks.end(),
                     [](const HealthCheck& check) { return check.problems.empty(); });
}

std::string VerboseText(absl::string_view what, const std::vector<HealthCheck>& checks) {
  std::string text;
  for (const HealthCheck& check : checks) {
    if (check.problems.empty()) {
      absl::StrAppend(&text, "[+]", check.name, " ok\n");
    } else {
      absl::StrAppend(&text, "[-]", check.name, " failed: ", absl::StrJoin(check.problems, "; "),
                      "\n");
    }
  }
  absl::StrAppend(&text, what, AllWell(checks) ? " check passed\n" : " check failed\n");
  return text;
}

}  // namespace lockstep::net::http
