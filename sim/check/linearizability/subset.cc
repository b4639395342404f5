#include "sim/check/linearizability/subset.h"

#include <algorithm>

#include "sim/check/linearizability/portfolio.h"

namespace lockstep::linearizability {
namespace {

int64_t InvokedAt(const Operation& operation) {
  return operation.invoked.time_since_epoch().count();
}

bool OnlyReads(const Operation& operation) {
  return operation.kind == Kind::kGet || operation.outcome == Outcome::kMismatch;
}

constexpr size_t kTailBytes = 64;
constexpr uint64_t kBytesPerStep = 16;  // that a string search reads in the time of a step

// Knuth, Morris and Pratt: padded values would make the plain search quadratic.
bool Occurs(absl::string_view text, absl::string_view in) {
  if (text.empty()) return true;
  std::vector<size_t> border(text.size() + 1, 0);  // of each prefix
  for (size_t i = 1, k = 0; i < text.size(); ++i) {
    while (k > 0 && text[i] != text[k]) k = border[k];
    if (text[i] == text[k]) ++k;
    border[i + 1] = k;
  }
  size_t matched = 0;
  for (const char c : in) {
    while (matched > 0 && c != text[matched]) matched = border[matched];
    if (c == text[matched]) ++matched;
    if (matched == text.size()) return true;
  }
  return false;
}

}  // namespace

SubsetJudge::SubsetJudge(const History& history, const std::vector<uint32_t>& key,
                         uint64_t steps_max)
    : history_(history), steps_max_(steps_max) {
  for (uint32_t i : key) {
    if (history.operations[i].kind == Kind::kAppend) appends_ = true;
  }
}

History SubsetJudge::Build(const Subset& subset, std::vector<uint32_t>* places) const {
  History part;
  part.initial = history_.initial;
  places->clear();
  for (uint32_t i : subset.operations) {
    Operation operation = history_.operations[i];
    if (InvokedAt(operation) > subset.cut) continue;
    const bool late = operation.returned.time_since_epoch().count() > subset.cut;
    if (late && !operation.open()) {
      if (OnlyReads(operation)) continue;
      operation.outcome = Outcome::kUnknown;
    }
    part.operations.push_back(std::move(operation));
    places->push_back(i);
  }
  return part;
}

Options SubsetJudge::JudgeOptions(uint64_t steps_max) const {
  Options options;
  options.steps_max = std::min(steps_max, steps_max_ - std::min(steps_, steps_max_));
  options.memory_bytes_max = uint64_t{1} << 28;
  options.use[static_cast<size_t>(Algorithm::kWitness)] = false;
  return options;
}

Verdict SubsetJudge::Judge(const History& history, uint64_t steps_max) {
  if (exhausted()) return Verdict::kUndecided;
  const Options options = JudgeOptions(steps_max);
  Portfolio portfolio(history, options);
  const Verdict verdict = portfolio.Run();
  steps_ += portfolio.steps() + history.operations.size();
  return verdict;
}

Verdict SubsetJudge::Judge(const Subset& subset, uint64_t steps_max) {
  std::vector<uint32_t> places;
  return Judge(Build(subset, &places), steps_max);
}

std::string SubsetJudge::Reason(const Subset& subset) {
  std::vector<uint32_t> places;
  const History part = Build(subset, &places);
  const Options options = JudgeOptions(kTryStepsMax);
  Portfolio portfolio(part, options);
  return portfolio.Run() == Verdict::kViolation ? portfolio.finding().reason : "";
}

bool SubsetJudge::Close(const std::vector<uint32_t>& from, std::vector<uint32_t>* operations) {
  std::vector<uint32_t> closed = *operations;
  std::vector<uint32_t> outside;
  std::set_difference(from.begin(), from.end(), closed.begin(), closed.end(),
                      std::back_inserter(outside));
  // A swap that comes in observes something itself, so this repeats until nothing comes in.
  for (bool grew = true; grew;) {
    grew = false;
    const Observations observed = ObservedBy(closed);
    std::vector<uint32_t> still_outside;
    for (uint32_t i : outside) {
      ++steps_;
      if (exhausted()) return false;
      if (CanHaveSeen(observed, i)) {
        closed.push_back(i);
        grew = true;
      } else {
        still_outside.push_back(i);
      }
    }
    outside = std::move(still_outside);
  }
  std::sort(closed.begin(), closed.end());
  *operations = std::move(closed);
  return true;
}

SubsetJudge::Observations SubsetJudge::ObservedBy(const std::vector<uint32_t>& operations) const {
  Observations observed;
  uint32_t observer = 0;
  const auto see = [&](const Value& value) {
    if (value.has_value()) {
      observed.strings.push_back({value->view(), observer});
    } else {
      observed.missing = true;
    }
  };
  for (uint32_t i : operations) {
    observer = i;
    const Operation& operation = history_.operations[i];
    if (operation.kind == Kind::kGet && !operation.open()) see(operation.result);
    if (operation.kind != Kind::kCompareAndSwap) continue;
    if (operation.outcome != Outcome::kMismatch) {
      see(operation.expected);
    } else if (operation.result_known) {
      see(operation.result);
    } else {
      observed.anything = true;
    }
  }
  std::sort(observed.strings.begin(), observed.strings.end(),
            [](const Observed& a, const Observed& b) {
              if (a.value != b.value) return a.value < b.value;
              return a.observer < b.observer;
            });
  observed.strings.erase(
      std::unique(observed.strings.begin(), observed.strings.end(),
                  [](const Observed& a, const Observed& b) { return a.value == b.value; }),
      observed.strings.end());
  return observed;
}

bool SubsetJudge::CanHaveSeen(const Observations& observed, uint32_t place) {
  const Operation& write = history_.operations[place];
  if (OnlyReads(write)) return false;
  if (observed.anything) return true;
  const bool deletes = write.kind == Kind::kDelete || !write.value.has_value();
  // With appends, any string may have begun at a delete.
  if (deletes) return observed.missing || (appends_ && !observed.strings.empty());
  if (appends_) {
    return std::any_of(observed.strings.begin(), observed.strings.end(),
                       [&](const Observed& string) { return MayContain(string, place); });
  }
  const absl::string_view value = write.value->view();
  const auto found =
      std::lower_bound(observed.strings.begin(), observed.strings.end(), value,
                       [](const Observed& a, absl::string_view b) { return a.value < b; });
  return found != observed.strings.end() && found->value == value;
}

// Whether the written text occurs in the observed string. For long texts only their ends are looked
// for: that errs on the side of keeping a write.
bool SubsetJudge::MayContain(const Observed& observed, uint32_t write) {
  const uint32_t known = contains_.Find(observed.observer, write);
  if (known != PairMap::kAbsent) {
    ++steps_;
    return known == 1;
  }
  const absl::string_view text = history_.operations[write].value->view();
  const absl::string_view tail = text.substr(text.size() - std::min(text.size(), kTailBytes));
  steps_ += 1 + observed.value.size() / kBytesPerStep;
  const bool contains = text.size() <= observed.value.size() && Occurs(tail, observed.value);
  contains_.Insert(observed.observer, write, contains ? 1 : 0);
  return contains;
}

}  // namespace lockstep::linearizability
