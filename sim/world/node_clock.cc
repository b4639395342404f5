#include "sim/world/node_clock.h"

#include "core/base/check.h"
#include "sim/world/timeline.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kMillion = 1'000'000;
__extension__ using Wide = __int128;

int64_t Scaled(int64_t value, int64_t numerator, int64_t denominator, bool up) {
  const Wide product = static_cast<Wide>(value) * numerator + (up ? denominator - 1 : 0);
  return static_cast<int64_t>(product / denominator);
}

}  // namespace

void NodeClock::Draw(const ClockOptions& options, int64_t time, Rng rng) {
  CheckLt(int64_t{options.drift_max}, kMillion);
  const uint64_t offset = rng.Below(static_cast<uint64_t>(options.offset_max) + 1);
  const int64_t extreme = int64_t{options.drift_max};
  const uint64_t drawn = rng.Below(2 * static_cast<uint64_t>(extreme) + 1);
  const bool extremely = rng.Chance({3, 4});
  const bool fast = rng.Chance({1, 2});
  drift_ = static_cast<int64_t>(drawn) - extreme;
  if (extremely) drift_ = fast ? extreme : -extreme;
  since_ = time;
  base_ = time + static_cast<int64_t>(offset);
}

Instant NodeClock::At(int64_t time) const {
  CheckLe(since_, time);
  return ToInstant(base_ + Scaled(time - since_, kMillion + drift_, kMillion, /*up=*/false));
}

int64_t NodeClock::WorldTime(Instant local) const {
  if (local == kNever) return kNoTime;
  const int64_t told = local.time_since_epoch().count();
  if (told <= base_) return since_;
  return since_ + Scaled(told - base_, kMillion, kMillion + drift_, /*up=*/true);
}

}  // namespace lockstep::sim
