#include "sim/workload/workload_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lockstep::sim {
namespace {

using std::chrono::milliseconds;

Duration DrawMillis(Rng& rng, uint64_t first, uint64_t final) {
  return milliseconds(static_cast<int64_t>(rng.Magnitude(first, final)));
}

// Each kind is off in half of the runs; at least one kind of write and one of read stays.
OperationMix DrawMix(Rng& rng) {
  OperationMix mix;
  uint32_t* const kinds[] = {&mix.get,    &mix.put,  &mix.append,
                             &mix.remove, &mix.list, &mix.compare_and_swap};
  for (uint32_t* weight : kinds) {
    const bool on = rng.Chance({1, 2});
    const uint64_t drawn = rng.Magnitude(1, 100);
    if (on) *weight = static_cast<uint32_t>(drawn);
  }
  const uint32_t writes = mix.put + mix.append + mix.remove + mix.compare_and_swap;
  if (writes == 0) mix.put = 10;
  if (mix.get + mix.list == 0) mix.get = std::max(1u, writes / 2);
  // Where nothing shortens a value, appends would make every read as long as the history.
  mix.put = std::max(mix.put, mix.append / 8);
  if (mix.append > 0) mix.put = std::max(mix.put, 1u);
  return mix;
}

// From a stream of its own: what came before it is drawn as ever.
void DrawPairs(Rng rng, WorkloadOptions& options) {
  const bool tagged = rng.Chance({1, 3});
  const uint64_t tags = rng.Between(1, 4);
  if (tagged) options.tags = static_cast<uint32_t>(tags);
  const bool few_sessions = rng.Chance({1, 4});
  const uint64_t sessions = rng.Between(1, 4);
  if (few_sessions) options.shard_sessions_max = static_cast<uint32_t>(sessions);
  const bool on = rng.Chance({1, 3});
  const uint64_t pairs = rng.Between(1, 4);
  const uint64_t batch = rng.Magnitude(1, 50);
  const uint64_t get_many = rng.Magnitude(1, 50);
  if (!on) return;
  options.pairs = static_cast<uint32_t>(pairs);
  options.mix.batch = static_cast<uint32_t>(batch);
  options.mix.get_many = static_cast<uint32_t>(get_many);
}

void DrawTimes(Rng& rng, WorkloadOptions& options) {
  const bool hurried = rng.Chance({1, 3});
  const Duration think = DrawMillis(rng, 1, 2000);
  options.think_max = hurried ? Duration(0) : think;
  options.deadline_min = DrawMillis(rng, 100, 3000);
  const uint64_t spread = rng.Magnitude(1, 30);
  options.deadline_max = options.deadline_min * static_cast<int64_t>(spread);
  options.attempt_timeout = DrawMillis(rng, 50, 2000);
  options.backoff_min = DrawMillis(rng, 1, 50);
  const uint64_t backoff_range = rng.Magnitude(1, 100);
  options.backoff_max = options.backoff_min * static_cast<int64_t>(backoff_range);
}

void DrawValues(Rng& rng, WorkloadOptions& options) {
  options.value_bytes_max = rng.Magnitude(1, 64);
  const bool large = rng.Chance({1, 4});
  const uint64_t large_bytes = rng.Magnitude(256, 8192);
  const uint64_t large_every = rng.Between(5, 50);
  if (large) {
    options.large_bytes_max = large_bytes;
    options.large = {1, static_cast<uint32_t>(large_every)};
  }
  options.unique_values = rng.Chance({7, 8});
}

int64_t Millis(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration).count();
}

}  // namespace

WorkloadOptions WorkloadOptions::Draw(Rng& rng, uint32_t operations) {
  WorkloadOptions options;
  const bool crowd = rng.Chance({1, 16});
  options.clients = static_cast<uint32_t>(rng.Between(1, crowd ? 50 : 8));
  const bool parallel = rng.Chance({1, 3});
  const uint64_t processes = rng.Between(2, 8);
  options.processes = parallel ? static_cast<uint32_t>(processes) : 1;
  // Fewer places than processes now and then: operations queue inside the client.
  options.outstanding_max = static_cast<uint32_t>(rng.Between(1, options.processes));
  const uint64_t drawn_operations = rng.Magnitude(100, 5000);
  options.operations = operations != 0 ? operations : drawn_operations;
  options.keys = static_cast<uint32_t>(rng.Magnitude(1, 20));
  options.skew = static_cast<uint32_t>(rng.Between(1, 4));
  options.mix = DrawMix(rng);
  DrawPairs(rng.Split("pairs"), options);
  DrawValues(rng, options);
  DrawTimes(rng, options);
  const bool some_only_read = rng.Chance({1, 2});
  const uint64_t readers = rng.Between(0, options.clients / 2);
  if (some_only_read) options.readers = static_cast<uint32_t>(readers);
  const bool restarts = rng.Chance({1, 3});
  const uint64_t restart_every = rng.Magnitude(10, 500);
  if (restarts) options.restart = {1, static_cast<uint32_t>(restart_every)};
  Rng any = rng.Split("any replica");
  const bool any_replica = any.Chance({1, 2});
  const uint64_t one_in = any.Between(1, 4);
  if (any_replica) options.any_replica = {1, static_cast<uint32_t>(one_in)};
  return options;
}

std::string Describe(const WorkloadOptions& options) {
  const OperationMix& mix = options.mix;
  std::string text = absl::StrFormat(
      "%d clients (%d only read) x %d, %d operations on %d keys (skew %d)", options.clients,
      options.readers, options.processes, options.operations, options.keys, options.skew);
  absl::StrAppendFormat(&text, "\nmix: get %d, put %d, append %d, delete %d, cas %d, list %d",
                        mix.get, mix.put, mix.append, mix.remove, mix.compare_and_swap, mix.list);
  if (options.pairs > 0) {
    absl::StrAppendFormat(&text, ", batch %d and get_many %d on %d pairs", mix.batch, mix.get_many,
                          options.pairs);
  }
  if (mix.read_several + mix.bulk + mix.misplaced_batch > 0) {
    absl::StrAppendFormat(&text, ", reads of several keys %d, bulk %d, misplaced batches %d",
                          mix.read_several, mix.bulk, mix.misplaced_batch);
  }
  if (options.tags > 0) absl::StrAppendFormat(&text, "; %d tags", options.tags);
  absl::StrAppendFormat(&text, "\nvalues: %s, up to %d bytes",
                        options.unique_values ? "unique" : "few", options.value_bytes_max);
  if (options.large_bytes_max > 0) {
    absl::StrAppendFormat(&text, ", one in %d up to %d", options.large.denominator,
                          options.large_bytes_max);
  }
  absl::StrAppendFormat(&text, "\nthink up to %d ms, deadlines %d to %d ms",
                        Millis(options.think_max), Millis(options.deadline_min),
                        Millis(options.deadline_max));
  absl::StrAppendFormat(&text, "\nattempts %d ms, backoff %d to %d ms, outstanding %d",
                        Millis(options.attempt_timeout), Millis(options.backoff_min),
                        Millis(options.backoff_max), options.outstanding_max);
  if (options.thin > 0) {
    absl::StrAppendFormat(&text, "\n%d thin clients (%d with sessions), patience %d + %d ms",
                          options.thin, options.thin_in_session, Millis(options.thin_patience),
                          Millis(options.thin_grace));
  }
  if (options.stale.numerator > 0) {
    absl::StrAppendFormat(&text, ", one read in %d stale", options.stale.denominator);
  }
  if (options.any_replica.numerator > 0) {
    absl::StrAppendFormat(&text, ", one read in %d from any replica",
                          options.any_replica.denominator);
  }
  if (options.restart.numerator > 0) {
    absl::StrAppendFormat(&text, ", a restart every %d operations", options.restart.denominator);
  }
  return text;
}

}  // namespace lockstep::sim
