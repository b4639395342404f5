// How long what must happen may take, in virtual time.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "core/client/options.h"
#include "sim/world/simulation_run.h"

namespace lockstep::sim {

// Time enough for elections to fail a few times, for clients to try every server, for the
// stragglers to catch up, and for every operation one by one; yet finite.
int64_t SimulationRun::LivenessBound() const {
  const WorkloadOptions& workload = climate_.workload;
  const HostOptions& host = climate_.world.host;
  const auto slowest = [](const Latency& latency) {
    return latency.floor + 3 * (latency.mean << latency.tail_doublings);
  };
  const int64_t unit = climate_.unit().count();
  const int64_t client = workload.attempt_timeout.count() + workload.backoff_max.count();
  const int64_t round = 4 * world_.network().SlowestOrdinary() + 2 * slowest(host.log_latency) +
                        4 * slowest(host.table_latency);
  const int64_t operations = int64_t{workload.clients} * workload.processes * (workload.keys + 4);
  const int64_t patience = 2 * (workload.attempt_timeout.count() << client::kPatienceDoublingsMax);
  return patience + 60 * (unit + client) + workload.deadline_max.count() + operations * 4 * round +
         MovingBound() + GatewayBound() + ChangingBound() + SpreadingBound();
}

// Each group may have to move once, and a node gives one away at a time; some attempts fail.
int64_t SimulationRun::SpreadingBound() const {
  const auto groups = static_cast<int64_t>(climate_.groups.size());
  return 6 * groups * climate_.node.leader_spread_every.count();
}

// What is under way ends or is called off, then the final members catch up, each with all that was
// written, and three entries are committed; meanwhile leaders may have to go.
int64_t SimulationRun::ChangingBound() const {
  if (!climate_.changes.has_value()) return 0;
  const int64_t look = climate_.changes->retry.count() + climate_.workload.attempt_timeout.count();
  return 40 * (look + climate_.unit().count());
}

// Of calls that go wrong each makes its client more patient; then some go to servers that are dead,
// or to gateways that find their way first.
int64_t SimulationRun::GatewayBound() const {
  if (!climate_.sharded.has_value()) return 0;
  const WorkloadOptions& workload = climate_.workload;
  const gateway::GatewayOptions& gateway = climate_.sharded->gateway;
  const int64_t attempt = gateway.router.attempt_timeout.count();
  const int64_t call = (workload.thin_patience + workload.thin_grace).count();
  const int64_t tries = 4 * (workload.processes + workload.keys + 4);
  const int64_t inquiries = 16 * (gateway.status_patience + workload.thin_grace).count();
  // Each call to a server that is gone costs all of a patience that has grown.
  const int64_t alive = std::popcount(core_);
  const int64_t unlucky = 8 * (climate_.world.servers - alive) / std::max<int64_t>(alive, 1);
  return ((2 * attempt + (4 + unlucky) * call) << client::kPatienceDoublingsMax) + tries * call +
         60 * (attempt + gateway.router.backoff_max.count()) + gateway.patience.count() + inquiries;
}

// Groups come to each configuration one after the other, and a shard may have to follow its whole
// way from group to group; each step may have to wait for its turn, and be asked for again.
int64_t SimulationRun::MovingBound() const {
  if (!shards_.has_value()) return 0;
  const shardkv::AgentOptions& agent = climate_.node.agent;
  const int64_t step = 4 * (agent.retry_max + agent.poll_every + climate_.unit()).count();
  const int64_t configurations = static_cast<int64_t>(shards_->mirror().newest().num.value()) + 8;
  const int64_t shards = climate_.node.shards;
  // What a part costs, for all of the data that clients may have written.
  const int64_t bytes = static_cast<int64_t>(shards_->model().bytes_written()) + (64 << 10);
  const int64_t parts = shards * 8 + bytes / climate_.node.agent.part_bytes_max;
  const int64_t second = 1'000'000'000;
  // Snapshots for members that came, of each server's groups, share the rate.
  const int64_t rate = static_cast<int64_t>(climate_.node.bulk_bytes_per_second_max);
  const int64_t moved = rate == 0 ? 0 : 4 * second * bytes / rate * (1 + climate_.world.servers);
  return configurations * step + 4 * parts * step / agent.pulls_max + moved;
}

}  // namespace lockstep::sim
