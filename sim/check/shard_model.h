// Where each shard is, by a model of its own: it reads what the groups of a sharded store commit,
// and follows the rules of hand-overs (docs/decisions/0011) in their smallest form. Kept apart from
// the shard machine, so that its states are checked and not believed.
//
// Commits of different groups are told in the order in which they happened. A hand-over is a chain
// of causes (frozen, read, installed, dropped), so that order is the order of each shard's life.
#ifndef LOCKSTEP_SIM_CHECK_SHARD_MODEL_H_
#define LOCKSTEP_SIM_CHECK_SHARD_MODEL_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "core/runtime/log.h"
#include "core/shardkv/contents.h"
#include "core/shardkv/tenure.h"
#include "sim/check/contents_model.h"
#include "sim/check/session_model.h"

namespace lockstep::sim {

// Names a tenure by its end: the shard, the group that lost it, and the configuration that said so.
struct TenureEnd {
  uint32_t shard = 0;
  GroupId group;
  uint64_t ended = 0;
  friend auto operator<=>(const TenureEnd&, const TenureEnd&) = default;
};

struct ModelTenure {
  proto::ShardState state = proto::SHARD_NONE;
  uint64_t until = 0;
  TenureEnd source;  // group none: nobody need be told
  uint64_t next_sequence = 1;
  uint64_t version_offset = 0;
  uint64_t frozen_version = 0;
  shardkv::Counts installed;  // of the records that arrived
  bool owes_news = false;     // the source has not been told

  bool serves() const { return state == proto::SHARD_SERVING || state == proto::SHARD_SERVING_GC; }
  bool here() const { return serves() || state == proto::SHARD_PULLING; }
};

struct ModelGroup {
  Index last;  // committed
  uint64_t num = 0;
  bool member = false;
  uint64_t joined = 0;
  absl::btree_map<shardkv::TenureId, ModelTenure> tenures;
};

// What a committed entry did, as far as checkers ask.
struct ModelStep {
  uint64_t reconfigured = 0;  // to this configuration
  // A tenure has arrived: what had been promised of it, and which it was at the source.
  bool arrived = false;
  shardkv::TenureId tenure;
  TenureEnd source;
  proto::ShardSummary promised;
};

class ShardModel {
 public:
  // `sessions_max`: of each shard.
  explicit ShardModel(uint64_t sessions_max) : sessions_max_(sessions_max) {}

  ModelStep OnCommitted(GroupId group, const Entry& entry);

  const absl::btree_map<GroupId, ModelGroup>& groups() const { return groups_; }
  // The groups that serve the shard: one at most, if all is well.
  std::vector<GroupId> Serving(uint32_t shard) const;
  // The version of what was frozen; none: nothing was, or it arrived nowhere yet.
  uint64_t FrozenVersion(const TenureEnd& end) const;
  // Where a client's command took effect: a version of its shard. None: nowhere.
  Index FirstOf(const CommandIdentity& command) const;
  // The newest version that the shard has reached anywhere; 0: it has never been served.
  Index NewestVersion(uint32_t shard) const;
  // What the shard holds, and held; null: nobody has written anything.
  const ContentsModel* ContentsOf(uint32_t shard) const;
  const absl::btree_map<uint32_t, ContentsModel>& contents() const { return contents_; }

  uint64_t moves() const { return moves_; }                        // tenures that have arrived
  uint64_t internal_entries() const { return internal_entries_; }  // of groups themselves
  uint64_t bytes_written() const { return bytes_written_; }        // by clients, roughly
  uint64_t parts() const { return parts_; }                        // of them
  uint64_t refused() const { return refused_; }  // commands where the shard was not served
  uint64_t duplicates() const;                   // copies of commands after the first

 private:
  void OnCommand(GroupId group, const Entry& entry);
  void Apply(ModelGroup& group, GroupId gid, const proto::Reconfigure& change, Index index,
             ModelStep* step);
  void Apply(ModelGroup& group, const proto::InstallChunk& chunk, Index index, ModelStep* step);
  void Apply(ModelGroup& group, const proto::DropShard& drop);
  void Apply(ModelGroup& group, const proto::FinishHandover& finish);
  void Freeze(GroupId gid, shardkv::TenureId id, ModelTenure& tenure, Index index);

  const uint64_t sessions_max_;
  absl::btree_map<GroupId, ModelGroup> groups_;
  absl::btree_map<uint32_t, SessionModel> sessions_;   // by shard
  absl::btree_map<uint32_t, ContentsModel> contents_;  // likewise
  absl::btree_map<TenureEnd, uint64_t> frozen_;        // version of each
  uint64_t moves_ = 0;
  uint64_t parts_ = 0;
  uint64_t refused_ = 0;
  uint64_t internal_entries_ = 0;
  uint64_t bytes_written_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_SHARD_MODEL_H_
