// Who leads each group, as far as the notes of the servers tell. A deposed leader that has not
// heard of it claims to lead, too.
#ifndef LOCKSTEP_SIM_FAULTS_LEADERS_H_
#define LOCKSTEP_SIM_FAULTS_LEADERS_H_

#include <cstdint>
#include <optional>

#include "absl/container/btree_map.h"
#include "core/base/rng.h"
#include "core/base/types.h"

namespace lockstep::sim {

struct Leadership {
  GroupId group;
  uint16_t server = 0;
};

class Leaders {
 public:
  void Elected(GroupId group, uint16_t server);
  void SteppedDown(GroupId group, uint16_t server);
  // It leads nothing any more.
  void Crashed(uint16_t server);

  // The one that was elected last and has not given up; 0: nobody.
  uint16_t Of(GroupId group) const;
  // That of any group that has one.
  std::optional<Leadership> Any(Rng& rng) const;
  bool Claims(GroupId group, uint16_t server) const;
  // The servers that claim to lead some group.
  uint64_t Claimants() const;

 private:
  struct Group {
    uint16_t latest = 0;
    uint64_t claimants = 0;  // bits
  };

  static void Remove(Group& group, uint16_t server);

  absl::btree_map<GroupId, Group> groups_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_LEADERS_H_
