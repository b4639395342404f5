#include "bin/lockstepd_setting_values.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bin/address.h"
#include "core/base/quoted.h"

namespace lockstep::lockstepd {
namespace {

absl::Status Wrong(const std::string& text, const std::string& allowed) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " ", allowed));
}

absl::Status OneOf(const std::string& text, const Values& allowed, std::string& out) {
  if (std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
    return Wrong(text, absl::StrCat("is none of ", absl::StrJoin(allowed, ", ")));
  }
  out = text;
  return absl::OkStatus();
}

const Values& Levels() {
  static const Values levels = {"trace", "debug", "info", "warn", "error", "off"};
  return levels;
}

// Ascending, distinct node ids.
absl::Status ReadNodes(const Values& values, std::vector<uint64_t>& out) {
  std::vector<uint64_t> nodes;
  for (const std::string& text : values) {
    uint64_t node = 0;
    const absl::Status status = ReadNumber(text, 1, kNodeIdMax, node);
    if (!status.ok()) return status;
    nodes.push_back(node);
  }
  std::sort(nodes.begin(), nodes.end());
  const auto twice = std::adjacent_find(nodes.begin(), nodes.end());
  if (twice != nodes.end()) return Wrong(absl::StrCat(*twice), "is there twice");
  if (nodes.size() > kMembersMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("names ", nodes.size(), " nodes: at most ", kMembersMax));
  }
  out = std::move(nodes);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadNumber(const std::string& text, uint64_t low, uint64_t high, uint64_t& out) {
  uint64_t number = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !absl::SimpleAtoi(text, &number)) {
    return Wrong(text, absl::StrCat("is not a number: ", low, " to ", high));
  }
  if (number < low || number > high) {
    return Wrong(text, absl::StrCat("is out of range: ", low, " to ", high));
  }
  out = number;
  return absl::OkStatus();
}

absl::Status CheckAddress(const std::string& text, uint16_t port_min, std::string& out) {
  const absl::StatusOr<Address> address = ParseAddress(text, port_min);
  if (!address.ok()) return address.status();
  if (port_min > 0 && IsWildcard(*address)) {
    return Wrong(text, "cannot be connected to: give a name or number of this machine");
  }
  out = text;
  return absl::OkStatus();
}

absl::Status ReadName(const Values& values, Options& options) {
  const std::string& name = values.back();
  const bool allowed =
      !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
               c == '-';
      });
  if (!allowed) return Wrong(name, "is no name: 1 to 64 letters, digits, '.', '_' and '-'");
  options.cluster = name;
  return absl::OkStatus();
}

absl::Status ReadController(const Values& values, Options& options) {
  return ReadNodes(values, options.controller);
}

absl::Status ReadGroups(const Values& values, Options& options) {
  std::vector<GroupSpec> groups;
  for (const std::string& text : values) {
    const std::pair<std::string, std::string> sides = absl::StrSplit(text, absl::MaxSplits('=', 1));
    GroupSpec group;
    const bool members = !sides.second.empty();
    if (!members || !absl::SimpleAtoi(sides.first, &group.gid) || group.gid == 0) {
      return Wrong(text,
                   "is no group: write GID=NODE,NODE,..., as 101=1,2,3 (0 is the controller)");
    }
    if (group.gid > kNodeIdMax) return Wrong(text, absl::StrCat("is over the gid ", kNodeIdMax));
    const absl::Status status = ReadNodes(absl::StrSplit(sides.second, ','), group.members);
    if (!status.ok()) return Wrong(text, absl::StrCat("is no group: ", status.message()));
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(),
            [](const GroupSpec& a, const GroupSpec& b) { return a.gid < b.gid; });
  for (size_t i = 1; i < groups.size(); ++i) {
    if (groups[i].gid == groups[i - 1].gid) {
      return Wrong(absl::StrCat(groups[i].gid), "is there twice: one entry a group");
    }
  }
  if (groups.size() > kGroupsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("names ", groups.size(), " groups: at most ", kGroupsMax));
  }
  options.groups = std::move(groups);
  return absl::OkStatus();
}

absl::Status ReadPeers(const Values& values, Options& options) {
  std::map<uint64_t, std::string> peers;
  for (const std::string& text : values) {
    const std::pair<std::string, std::string> sides = absl::StrSplit(text, absl::MaxSplits('=', 1));
    uint64_t node = 0;
    if (sides.second.empty() || !ReadNumber(sides.first, 1, kNodeIdMax, node).ok()) {
      return Wrong(text, "is no peer: write NODE=HOST:PORT, as 2=10.0.0.2:7400");
    }
    const absl::StatusOr<Address> address = ParseAddress(sides.second, 1);
    if (!address.ok()) return address.status();
    if (!peers.emplace(node, sides.second).second) {
      return Wrong(text, absl::StrCat("names node ", node, " a second time"));
    }
  }
  options.peers = std::move(peers);
  return absl::OkStatus();
}

absl::Status ReadJoin(const Values& values, Options& options) {
  for (const std::string& text : values) {
    const absl::StatusOr<Address> address = ParseAddress(text, 1);
    if (!address.ok()) return address.status();
  }
  options.join = values;
  return absl::OkStatus();
}

absl::Status ReadOrigins(const Values& values, Options& options) {
  for (const std::string& text : values) {
    const bool scheme = absl::StartsWith(text, "http://") || absl::StartsWith(text, "https://");
    const bool path = text.find('/', 8) != text.npos;
    if (text != "*" && (!scheme || path || text.size() > 512)) {
      return Wrong(text, "is no origin: http://HOST[:PORT], https://HOST[:PORT], or * for all");
    }
  }
  options.http_cors_origins = values;
  return absl::OkStatus();
}

absl::Status ReadLogLevels(const Values& values, Options& options) {
  static const Values parts = {"node", "peer", "grpc", "http", "storage", "audit"};
  std::map<std::string, std::string> levels;
  for (const std::string& text : values) {
    const std::pair<std::string, std::string> sides = absl::StrSplit(text, absl::MaxSplits('=', 1));
    std::string part;
    std::string level;
    if (!OneOf(sides.first, parts, part).ok() || !OneOf(sides.second, Levels(), level).ok()) {
      return Wrong(text, absl::StrCat("is no PART=LEVEL: parts are ", absl::StrJoin(parts, ", "),
                                      "; levels are ", absl::StrJoin(Levels(), ", ")));
    }
    levels[part] = level;
  }
  options.log_levels = std::move(levels);
  return absl::OkStatus();
}

absl::Status ReadDataDirectory(const Values& values, Options& options) {
  if (values.back().empty()) return Wrong("", "is no directory");
  options.data_dir = values.back();
  return absl::OkStatus();
}
absl::Status ReadNodeId(const Values& values, Options& options) {
  uint64_t node = 0;
  const absl::Status status = ReadNumber(values.back(), 1, kNodeIdMax, node);
  if (status.ok()) options.node_id = node;
  return status;
}
absl::Status ReadShards(const Values& values, Options& options) {
  uint64_t shards = 0;
  const absl::Status status = ReadNumber(values.back(), 1, kShardsMax, shards);
  if (status.ok()) options.shards = static_cast<uint32_t>(shards);
  return status;
}

absl::Status ReadLogLevel(const Values& values, Options& options) {
  return OneOf(values.back(), Levels(), options.log_level);
}
absl::Status ReadLogFormat(const Values& values, Options& options) {
  return OneOf(values.back(), {"text", "json"}, options.log_format);
}
absl::Status ReadLeaseReads(const Values& values, Options& options) {
  return OneOf(values.back(), {"on", "off"}, options.lease_reads);
}
absl::Status ReadClientAuth(const Values& values, Options& options) {
  return OneOf(values.back(), {"required", "optional", "none"}, options.tls_client_auth);
}
absl::Status ReadInsecure(const Values& values, Options& options) {
  return OneOf(values.back(), {"on", "off"}, options.insecure);
}

}  // namespace lockstep::lockstepd
