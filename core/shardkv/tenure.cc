#include "core/shardkv/tenure.h"

#include "core/base/check.h"
#include "core/shardkv/table_layout.h"

namespace lockstep::shardkv {

std::string Tenure::prefix() const { return TenureKey(kContentsKind, id.shard, id.since); }

proto::ShardSummary Tenure::Summary() const {
  Check(state == proto::SHARD_FROZEN);
  proto::ShardSummary summary;
  summary.set_version(frozen_version);
  summary.set_keys(counts.keys);
  summary.set_bytes(counts.bytes);
  summary.set_content(counts.content);
  return summary;
}

proto::ShardTenure ToProto(const Tenure& tenure) {
  proto::ShardTenure record;
  record.set_shard(tenure.id.shard);
  record.set_since(tenure.id.since);
  record.set_state(tenure.state);
  record.set_until(tenure.until);
  if (tenure.source.gid() != 0) *record.mutable_source() = tenure.source;
  record.set_source_ended(tenure.source_ended);
  if (tenure.destination.gid() != 0) *record.mutable_destination() = tenure.destination;
  if (tenure.state == proto::SHARD_PULLING) {
    record.set_next_sequence(tenure.next_sequence);
    record.set_resume(tenure.resume);
  }
  record.set_joined(tenure.joined);
  record.set_version_offset(tenure.version_offset);
  record.mutable_summary()->set_version(tenure.frozen_version);
  record.mutable_summary()->set_keys(tenure.counts.keys);
  record.mutable_summary()->set_bytes(tenure.counts.bytes);
  record.mutable_summary()->set_content(tenure.counts.content);
  return record;
}

Tenure FromProto(const proto::ShardTenure& record) {
  Tenure tenure;
  tenure.id = {record.shard(), record.since()};
  tenure.state = record.state();
  tenure.until = record.until();
  tenure.source = record.source();
  tenure.source_ended = record.source_ended();
  tenure.destination = record.destination();
  if (tenure.state == proto::SHARD_PULLING) {
    tenure.next_sequence = record.next_sequence();
    tenure.resume = record.resume();
  }
  tenure.joined = record.joined();
  tenure.version_offset = record.version_offset();
  tenure.frozen_version = record.summary().version();
  return tenure;
}

}  // namespace lockstep::shardkv
