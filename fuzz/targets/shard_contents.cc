// The contents of a shard: a range of a group's table that is read and written as a table of its
// own, and counted as it changes. The counts are those of what is there, whatever the order of
// writes; neighbours are never touched; and contents that are copied part by part, in any order and
// some parts twice, add up to what was frozen exactly when all of them are there.
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/kv/table_layout.h"
#include "core/runtime/state_machine.h"
#include "core/shardkv/contents.h"
#include "core/shardkv/table_layout.h"
#include "fuzz/support/input.h"

namespace lockstep::fuzz {
namespace {

using Records = std::map<std::string, std::string>;
using shardkv::Counts;

constexpr size_t kTenures = 3;
constexpr size_t kStepsMax = 200;

class MapTable final : public TableWriter {
 public:
  bool Get(absl::string_view key, std::string* value) const override {
    const auto found = records_.find(std::string(key));
    if (found == records_.end()) return false;
    *value = found->second;
    return true;
  }
  void Scan(absl::string_view start,
            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit)
      const override {
    auto at = records_.lower_bound(std::string(start));
    while (at != records_.end() && visit(at->first, at->second)) ++at;
  }
  void Put(absl::string_view key, absl::string_view value) override {
    records_[std::string(key)] = std::string(value);
  }
  void Delete(absl::string_view key) override { records_.erase(std::string(key)); }

 private:
  Records records_;
};

Counts CountsOf(const Records& records) {
  Counts counts;
  for (auto at = records.rbegin(); at != records.rend(); ++at) counts.Add(at->first, at->second);
  return counts;
}

// One tenure's contents beside a map.
struct Tenure {
  std::string prefix;
  Counts counts;
  Records model;
};

class Run {
 public:
  explicit Run(Input input) : input_(input) {
    // Next to each other, so that who leaves its range is in another's.
    const uint64_t since = input_.Byte() < 0x80 ? 255 : input_.Number();
    const auto shard = static_cast<uint32_t>(input_.Below(3)) * 255;
    for (size_t i = 0; i < kTenures; ++i) {
      tenures_[i].prefix = shardkv::TenureKey(shardkv::kContentsKind, shard, since + i);
    }
  }

  void Go() {
    for (size_t i = 0; i < kStepsMax && input_.Byte() < 0xF8 && !input_.empty(); ++i) Step();
    for (const Tenure& tenure : tenures_) CheckTenure(tenure);
    CopyInParts(tenures_[0]);
  }

 private:
  std::string MakeKey() {
    const uint8_t kind = input_.Byte();
    std::string key(1, kind < 0xC0 ? kv::kDataKind : kv::kSessionKind);
    if (kind >= 0xF8) key.clear();
    return key + std::string(input_.Text(3));
  }

  void Step() {
    Tenure& tenure = tenures_[input_.Below(kTenures)];
    shardkv::ContentsWriter writer(table_, tenure.prefix, tenure.counts);
    const std::string key = MakeKey();
    if (input_.Byte() < 0xA0) {
      const std::string value(input_.Text(5));
      writer.Put(key, value);
      tenure.model[key] = value;
    } else {
      writer.Delete(key);
      tenure.model.erase(key);
    }
    std::string found;
    const auto expected = tenure.model.find(key);
    Check(writer.Get(key, &found) == (expected != tenure.model.end()));
    if (expected != tenure.model.end()) Check(found == expected->second);
  }

  void CheckTenure(const Tenure& tenure) {
    const shardkv::ContentsReader reader(table_, tenure.prefix);
    const std::string start = input_.Flip() ? MakeKey() : "";
    auto expected = tenure.model.lower_bound(start);
    reader.Scan(start, [&](absl::string_view key, absl::string_view value) {
      Check(expected != tenure.model.end());
      Check(key == expected->first);
      Check(value == expected->second);
      ++expected;
      return true;
    });
    Check(expected == tenure.model.end());
    Check(tenure.counts == CountsOf(tenure.model));
    Check(Counts::Decode(tenure.counts.Encode()) == tenure.counts);
  }

  // To another group's table.
  void CopyInParts(const Tenure& source) {
    MapTable other;
    Tenure target;
    target.prefix = shardkv::TenureKey(shardkv::kContentsKind, 9, 9);
    shardkv::ContentsWriter writer(other, target.prefix, target.counts);
    std::vector<std::pair<std::string, std::string>> left(source.model.begin(), source.model.end());
    while (!left.empty()) {
      Check((target.counts == source.counts) == (target.model == source.model));
      const size_t at = input_.Below(left.size());
      writer.Put(left[at].first, left[at].second);
      target.model[left[at].first] = left[at].second;
      if (input_.Byte() >= 0xC0) continue;  // The part arrives once more.
      left.erase(left.begin() + static_cast<ptrdiff_t>(at));
    }
    Check(target.counts == source.counts);
  }

  Input input_;
  MapTable table_;
  Tenure tenures_[kTenures];
};

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::Run(lockstep::fuzz::Input(data, size)).Go();
  return 0;
}
