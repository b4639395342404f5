#include "sim/faults/fault_options.h"

#include "absl/strings/str_cat.h"

namespace lockstep::sim {
namespace {

// Each time costs a server for as long as it takes to find and to repair it.
constexpr int64_t kRotRarer = 2;
// Each time costs a server for ever.
constexpr int64_t kWipeRarer = 8;

int64_t DrawTime(Rng& rng, int64_t first, int64_t final) {
  return rng.Between(Duration(first), Duration(final)).count();
}

FaultRate DrawRate(Rng& rng, int64_t unit) {
  FaultRate rate;
  if (rng.Chance({1, 2})) {  // few and long
    rate.gap_mean = DrawTime(rng, 20 * unit, 80 * unit);
    rate.length_min = unit;
    rate.length_max = DrawTime(rng, 2 * unit, 8 * unit);
  } else {  // many and short
    rate.gap_mean = DrawTime(rng, 4 * unit, 25 * unit);
    rate.length_min = unit / 100;
    rate.length_max = DrawTime(rng, unit / 8, unit + unit / 2);
  }
  return rate;
}

// The first of the kinds that came together.
bool OpensStream(FaultKind kind) {
  switch (kind) {
    case FaultKind::kGroupPartition:
    case FaultKind::kHandoverStrike:
    case FaultKind::kCrashLoop:
    case FaultKind::kMisdirectedWrite:
    case FaultKind::kDiskFull:
    case FaultKind::kDiskWipe:
    case FaultKind::kTransferStrike:
      return true;
    default:
      return false;
  }
}

}  // namespace

FaultOptions FaultOptions::Draw(Rng& rng, FaultSet allowed, bool all_on, int64_t unit) {
  FaultOptions options;
  options.unit = unit;
  // A kind that came later than others draws from a stream of its own: so the runs in which it
  // never happens are what they were.
  const Rng streams = rng;
  Rng own = rng;
  Rng* stream = &rng;
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    // Drawn for every kind, so that allowing one kind more changes no other's rate.
    if (OpensStream(kind)) {
      own = streams.Split(FaultName(kind));
      stream = &own;
    }
    const bool heads = stream->Chance({1, 2});
    options.rates[i] = DrawRate(*stream, unit);
    const bool damages = kind == FaultKind::kBitRot || kind == FaultKind::kMisdirectedWrite;
    if (damages) options.rates[i].gap_mean *= kRotRarer;
    if (kind == FaultKind::kDiskWipe) options.rates[i].gap_mean *= kWipeRarer;
    if (allowed.contains(kind) && (heads || all_on)) options.on.insert(kind);
  }
  options.aim = {1, static_cast<uint32_t>(rng.Magnitude(1, 64))};
  options.hint = {static_cast<uint32_t>(rng.Below(5)), 4};
  options.kill = {static_cast<uint32_t>(rng.Below(3)), 4};
  options.clients_take_part = rng.Chance({1, 2});
  return options;
}

std::string Describe(const FaultOptions& options) {
  std::string text = absl::StrCat(
      "faults: aim 1/", options.aim.denominator, ", hints ", options.hint.numerator, "/4, kills ",
      options.kill.numerator, "/4, clients ", options.clients_take_part ? "take part" : "exempt");
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    if (!options.on.contains(kind)) continue;
    const FaultRate& rate = options.rate(kind);
    absl::StrAppend(&text, "\n  ", FaultName(kind), ": every ", rate.gap_mean / 1000, " us for ",
                    rate.length_min / 1000, "..", rate.length_max / 1000, " us");
  }
  return text;
}

}  // namespace lockstep::sim
