#include "sim/check/linearizability/order.h"

#include "sim/check/linearizability/depth_first.h"

namespace lockstep::linearizability {
namespace {

constexpr uint64_t kMemoryBytesMax = uint64_t{1} << 28;

}  // namespace

std::vector<size_t> FindOrder(const History& history, const std::vector<uint32_t>& operations,
                              uint64_t steps_max) {
  Partition partition(history, operations);
  MemoryMeter memory(kMemoryBytesMax);
  DepthFirst search(partition, memory);
  Steps steps{0, steps_max};
  std::vector<size_t> order;
  if (search.Run(steps) != Progress::kLinearizable) return order;
  for (uint32_t i : search.Order()) order.push_back(partition.entries()[i].operation);
  return order;
}

}  // namespace lockstep::linearizability
