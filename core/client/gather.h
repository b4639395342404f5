// What operations over many shards are made of: the parts, and how the answers become one.
//
//   GatheredGet   a GetMany: each part is atomic, the whole is not
//   GatheredBulk  many writes: each part is a Batch, hence atomic, the whole is not
//   GatheredList  one page in the order of keys: a part is what one group has of it. Each key is as
//                 it was at some moment between the call and the answer, not all at the same one.
#ifndef LOCKSTEP_CORE_CLIENT_GATHER_H_
#define LOCKSTEP_CORE_CLIENT_GATHER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/client/events.h"
#include "core/client/routes.h"
#include "core/kv/options.h"
#include "core/proto/client.pb.h"

namespace lockstep::client {

// For one shard.
struct Part {
  ShardId shard;
  std::variant<proto::Command, proto::Query> operation;
};

class GatheredGet {
 public:
  GatheredGet(proto::GetMany get, const kv::KvLimits& limits);

  // Once. Parts are named by their place.
  std::vector<Part> Split(uint32_t shards);
  // What became of a part.
  void Add(size_t place, Outcome outcome);
  // When all are there: what exists, in the order asked for; or why not.
  Outcome Finish();

 private:
  const kv::KvLimits limits_;
  proto::GetMany get_;
  std::vector<std::vector<int>> positions_;  // by part: which of the keys
  std::vector<std::optional<std::string>> values_;
  bool stale_ = false;             // a part is not linearizable, hence the whole
  std::optional<Outcome> failed_;  // the first that did
};

class GatheredBulk {
 public:
  GatheredBulk(std::vector<proto::BatchOperation> operations, const kv::KvLimits& limits);

  // As GatheredGet. A comparison that fails spoils its batch, so each is a part of its own.
  std::vector<Part> Split(uint32_t shards);
  void Add(size_t place, Outcome outcome);
  Outcome Finish();

 private:
  void Append(ShardId shard, size_t position, std::vector<Part>* parts);

  struct Filling {  // the batch of a shard that has room
    size_t part = 0;
    uint64_t bytes = 0;
  };

  const kv::KvLimits limits_;
  std::vector<proto::BatchOperation> operations_;
  absl::btree_map<ShardId, Filling> filling_;
  std::vector<std::vector<size_t>> positions_;  // by part: which of the operations
  std::vector<Outcome> each_;
};

class GatheredList {
 public:
  struct Asked {
    GroupId group;
    proto::Query query;
  };
  GatheredList(proto::List list, const kv::KvLimits& limits);

  // Whom to ask for the shards that nobody has been asked for. REQUIRES: routes.has_groups(), and
  // always the same number of shards.
  std::vector<Asked> Plan(const Routes& routes);
  // It was asked under this name.
  void Ask(OperationId part, Asked asked);
  // The shards of a part are to be asked for again.
  void Return(OperationId part);
  // A part's answer. False: it makes no sense, and counts as returned.
  bool Add(OperationId part, proto::Result result);
  // Parts that the routes would ask elsewhere.
  std::vector<OperationId> Misplaced(const Routes& routes) const;
  // Parts without answer.
  const absl::btree_map<OperationId, Asked>& asked() const { return asked_; }

  bool complete() const { return begun_ && missing_.empty() && asked_.empty(); }
  // The page. REQUIRES: complete().
  proto::Result Finish();

 private:
  // False: neither it nor a larger one belongs on the page.
  bool Offer(proto::Pair* pair);
  void EndAt(const std::string& key);
  bool IsFull() const;

  const kv::KvLimits limits_;
  proto::List list_;  // what was asked for; never changed
  bool begun_ = false;
  std::vector<uint32_t> missing_;
  absl::btree_map<OperationId, Asked> asked_;
  // The smallest keys so far, and as many as fit on the page; bytes_ are theirs.
  absl::btree_map<std::string, std::string> pairs_;
  uint64_t bytes_ = 0;
  // The page ends here: beyond it, some part has more than it told. Invariant: one of pairs_ or
  // after all of them.
  std::optional<std::string> end_;
  bool stale_ = false;  // a part is not linearizable, hence the whole
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_GATHER_H_
