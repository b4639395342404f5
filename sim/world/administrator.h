// Asks servers to hand leadership over, now and then, like an operator before maintenance. A client
// like the others, who does not care about the answers.
#ifndef LOCKSTEP_SIM_WORLD_ADMINISTRATOR_H_
#define LOCKSTEP_SIM_WORLD_ADMINISTRATOR_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "sim/workload/sim_client.h"

namespace lockstep::sim {

class Administrator final : public SimClient {
 public:
  // Asks one of `groups` every `gap_mean` on the average; zero: never. Servers are 1 to `servers`.
  Administrator(Duration gap_mean, uint16_t servers, std::vector<GroupId> groups, Rng rng)
      : gap_mean_(gap_mean), servers_(servers), groups_(std::move(groups)), rng_(rng) {}

  // Before Start(). `port` outlives this object.
  void Bind(ClientPort& port) { port_ = &port; }
  void Stop() { stopped_ = true; }
  // Once, now. Nobody: whoever is the most up to date.
  void Ask(GroupId group, NodeId successor);

  void Start() override { Sleep(); }
  void OnReply(uint64_t attempt, const Bytes& reply) override;
  void OnWake() override;
  bool Done() const override { return true; }
  std::string WaitingFor() const override { return ""; }

  uint64_t asked() const { return attempts_; }
  uint64_t agreed() const { return agreed_; }  // answered that it has begun

 private:
  void Sleep();
  GroupId DrawGroup();

  const Duration gap_mean_;
  const uint16_t servers_;
  const std::vector<GroupId> groups_;
  Rng rng_;
  ClientPort* port_ = nullptr;
  bool stopped_ = false;
  uint64_t attempts_ = 0;
  uint64_t agreed_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_ADMINISTRATOR_H_
