#include "sim/world/lane.h"

namespace lockstep::sim {
namespace {

uint64_t BytesOf(const std::vector<Entry>& entries) {
  uint64_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.data.size();
  return bytes;
}

}  // namespace

uint64_t BytesOf(const StorageJob& job) {
  uint64_t bytes = 0;
  if (const auto* commit = std::get_if<CommitLog>(&job)) {
    for (const LogBatch& batch : commit->batches) bytes += BytesOf(batch.append);
  }
  if (const auto* apply = std::get_if<ApplyEntries>(&job)) bytes = BytesOf(apply->entries);
  if (const auto* write = std::get_if<WriteSnapshot>(&job)) bytes = write->data.size();
  return bytes;
}

uint64_t BytesOf(const StorageResult& result) {
  uint64_t bytes = 0;
  if (const auto* query = std::get_if<QueryDone>(&result)) {
    for (const QueryDone::Item& item : query->items) bytes += item.reply.size();
  }
  if (const auto* read = std::get_if<ReadSnapshotDone>(&result)) bytes = read->data.size();
  return bytes;
}

}  // namespace lockstep::sim
