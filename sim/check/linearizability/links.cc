#include "sim/check/linearizability/links.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check/linearizability/tokens.h"

namespace lockstep::linearizability {
namespace {

class Linker {
 public:
  explicit Linker(const Partition& partition)
      : partition_(partition),
        entries_(partition.entries()),
        initial_node_(static_cast<uint32_t>(entries_.size())),
        tokens_(partition),
        producers_(partition.states().observed_end(), 0),
        producer_(partition.states().observed_end(), kNoNode),
        resolved_(partition.states().observed_end()),
        stamp_(entries_.size() + 1, kNoNode) {
    links_.executed.resize(entries_.size());
    links_.source.assign(entries_.size(), kNoNode);
    links_.before.assign(entries_.size(), kNoNode);
    links_.after.assign(entries_.size() + 1, kNoNode);
  }

  Links Run() {
    if (partition_.has_appends() && !(tokens_.distinct() && StartsBlank())) {
      links_.status = Links::Status::kUnsupported;
      return std::move(links_);
    }
    CountProducers();
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].open) Execute(i);
    }
    while (!pending_.empty() && !failed()) {
      const uint32_t observer = pending_.back();
      pending_.pop_back();
      Observe(observer);
    }
    return std::move(links_);
  }

 private:
  struct Resolved {
    bool done = false;
    uint32_t node = kNoNode;  // kNoNode: more than one operation can have led there
  };

  bool failed() const { return links_.status == Links::Status::kViolation; }
  void Relax() {
    if (links_.status == Links::Status::kExact) links_.status = Links::Status::kRelaxed;
  }
  void Fail(std::string reason, std::vector<uint32_t> culprits) {
    if (failed()) return;
    links_.status = Links::Status::kViolation;
    links_.reason = std::move(reason);
    links_.culprits = std::move(culprits);
  }
  std::string Name(uint32_t node) const {
    if (node == initial_node_) return "the initial state";
    return absl::StrCat("{", Describe(partition_.operation(entries_[node])), "}");
  }

  // Strings that begin with some other initial value would not parse.
  bool StartsBlank() const {
    const Value& initial = partition_.initial_value();
    return !initial.has_value() || initial->empty();
  }

  void CountProducers() {
    const StateId end = partition_.states().observed_end();
    const auto count = [&](StateId state, uint32_t node) {
      if (state == kOther || state >= end) return;
      ++producers_[state];
      producer_[state] = node;
    };
    count(partition_.initial(), initial_node_);
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      const Form form = entries_[i].form;
      if (form == Form::kSet || form == Form::kSwap) count(entries_[i].produces, i);
    }
  }

  // Somebody saw the effect of this operation, or it was answered.
  void Execute(uint32_t i) {
    if (i == initial_node_ || links_.executed[i]) return;
    links_.executed[i] = true;
    const Entry& entry = entries_[i];
    if (entry.observes()) pending_.push_back(i);
    if (entry.form == Form::kDiffer) Relax();
    if (entry.form == Form::kNever)
      Fail(absl::StrCat("impossible answer: ", Name(i),
                        " failed although it found what it expected"),
           {i});
  }

  void Observe(uint32_t observer) {
    const Entry& entry = entries_[observer];
    CheckLt(entry.expects, partition_.states().observed_end());
    Resolved& resolved = resolved_[entry.expects];
    if (!resolved.done) {
      resolved.done = true;
      const bool composed = partition_.has_appends() && entry.expects != kMissing;
      resolved.node = composed ? ResolveString(observer) : ResolveUnique(observer);
      if (failed()) return;
    }
    if (resolved.node == kNoNode) return Relax();
    Execute(resolved.node);
    if (entry.form == Form::kRead) {
      links_.source[observer] = resolved.node;
    } else {
      Follow(resolved.node, observer, observer);
    }
  }

  uint32_t ResolveUnique(uint32_t observer) {
    const StateId state = entries_[observer].expects;
    if (producers_[state] == 0)
      Fail(absl::StrCat("phantom value: no operation can have written what ", Name(observer),
                        " saw"),
           {observer});
    return producers_[state] == 1 ? producer_[state] : kNoNode;
  }

  // The last operation that made the string; links those before it on the way.
  uint32_t ResolveString(uint32_t observer) {
    const absl::string_view value = partition_.states().value(entries_[observer].expects);
    if (value.empty()) return ResolveUnique(observer);
    const auto parts = tokens_.Parse(value);
    if (!parts.has_value()) {
      Fail(absl::StrCat("phantom value: some part of what ", Name(observer),
                        " saw was never written"),
           {observer});
      return kNoNode;
    }
    for (uint32_t part : *parts) {
      if (stamp_[part] == observer) {
        Fail(absl::StrCat("duplicate apply: ", Name(observer), " saw twice the effect of ",
                          Name(part)),
             {part, observer});
        return kNoNode;
      }
      stamp_[part] = observer;
      Execute(part);
    }
    return LinkParts(*parts, observer);
  }

  uint32_t LinkParts(const std::vector<uint32_t>& parts, uint32_t observer) {
    uint32_t last = kNoNode;
    for (uint32_t part : parts) {
      const bool appends = entries_[part].form == Form::kAppend;
      if (last == kNoNode && appends) {
        last = EmptyNode();
        // Behind one of several deletes: the link is not known, so the chain begins here.
        if (last == kNoNode) Relax();
      } else if (last != kNoNode && !appends) {
        Fail(absl::StrCat("phantom value: ", Name(observer), " saw the value of ", Name(part),
                          " behind something else"),
             {part, observer});
      }
      if (appends && last != kNoNode) Follow(last, part, observer);
      if (failed()) return kNoNode;
      last = part;
    }
    return last;
  }

  // The one node after which the key is missing or empty, or kNoNode if there are several.
  uint32_t EmptyNode() const {
    const uint32_t deletes = producers_[kMissing];
    if (partition_.initial() == kMissing) return deletes == 1 ? initial_node_ : kNoNode;
    return deletes == 0 ? initial_node_ : kNoNode;
  }

  // `write` found exactly the state that `node` had left.
  void Follow(uint32_t node, uint32_t write, uint32_t observer) {
    uint32_t& before = links_.before[write];
    uint32_t& after = links_.after[node];
    if (before == node) return;
    if (before != kNoNode) {
      return Fail(absl::StrCat("forked prefixes: ", Name(write), " directly followed ",
                               Name(before), " and, as ", Name(observer), " shows, ", Name(node)),
                  {write, before, node, observer});
    }
    if (after != kNoNode) {
      return Fail(absl::StrCat("lost update: ", Name(after), " and ", Name(write),
                               " both directly followed ", Name(node)),
                  {after, write, node, observer});
    }
    before = node;
    after = write;
  }

  const Partition& partition_;
  const std::vector<Entry>& entries_;
  const uint32_t initial_node_;
  const Tokens tokens_;
  std::vector<uint32_t> producers_;  // by state: how many operations can have led there
  std::vector<uint32_t> producer_;   // by state: the last of them
  std::vector<Resolved> resolved_;   // by observed state
  std::vector<uint32_t> stamp_;      // by entry: the observer whose string was parsed last
  std::vector<uint32_t> pending_;    // executed, with an observation to resolve
  Links links_;
};

}  // namespace

Links Link(const Partition& partition) { return Linker(partition).Run(); }

}  // namespace lockstep::linearizability
