#include "fuzz/support/schedule_mutator.h"

#include <algorithm>
#include <iterator>

#include "core/base/check.h"

namespace lockstep::fuzz {
namespace {

using Draws = sim::DecisionTape::Draws;

constexpr uint64_t kNodesMost = 7;

// What makes a difference: the ends of a draw's range, its neighbourhood, anything.
uint64_t Value(Rng& rng) {
  switch (rng.Below(4)) {
    case 0:
      return 0;
    case 1:
      return UINT64_MAX;
    case 2:
      return rng.Next() >> rng.Below(16);
    default:
      return rng.Next();
  }
}

Draws::iterator Any(Draws& draws, Rng& rng) {
  const uint64_t skip = rng.Below(draws.size());
  return std::next(draws.begin(), static_cast<ptrdiff_t>(skip));
}

void ChangeOptions(sim::RunOptions& run, Rng& rng) {
  switch (rng.Below(4)) {
    case 0:
      run.seed = rng.Next();
      return;
    case 1:
      run.operations = static_cast<uint32_t>(rng.Magnitude(1, kFuzzedOperationsMax));
      return;
    case 2:
      run.nodes_min = static_cast<uint32_t>(rng.Between(1, kNodesMost));
      run.nodes_max = run.nodes_min;
      return;
    default:
      run.schedule = rng.Chance({1, 2}) ? sim::Schedule::kPct : sim::Schedule::kRandom;
      return;
  }
}

// The same decision again and again, from some place on.
void Repeat(Draws& draws, uint64_t place, Rng& rng) {
  const uint64_t value = Value(rng);
  const uint64_t times = rng.Magnitude(1, 16);
  for (uint64_t i = 0; i < times; ++i) draws[place + i * kDrawStep] = value;
}

void MutateOnce(sim::DecisionLog& log, const Streams& streams, Rng& rng) {
  Draws& draws = log.draws;
  const uint64_t kind = rng.Below(16);
  if (kind == 0 || (draws.empty() && streams.empty())) return ChangeOptions(log.run, rng);
  if (draws.empty() || (kind < 8 && !streams.empty())) {
    draws[streams.Place(rng)] = Value(rng);
    return;
  }
  if (kind < 10 && !streams.empty()) return Repeat(draws, streams.Place(rng), rng);
  const Draws::iterator some = Any(draws, rng);
  if (kind < 12) {
    some->second = Value(rng);
  } else if (kind < 14) {
    draws.erase(some);
  } else {
    draws[some->first + kDrawStep] = Value(rng);
  }
}

std::string Fit(sim::DecisionLog& log, size_t bytes_max, Rng& rng) {
  std::string bytes = sim::EncodeDecisionLog(log);
  while (bytes.size() > bytes_max && !log.draws.empty()) {
    for (size_t i = log.draws.size() / 8 + 1; i > 0; --i) log.draws.erase(Any(log.draws, rng));
    bytes = sim::EncodeDecisionLog(log);
  }
  return bytes;
}

}  // namespace

void Streams::Begin(const Draws* played) {
  constexpr uint64_t kFirstRuns = 64;
  constexpr uint64_t kOneIn = 32;
  played_ = played;
  learning_ = runs_ < kFirstRuns || runs_ % kOneIn == 0;
  ++runs_;
  if (!learning_) return;
  next_.clear();
  for (size_t i = 0; i < streams_.size(); ++i) {
    streams_[i].drawn = 0;
    next_[streams_[i].first] = i;
  }
}

uint64_t Streams::Draw(uint64_t place, uint64_t drawn) {
  if (learning_) Learn(place);
  const auto decided = played_->find(place);
  return decided == played_->end() ? drawn : decided->second;
}

void Streams::Learn(uint64_t place) {
  const auto known = next_.find(place);
  size_t stream = streams_.size();
  if (known == next_.end()) {
    streams_.push_back({.first = place, .draws = 0, .drawn = 0});
  } else {
    stream = known->second;
    next_.erase(known);
  }
  next_[place + kDrawStep] = stream;
  Stream& one = streams_[stream];
  one.draws = std::max(one.draws, ++one.drawn);
}

uint64_t Streams::Place(Rng& rng) const {
  Check(!empty());
  const Stream& stream = streams_[rng.Below(streams_.size())];
  // The first ones decide most, of the others each is as good as the next.
  const bool early = rng.Chance({1, 2});
  const uint64_t skip = early ? rng.Magnitude(1, stream.draws) - 1 : rng.Below(stream.draws);
  return stream.first + skip * kDrawStep;
}

bool IsFuzzable(const sim::DecisionLog& log, sim::Profile profile) {
  return log.run.profile == profile && log.run.operations >= 1 &&
         log.run.operations <= kFuzzedOperationsMax && log.run.nodes_max <= kNodesMost &&
         log.run.events_max == sim::RunOptions().events_max && log.run.time == Duration(0) &&
         log.run.judges == sim::Judges::kAll;
}

sim::DecisionLog FirstLog(sim::Profile profile, uint64_t seed) {
  sim::DecisionLog log;
  log.run.profile = profile;
  log.run.seed = seed;
  log.run.operations = 20;
  return log;
}

std::string Mutate(sim::DecisionLog log, const Streams& streams, size_t bytes_max, Rng rng) {
  const uint64_t times = rng.Magnitude(1, 16);
  for (uint64_t i = 0; i < times; ++i) MutateOnce(log, streams, rng);
  return Fit(log, bytes_max, rng);
}

std::string Cross(sim::DecisionLog one, const sim::DecisionLog& other, size_t bytes_max, Rng rng) {
  for (const auto& [place, drawn] : other.draws) {
    if (rng.Chance({1, 2})) one.draws[place] = drawn;
  }
  return Fit(one, bytes_max, rng);
}

}  // namespace lockstep::fuzz
