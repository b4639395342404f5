// Where things lie in the controller's table. The first byte of a key is the kind of its record:
//
//   'c' num                    -> proto::Configuration   one configuration
//   'h'                        -> oldest newest          the configurations that are kept
//   'm' gid                    -> left                   a group that may still need some of them:
//                                                        the first one without it; 0: a member
//   's' ...                                              sessions: core/kv/table_layout.h
//
// with numbers as 8 bytes, big-endian. The configurations that are kept are exactly those from
// oldest through newest. Before the first there is no 'h'. Part of the disk and snapshot formats.
#ifndef LOCKSTEP_CORE_CONTROLLER_TABLE_LAYOUT_H_
#define LOCKSTEP_CORE_CONTROLLER_TABLE_LAYOUT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/controller/configuration.h"
#include "core/kv/table_layout.h"

namespace lockstep::controller {

inline constexpr char kConfigurationKind = 'c';
inline constexpr char kMemberKind = 'm';
inline constexpr absl::string_view kHistoryKey = "h";
inline constexpr size_t kHistoryBytes = 2 * 8;

inline std::string ConfigurationKey(ConfigurationNum num) {
  std::string key(1, kConfigurationKind);
  kv::AppendBigEndian64(num.value(), &key);
  return key;
}

inline std::string MemberKey(GroupId gid) {
  std::string key(1, kMemberKind);
  kv::AppendBigEndian64(gid.value(), &key);
  return key;
}

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_TABLE_LAYOUT_H_
