#include "sim/check/linearizability/shrink.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/check/linearizability/order.h"

namespace lockstep::linearizability {
namespace {

constexpr size_t kBlockingOperationsMax = 64;
constexpr size_t kUncutOperationsMax = 2000;  // with more, shrinking begins by cutting
constexpr uint64_t kPrefixStepsMax = 2'000'000;
constexpr uint64_t kWholeStepsMax = 30'000'000;  // what concerns the key as a whole is worth more
constexpr size_t kReopenedOperationsMax = 16;

int64_t ReturnedAt(const Operation& operation) {
  return operation.open() ? INT64_MAX : operation.returned.time_since_epoch().count();
}

}  // namespace

Shrinker::Shrinker(const History& history, const Finding& finding, uint64_t steps_max)
    : history_(history),
      finding_(finding),
      judge_(history, finding.operations, steps_max),
      best_{finding.operations, INT64_MAX} {}

void Shrinker::SortByInvocation(std::vector<size_t>* operations) const {
  std::sort(operations->begin(), operations->end(), [this](size_t a, size_t b) {
    if (history_.operations[a].invoked != history_.operations[b].invoked)
      return history_.operations[a].invoked < history_.operations[b].invoked;
    return a < b;
  });
}

Counterexample Shrinker::Run() {
  Shrink();
  Subset cut = CutAtFirst(best_, SubsetJudge::kTryStepsMax);
  const std::optional<int64_t> first = FirstOfAll(cut.cut);
  if (first.has_value() && *first < cut.cut) {
    // Something else went wrong before. It is told instead, so that what cannot be placed is what
    // follows the longest prefix.
    ShrinkAt(*first);
    cut = CutAtFirst(best_, SubsetJudge::kTryStepsMax);
  }
  Counterexample example;
  example.key = history_.operations[finding_.operations.front()].key;
  example.key_operations = finding_.operations.size();
  Explain(cut, &example);
  example.longest = first == cut.cut;
  if (example.longest)
    example.key_prefix = OrderBefore({finding_.operations, cut.cut}, kWholeStepsMax);
  return example;
}

void Shrinker::Shrink() {
  Narrow();
  if (best_.operations.size() > kUncutOperationsMax)
    best_ = CutAtFirst(best_, SubsetJudge::kTryStepsMax);
  Drop();
}

std::optional<int64_t> Shrinker::FirstOfAll(int64_t end) {
  const Subset before{finding_.operations, end - 1};
  const Verdict verdict = judge_.Judge(before, kWholeStepsMax);
  if (verdict == Verdict::kLinearizable) return end;
  if (verdict == Verdict::kUndecided) return std::nullopt;
  const int64_t first = CutAtFirst(before, kWholeStepsMax).cut;
  const Verdict rest = judge_.Judge(Subset{finding_.operations, first - 1}, kWholeStepsMax);
  return rest == Verdict::kLinearizable ? std::optional(first) : std::nullopt;
}

void Shrinker::ShrinkAt(int64_t end) {
  best_ = {finding_.operations, end};
  NarrowAround(Instant(Duration(end)));
  Drop();
  // With what came later a cause is easier to see, such as the write of what was read too early.
  std::vector<uint32_t> whole = best_.operations;
  if (!judge_.Close(finding_.operations, &whole)) return;
  if (whole.size() > best_.operations.size() + kReopenedOperationsMax) return;
  const Subset reopened{std::move(whole), INT64_MAX};
  if (judge_.Judge(reopened) == Verdict::kViolation) best_ = reopened;
}

// Takes the candidate if it is a violation.
bool Shrinker::Try(std::vector<uint32_t> operations) {
  Subset candidate{std::move(operations), best_.cut};
  if (judge_.Judge(candidate) != Verdict::kViolation) return false;
  best_ = std::move(candidate);
  return true;
}

void Shrinker::Narrow() {
  if (!finding_.culprits.empty()) {
    std::vector<uint32_t> culprits = finding_.culprits;
    std::sort(culprits.begin(), culprits.end());
    if (judge_.Close(finding_.operations, &culprits)) Try(std::move(culprits));
    return;
  }
  if (finding_.stopped.has_value()) NarrowAround(history_.operations[*finding_.stopped].returned);
}

// The history became a violation at this return. Most often what matters happens shortly before and
// after.
void Shrinker::NarrowAround(Instant middle) {
  std::vector<size_t> by_invocation(finding_.operations.begin(), finding_.operations.end());
  SortByInvocation(&by_invocation);
  const size_t size = by_invocation.size();
  const size_t before = static_cast<size_t>(
      std::partition_point(by_invocation.begin(), by_invocation.end(),
                           [&](size_t i) { return history_.operations[i].invoked <= middle; }) -
      by_invocation.begin());
  for (size_t count = 8; count < size && !judge_.exhausted(); count *= 4) {
    const size_t begin = before - std::min(count, before);
    const size_t until = std::min(before + count, size);
    std::vector<uint32_t> part;
    for (size_t k = begin; k < until; ++k) part.push_back(static_cast<uint32_t>(by_invocation[k]));
    AddReaders(count, &part);
    if (judge_.Close(finding_.operations, &part) && Try(std::move(part))) return;
  }
}

// The search sees from afar that a value is lost to a late reader. Adds readers, the first `max` of
// them, of values that the operations write; sorts.
void Shrinker::AddReaders(size_t max, std::vector<uint32_t>* operations) const {
  std::sort(operations->begin(), operations->end());
  std::vector<absl::string_view> written;
  for (uint32_t i : *operations) {
    const Operation& operation = history_.operations[i];
    const bool writes = operation.kind != Kind::kGet && operation.outcome != Outcome::kMismatch;
    if (writes && operation.value.has_value()) written.push_back(operation.value->view());
  }
  std::sort(written.begin(), written.end());
  std::vector<uint32_t> readers;
  for (uint32_t i : finding_.operations) {
    const Value& result = history_.operations[i].result;
    if (!result.has_value() || history_.operations[i].open()) continue;
    if (std::binary_search(operations->begin(), operations->end(), i)) continue;
    if (std::binary_search(written.begin(), written.end(), result->view())) readers.push_back(i);
    if (readers.size() == max) break;
  }
  operations->insert(operations->end(), readers.begin(), readers.end());
  std::sort(operations->begin(), operations->end());
}

// A violation stays one when the history goes on, so the first is found by bisection.
Subset Shrinker::CutAtFirst(const Subset& subset, uint64_t steps_max) {
  std::vector<int64_t> returns;
  for (uint32_t i : subset.operations) {
    const int64_t at = ReturnedAt(history_.operations[i]);
    if (at <= subset.cut && at != INT64_MAX) returns.push_back(at);
  }
  std::sort(returns.begin(), returns.end());
  returns.erase(std::unique(returns.begin(), returns.end()), returns.end());
  if (returns.empty()) return subset;
  size_t low = 0;
  size_t high = returns.size() - 1;  // Known to be a violation.
  while (low < high && !judge_.exhausted()) {
    const size_t middle = (low + high) / 2;
    if (judge_.Judge(Subset{subset.operations, returns[middle]}, steps_max) ==
        Verdict::kViolation) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  Subset cut{{}, returns[high]};
  judge_.Build({subset.operations, cut.cut}, &cut.operations);
  return cut;
}

// Delta debugging (Zeller and Hildebrandt 2002), with halves, quarters and so on.
void Shrinker::Drop() {
  for (size_t length = best_.operations.size() / 2; length > 0; length /= 2) {
    while (DropChunks(length) && length == 1) {
    }
    if (judge_.exhausted()) return;
    length = std::min(length, best_.operations.size());
  }
}

bool Shrinker::DropChunks(size_t length) {
  bool dropped = false;
  for (size_t begin = 0; begin < best_.operations.size() && !judge_.exhausted();) {
    const auto first = best_.operations.begin() + static_cast<std::ptrdiff_t>(begin);
    const size_t until = std::min(begin + length, best_.operations.size());
    std::vector<uint32_t> rest(best_.operations.begin(), first);
    rest.insert(rest.end(), best_.operations.begin() + static_cast<std::ptrdiff_t>(until),
                best_.operations.end());
    const size_t size = best_.operations.size();
    if (judge_.Close(best_.operations, &rest) && rest.size() < size && Try(std::move(rest))) {
      dropped = true;
    } else {
      begin = until;
    }
  }
  return dropped;
}

// What is shown is the violation with all that it needs to be understood, such as the write that a
// reader saw too early. Where it becomes one is `cut`.
void Shrinker::Explain(const Subset& cut, Counterexample* example) {
  example->operations.assign(best_.operations.begin(), best_.operations.end());
  SortByInvocation(&example->operations);
  example->unplaced = ReturnedLast(cut);
  example->prefix = OrderBefore(cut, kPrefixStepsMax);
  example->reason = judge_.Reason(best_);
  if (example->reason.empty()) example->reason = finding_.reason;
  if (example->reason.empty())
    example->reason = absl::StrCat("no order of the operations leaves a place for {",
                                   Describe(history_.operations[example->unplaced]), "}");
  if (best_.operations.size() <= kBlockingOperationsMax)
    example->blocking = Blocking(example->unplaced);
}

uint32_t Shrinker::ReturnedLast(const Subset& cut) const {
  uint32_t last = cut.operations.front();
  for (uint32_t i : cut.operations) {
    if (ReturnedAt(history_.operations[i]) == cut.cut) last = i;
  }
  return last;
}

// An order for what there was until `cut`, before the violation.
std::vector<size_t> Shrinker::OrderBefore(const Subset& cut, uint64_t steps_max) const {
  std::vector<uint32_t> places;
  const History before = judge_.Build({cut.operations, cut.cut - 1}, &places);
  std::vector<uint32_t> all(before.operations.size());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<size_t> order = FindOrder(before, all, steps_max);
  for (size_t& place : order) place = places[place];
  return order;
}

std::optional<std::pair<size_t, size_t>> Shrinker::Blocking(size_t unplaced) {
  std::vector<uint32_t> places;
  const History part = judge_.Build(best_, &places);
  std::vector<size_t> seconds;
  for (const bool wanted : {true, false}) {
    for (size_t i = 0; i < places.size(); ++i) {
      if ((places[i] == unplaced) == wanted) seconds.push_back(i);
    }
  }
  // The last to return comes first: it says most, as an overwrite that a stale read did not see.
  std::vector<size_t> firsts(part.operations.size());
  for (size_t i = 0; i < firsts.size(); ++i) firsts[i] = i;
  std::sort(firsts.begin(), firsts.end(), [&](size_t a, size_t b) {
    const int64_t a_returned = ReturnedAt(part.operations[a]);
    const int64_t b_returned = ReturnedAt(part.operations[b]);
    return a_returned != b_returned ? a_returned > b_returned : a < b;
  });
  for (size_t second : seconds) {
    for (size_t first : firsts) {
      if (Blocks(part, first, second))
        return std::pair(size_t{places[first]}, size_t{places[second]});
    }
  }
  return std::nullopt;
}

bool Shrinker::Blocks(const History& part, size_t first, size_t second) {
  const Instant invoked = part.operations[second].invoked;
  if (ReturnedAt(part.operations[first]) >= invoked.time_since_epoch().count()) return false;
  History relaxed = part;
  relaxed.operations[first].returned = invoked;
  return judge_.Judge(relaxed) == Verdict::kLinearizable;
}

}  // namespace lockstep::linearizability
