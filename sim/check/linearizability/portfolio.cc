#include "sim/check/linearizability/portfolio.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/check/linearizability/witness.h"
#include "sim/check/linearizability/zones.h"

namespace lockstep::linearizability {
namespace {

constexpr uint64_t kScreenSteps = 16;  // what replay and zones take for one operation, in steps

constexpr size_t kWidthGrowth = 8;

}  // namespace

Portfolio::Portfolio(const History& history, const Options& options)
    : history_(history), options_(options), memory_(options.memory_bytes_max) {
  for (std::vector<uint32_t>& operations : SplitByKey(history)) {
    Job job;
    job.operations = std::move(operations);
    job.width = std::max<size_t>(options.frontier_width, 1);
    jobs_.push_back(std::move(job));
  }
}

Verdict Portfolio::Run() {
  size_t open = 0;
  for (Job& job : jobs_) {
    if (steps_ < options_.steps_max) Screen(job);
    if (finding_.has_value()) return Verdict::kViolation;
    if (!job.decided) ++open;
  }
  // Each key gets its turn before any gets a longer one: an easy violation in one key must not wait
  // for a hard key before it.
  for (uint64_t slice = std::max<uint64_t>(options_.slice_steps, 1); open > 0; slice *= 2) {
    open = 0;
    for (Job& job : jobs_) {
      if (job.decided || job.hopeless) continue;
      if (steps_ >= options_.steps_max) return Verdict::kUndecided;
      Search(job, slice);
      if (finding_.has_value()) return Verdict::kViolation;
      if (!job.decided && !job.hopeless) ++open;
    }
    if (slice > options_.steps_max) break;
  }
  return undecided().empty() ? Verdict::kLinearizable : Verdict::kUndecided;
}

std::vector<uint32_t> Portfolio::undecided() const {
  std::vector<uint32_t> keys;
  for (const Job& job : jobs_) {
    if (!job.decided) keys.push_back(job.operations.front());
  }
  return keys;
}

void Portfolio::Decide(Job& job, Algorithm algorithm) {
  job.decided = true;
  ++decided_[static_cast<size_t>(algorithm)];
  // In this order: the searches hold references to the partition.
  job.depth_first.reset();
  job.frontier.reset();
  job.partition.reset();
}

void Portfolio::Screen(Job& job) {
  job.partition = std::make_unique<Partition>(history_, job.operations);
  if (Uses(Algorithm::kWitness)) {
    steps_ += job.operations.size() * kScreenSteps;
    if (LinearizeByWitness(*job.partition).has_value()) return Decide(job, Algorithm::kWitness);
  }
  if (!Uses(Algorithm::kZones)) return;
  steps_ += job.operations.size() * kScreenSteps;
  ZonesResult zones = JudgeByZones(*job.partition);
  if (zones.verdict == ZonesResult::Verdict::kUnsuited) return;
  if (zones.verdict == ZonesResult::Verdict::kViolation) {
    Finding finding{Algorithm::kZones, job.operations, {}, std::nullopt, std::move(zones.reason)};
    for (uint32_t i : zones.culprits)
      finding.culprits.push_back(job.partition->entries()[i].operation);
    finding_ = std::move(finding);
  }
  Decide(job, Algorithm::kZones);
}

uint64_t Portfolio::Slice(uint64_t wanted) const {
  return std::min(wanted, options_.steps_max - std::min(steps_, options_.steps_max));
}

void Portfolio::Search(Job& job, uint64_t slice) {
  if (Uses(Algorithm::kFrontier) && !job.frontier_gave_up) RunFrontier(job, slice);
  if (job.decided) return;
  if (Uses(Algorithm::kDepthFirst)) {
    RunDepthFirst(job, slice);
  } else {
    job.hopeless = job.frontier_gave_up || !Uses(Algorithm::kFrontier);
  }
}

void Portfolio::RunFrontier(Job& job, uint64_t slice) {
  if (job.frontier == nullptr)
    job.frontier = std::make_unique<Frontier>(*job.partition, memory_, job.width);
  Steps steps{0, Slice(slice)};
  const Progress progress = job.frontier->Run(steps);
  steps_ += steps.used;
  if (progress == Progress::kViolation) {
    Finding finding{Algorithm::kFrontier, job.operations, {}, std::nullopt, ""};
    finding.stopped = job.partition->entries()[job.frontier->stopped()].operation;
    finding_ = std::move(finding);
  }
  if (progress == Progress::kViolation || progress == Progress::kLinearizable)
    Decide(job, Algorithm::kFrontier);
  if (progress == Progress::kTooNarrow) {
    job.width *= kWidthGrowth;
    job.frontier.reset();
  }
  if (progress == Progress::kGaveUp) {
    job.frontier_gave_up = true;
    job.frontier.reset();
  }
}

void Portfolio::RunDepthFirst(Job& job, uint64_t slice) {
  if (job.depth_first == nullptr)
    job.depth_first = std::make_unique<DepthFirst>(*job.partition, memory_);
  Steps steps{0, Slice(slice)};
  const Progress progress = job.depth_first->Run(steps);
  steps_ += steps.used;
  if (progress == Progress::kViolation)
    finding_ = Finding{Algorithm::kDepthFirst, job.operations, {}, std::nullopt, ""};
  if (progress == Progress::kViolation || progress == Progress::kLinearizable)
    Decide(job, Algorithm::kDepthFirst);
}

}  // namespace lockstep::linearizability
