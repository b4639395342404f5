#include "sim/world/world_counters.h"

#include "absl/strings/str_cat.h"

namespace lockstep::sim {

void AppendWorldCounters(World& world, Counters* counters) {
  DiskCounters disks;
  for (uint16_t id = 1; id <= world.servers(); ++id) {
    const DiskCounters& disk = world.server(id).files().counters();
    disks.syncs += disk.syncs;
    disks.pages_dropped += disk.pages_dropped;
    disks.pages_torn += disk.pages_torn;
    disks.names_lost += disk.names_lost;
  }
  uint64_t repairs = 0;
  for (uint16_t id = 1; id <= world.servers(); ++id) repairs += world.server(id).repairs();
  const Network::Totals& network = world.network().totals();
  auto& values = counters->values;
  values.emplace_back("disk syncs", disks.syncs);
  values.emplace_back("pages lost", disks.pages_dropped);
  values.emplace_back("pages torn", disks.pages_torn);
  values.emplace_back("names lost", disks.names_lost);
  values.emplace_back("damage repaired", repairs);
  values.emplace_back("messages sent", network.sent);
  values.emplace_back("messages delivered", network.delivered);
  values.emplace_back("messages lost", network.lost);
  values.emplace_back("messages cut off", network.cut);
  values.emplace_back("messages pushed out", network.evicted);
  values.emplace_back("messages duplicated", network.duplicated);
  values.emplace_back("messages held", network.held);
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    const FaultCounts& counts = world.ledger().counts(kind);
    values.emplace_back(absl::StrCat("fault ", FaultName(kind)), counts.applied);
    values.emplace_back(absl::StrCat("effective ", FaultName(kind)), counts.effective);
  }
}

}  // namespace lockstep::sim
