// Keys, some in each shard, whose values a scenario knows: as those of the labs' check().
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_KNOWN_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_KNOWN_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {

class Known {
 public:
  // The first client of the cluster does it all. Key i is in shard i, modulo the number of shards.
  Known(ShardedCluster& cluster, uint32_t keys, uint64_t value_bytes = 20)
      : cluster_(cluster), values_(keys) {
    for (uint32_t i = 0; i < keys; ++i) {
      keys_.push_back(cluster.KeyIn(i % cluster.shards(), i / cluster.shards()));
      values_[i] = std::string(value_bytes, static_cast<char>('a' + i % 26));
    }
  }

  const std::string& key(size_t i) const { return keys_[i]; }
  const std::string& value(size_t i) const { return values_[i]; }

  void PutAll() {
    for (size_t i = 0; i < keys_.size(); ++i) cluster_.client().Put(keys_[i], values_[i]);
  }
  void ExpectAll() {
    for (size_t i = 0; i < keys_.size(); ++i) Expect(i);
  }
  void ExpectAndAppendAll() {
    for (size_t i = 0; i < keys_.size(); ++i) {
      Expect(i);
      Append(i);
    }
  }
  void Append(size_t i) {
    const std::string more = absl::StrCat("+", ++appended_);
    values_[i] += more;
    cluster_.client().Append(keys_[i], more);
  }
  // It must be executed in the end.
  Pending AppendSoon(size_t i, const std::string& more) {
    values_[i] += more;
    return cluster_.client().AppendSoon(keys_[i], more);
  }

 private:
  void Expect(size_t i) {
    EXPECT_EQ(cluster_.client().Get(keys_[i]), values_[i]) << "shard " << i % cluster_.shards();
  }

  ShardedCluster& cluster_;
  std::vector<std::string> keys_;
  std::vector<std::string> values_;
  uint64_t appended_ = 0;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_KNOWN_H_
