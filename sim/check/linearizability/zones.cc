#include "sim/check/linearizability/zones.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check/linearizability/links.h"

namespace lockstep::linearizability {
namespace {

// Writes glued together, with their reads.
struct Block {
  uint32_t root = kNoNode;            // the first node
  int64_t first_return = INT64_MAX;   // f
  uint32_t first_returned = kNoNode;  // the entry that returned then
  int64_t last_invoked = INT64_MIN;   // s
  uint32_t last_invoked_entry = kNoNode;

  bool forward() const { return first_return < last_invoked; }
};

class Judge {
 public:
  explicit Judge(const Partition& partition)
      : partition_(partition),
        entries_(partition.entries()),
        initial_node_(static_cast<uint32_t>(entries_.size())),
        links_(Link(partition)) {}

  ZonesResult Run() {
    if (links_.status == Links::Status::kUnsupported) return {};
    if (links_.status == Links::Status::kViolation) {
      Fail(links_.reason, links_.culprits);
    } else {
      SortReads();
      BuildBlocks();
      if (!failed()) FindCycle();
    }
    if (!failed() && links_.status == Links::Status::kExact)
      result_.verdict = ZonesResult::Verdict::kLinearizable;
    return std::move(result_);
  }

 private:
  bool failed() const { return result_.verdict == ZonesResult::Verdict::kViolation; }
  void Fail(std::string reason, std::vector<uint32_t> culprits) {
    result_.verdict = ZonesResult::Verdict::kViolation;
    result_.reason = std::move(reason);
    std::sort(culprits.begin(), culprits.end());
    culprits.erase(std::unique(culprits.begin(), culprits.end()), culprits.end());
    while (!culprits.empty() && culprits.back() >= initial_node_) culprits.pop_back();
    result_.culprits = std::move(culprits);
  }
  std::string Name(uint32_t entry) const {
    return absl::StrCat("{", Describe(partition_.operation(entries_[entry])), "}");
  }
  bool Writes(uint32_t entry) const {
    const Form form = entries_[entry].form;
    return form == Form::kSet || form == Form::kSwap || form == Form::kAppend;
  }

  // Brings the reads of each node together.
  void SortReads() {
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      if (links_.source[i] != kNoNode) reads_.push_back({links_.source[i], i});
    }
    std::sort(reads_.begin(), reads_.end());
  }

  void BuildBlocks() {
    visited_.resize(entries_.size() + 1);
    Walk(initial_node_);
    for (uint32_t i = 0; i < entries_.size() && !failed(); ++i) {
      if (Writes(i) && links_.executed[i] && links_.before[i] == kNoNode) Walk(i);
    }
    for (uint32_t i = 0; i < entries_.size() && !failed(); ++i) {
      if (!Writes(i) || !links_.executed[i] || visited_[i]) continue;
      Fail(absl::StrCat("phantom value: ", Name(i),
                        " belongs to a ring of swaps, each of which needs the other's value first"),
           Ring(i));
    }
  }

  std::vector<uint32_t> Ring(uint32_t start) const {
    std::vector<uint32_t> ring = {start};
    for (uint32_t i = links_.after[start]; i != start; i = links_.after[i]) ring.push_back(i);
    return ring;
  }

  // The chain that begins at `root`: its zone, and its inner order against real time.
  void Walk(uint32_t root) {
    Block block;
    block.root = root;
    for (uint32_t node = root; node != kNoNode && !failed(); node = links_.after[node]) {
      visited_[node] = true;
      if (node != initial_node_) {
        CheckOrder(block, node);
        Extend(block, node);
      }
      const auto first = std::lower_bound(reads_.begin(), reads_.end(), std::pair(node, 0U));
      for (auto read = first; read != reads_.end() && read->first == node; ++read)
        CheckOrder(block, read->second);
      for (auto read = first; read != reads_.end() && read->first == node; ++read)
        Extend(block, read->second);
    }
    if (block.last_invoked_entry == kNoNode) return;  // Only the initial state, and nobody saw it.
    if (root == initial_node_) block.first_return = INT64_MIN;
    blocks_.push_back(block);
  }

  void CheckOrder(const Block& block, uint32_t entry) {
    if (failed() || entries_[entry].returned >= block.last_invoked) return;
    std::vector<uint32_t> culprits = Chain(block.root);
    culprits.push_back(entry);
    culprits.push_back(block.last_invoked_entry);
    Fail(absl::StrCat("read from the future or out of order: ", Name(entry),
                      " returned before the invocation of ", Name(block.last_invoked_entry),
                      ", on whose effect, or on what that had seen, it builds"),
         std::move(culprits));
  }

  void Extend(Block& block, uint32_t entry) const {
    if (entries_[entry].returned < block.first_return) {
      block.first_return = entries_[entry].returned;
      block.first_returned = entry;
    }
    if (entries_[entry].invoked > block.last_invoked || block.last_invoked_entry == kNoNode) {
      block.last_invoked = entries_[entry].invoked;
      block.last_invoked_entry = entry;
    }
  }

  std::vector<uint32_t> Chain(uint32_t root) const {
    std::vector<uint32_t> chain;
    for (uint32_t node = root; node != kNoNode; node = links_.after[node]) chain.push_back(node);
    return chain;
  }

  void FindCycle() {
    std::vector<Block> forward;
    for (const Block& block : blocks_) {
      if (block.forward()) forward.push_back(block);
    }
    std::sort(forward.begin(), forward.end(), [](const Block& a, const Block& b) {
      if (a.first_return != b.first_return) return a.first_return < b.first_return;
      return a.root < b.root;
    });
    for (size_t i = 1; i < forward.size(); ++i) {
      if (forward[i].first_return < forward[i - 1].last_invoked)
        return FailPair(forward[i - 1], forward[i]);
    }
    for (const Block& block : blocks_) {
      if (block.forward()) continue;
      // Forward zones are disjoint here: only the last that begins before s can reach beyond f.
      const auto behind = std::partition_point(
          forward.begin(), forward.end(),
          [&](const Block& zone) { return zone.first_return < block.last_invoked; });
      if (behind == forward.begin()) continue;
      const Block& zone = *(behind - 1);
      if (block.first_return < zone.last_invoked) return FailPair(zone, block);
    }
  }

  // Each of the two must stand before the other.
  void FailPair(const Block& a, const Block& b) {
    std::vector<uint32_t> culprits = Chain(a.root);
    const std::vector<uint32_t> more = Chain(b.root);
    culprits.insert(culprits.end(), more.begin(), more.end());
    for (const Block* block : {&a, &b}) {
      culprits.push_back(block->first_returned);
      culprits.push_back(block->last_invoked_entry);
    }
    Fail(absl::StrCat("stale read or lost write: from ", Start(a), " to ",
                      Name(a.last_invoked_entry), " the key held what began with ", Root(a),
                      ", yet within that time it must have held ", Root(b)),
         std::move(culprits));
  }

  std::string Root(const Block& block) const {
    return block.root == initial_node_ ? "the initial state" : Name(block.root);
  }
  std::string Start(const Block& block) const {
    return block.root == initial_node_ ? "the beginning" : Name(block.first_returned);
  }

  const Partition& partition_;
  const std::vector<Entry>& entries_;
  const uint32_t initial_node_;
  const Links links_;
  std::vector<std::pair<uint32_t, uint32_t>> reads_;  // node, read; ascending
  std::vector<bool> visited_;                         // by node
  std::vector<Block> blocks_;
  ZonesResult result_;
};

}  // namespace

ZonesResult JudgeByZones(const Partition& partition) { return Judge(partition).Run(); }

}  // namespace lockstep::linearizability
