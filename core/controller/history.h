// The configurations that are kept: the newest in memory, all of them in the table.
//
// The table may hold thousands of large ones, so memory has one only, however long the history.
// Invariant: after Load or any change, the table holds oldest() through newest().num.
#ifndef LOCKSTEP_CORE_CONTROLLER_HISTORY_H_
#define LOCKSTEP_CORE_CONTROLLER_HISTORY_H_

#include <cstdint>

#include "core/controller/configuration.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::controller {

class History {
 public:
  void Load(const TableReader& table);

  // Number 0 before the first.
  const Configuration& newest() const { return newest_; }
  // 1 before the first; after that, at most newest().num.
  ConfigurationNum oldest() const { return oldest_; }

  // REQUIRES: its number follows that of the newest.
  void Add(Configuration next, TableWriter& table);
  // Forgets those before `before`, the oldest first, at most `count_max` of them and never the
  // newest.
  void Prune(ConfigurationNum before, uint64_t count_max, TableWriter& table);
  // A group that had left in this configuration knows it. Nothing happens if it has come back.
  void Forget(GroupId gid, ConfigurationNum left, TableWriter& table);

  // The groups that may still need something of what is kept: all members, and those that have left
  // until Forget.
  void AnswerMembership(const TableReader& table, proto::Result* result) const;

  // OK with the configuration of that number, 0 meaning the newest; NOT_FOUND for one that does not
  // exist yet, or is not kept any more. Sets configuration_num to the newest in either case.
  void Answer(ConfigurationNum num, const TableReader& table, proto::Result* result) const;
  // OK with the first configuration after `after` that has `gid` as a member. Looks at a few at
  // most: NOT_FOUND with configuration_num the last one looked at.
  void AnswerMember(GroupId gid, ConfigurationNum after, const TableReader& table,
                    proto::Result* result) const;

 private:
  void Save(TableWriter& table) const;
  void SaveMembers(const Configuration& next, TableWriter& table) const;

  Configuration newest_;
  ConfigurationNum oldest_{1};
};

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_HISTORY_H_
