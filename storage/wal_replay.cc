#include "storage/wal_replay.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace lockstep::storage::wal {
namespace {

// No log comes so far. What is behind has no next one.
constexpr Index kIndexMax(uint64_t{1} << 62);

// A record whose checksum is right and whose meaning is not: frames are missing, or a bug wrote it.
absl::Status Senseless(const Record& record, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("byte ", record.offset, ": group ", record.group.value(), ": ", what));
}

}  // namespace

Replay::Replay(const std::vector<GroupId>& groups, bool more) : more_(more) {
  for (const GroupId group : groups) AddGroup(group);
}

void Replay::AddGroup(GroupId group) {
  groups_.emplace_back();
  groups_.back().state.group = group;
}

absl::StatusOr<Replay::Group*> Replay::Find(const Record& record) {
  for (Group& group : groups_) {
    if (group.state.group == record.group) return &group;
  }
  if (more_) {
    AddGroup(record.group);
    return &groups_.back();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the log holds group ", record.group.value(),
                   ", which this node is not configured to host: configure it again, or move the "
                   "data directory away if it belongs to another node"));
}

absl::Status Replay::ApplyStatement(const Frame& frame, bool oldest) {
  for (const Record& record : frame.records) {
    if (record.type != RecordType::kGroup) {
      return Senseless(record, "a segment begins with something else than its statement");
    }
    absl::StatusOr<Group*> group = Find(record);
    if (!group.ok()) return group.status();
    const GroupStatement stated{record.group, record.hard_state, record.position, record.last};
    if (stated.last < stated.base.index) return Senseless(record, "its end is before its base");
    if (kIndexMax < stated.last) return Senseless(record, "an index that no log reaches");
    GroupStatement& state = (*group)->state;
    if (oldest) state = stated;
    if (stated == state) continue;
    return Senseless(record,
                     absl::StrCat("stated with base ", stated.base.index.value(), " and end ",
                                  stated.last.value(), ", but the segments before give base ",
                                  state.base.index.value(), " and end ", state.last.value(),
                                  ", or another hard state"));
  }
  return oldest ? absl::OkStatus() : CheckAllStated(frame);
}

// The segment must do without those before it, one day.
absl::Status Replay::CheckAllStated(const Frame& frame) const {
  for (const Group& group : groups_) {
    const GroupId id = group.state.group;
    const bool stated = std::any_of(frame.records.begin(), frame.records.end(),
                                    [&](const Record& record) { return record.group == id; });
    GroupStatement nothing;
    nothing.group = id;
    if (stated || group.state == nothing) continue;
    return absl::DataLossError(absl::StrCat("byte ", kSegmentHeaderBytes,
                                            ": the statement lacks group ", id.value(),
                                            ", which has a log in the segments before"));
  }
  return absl::OkStatus();
}

absl::Status Replay::ApplyCommit(const Frame& frame, uint64_t segment) {
  for (const Record& record : frame.records) {
    absl::StatusOr<Group*> group = Find(record);
    if (!group.ok()) return group.status();
    absl::Status status = Execute(record, segment, **group);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Replay::Execute(const Record& record, uint64_t segment, Group& group) {
  GroupStatement& state = group.state;
  const Index index = record.position.index;
  if (kIndexMax < index) return Senseless(record, "an index that no log reaches");
  switch (record.type) {
    case RecordType::kHardState:
      state.hard_state = record.hard_state;
      return absl::OkStatus();
    case RecordType::kBase:
      if (index < state.base.index || state.last < index) {
        return Senseless(record, "base outside of its log");
      }
      state.base = record.position;
      group.entries.erase(group.entries.begin(), group.entries.upper_bound(index.value()));
      return absl::OkStatus();
    case RecordType::kReset:
      if (index < state.base.index) return Senseless(record, "base moves backwards");
      state.base = record.position;
      state.last = index;
      group.entries.clear();
      return absl::OkStatus();
    case RecordType::kTruncate:
      if (index <= state.base.index || state.last < index) {
        return Senseless(record, "truncated outside of its log");
      }
      state.last = index.Previous();
      group.entries.erase(group.entries.lower_bound(index.value()), group.entries.end());
      return absl::OkStatus();
    case RecordType::kAppend:
    case RecordType::kRewrite:
      return AddEntry(record, segment, group);
    case RecordType::kGroup:
      break;
  }
  return Senseless(record, "stated in the middle of a segment");
}

absl::Status Replay::AddEntry(const Record& record, uint64_t segment, Group& group) {
  GroupStatement& state = group.state;
  const Index index = record.position.index;
  if (record.type == RecordType::kAppend) {
    if (index != state.last.Next()) {
      return Senseless(
          record, absl::StrCat("entry ", index.value(), " follows entry ", state.last.value()));
    }
    state.last = index;
  } else if (index <= state.base.index || state.last < index) {
    return Senseless(record, "entry rewritten outside of its log");
  }
  Found& found = group.entries[index.value()];
  const bool held = found.entry.index == index;
  if (held && found.entry.term != record.position.term) {
    return Senseless(record, "entry rewritten with another term");
  }
  if (held && (found.entry.kind != record.kind || found.entry.data.view() != record.data)) {
    return Senseless(record, "entry rewritten with another content");
  }
  // A rewritten entry that we hold already only changes its place.
  if (!held) {
    found.entry = {.index = index,
                   .term = record.position.term,
                   .kind = record.kind,
                   .data = Bytes::Copy(record.data)};
  }
  found.place = {.segment = segment,
                 .offset = static_cast<uint32_t>(record.offset),
                 .bytes = record.bytes,
                 .term = record.position.term};
  return absl::OkStatus();
}

ReplicaImage Replay::ImageOf(Group& group) {
  ReplicaImage image;
  image.group = group.state.group;
  image.hard_state = group.state.hard_state;
  image.base = group.state.base;
  image.entries.reserve(group.entries.size());
  for (auto& [index, found] : group.entries) image.entries.push_back(std::move(found.entry));
  return image;
}

std::vector<ReplicaImage> Replay::FinishLeniently() {
  std::vector<ReplicaImage> images;
  for (Group& group : groups_) {
    const GroupStatement& state = group.state;
    if (group.entries.size() == state.last.Since(state.base.index)) {
      images.push_back(ImageOf(group));
    } else {
      images.emplace_back().group = state.group;
    }
  }
  groups_.clear();
  return images;
}

absl::Status Replay::Finish(std::vector<GroupLog>* logs, std::vector<ReplicaImage>* images) {
  logs->clear();
  images->clear();
  for (Group& group : groups_) {
    const GroupStatement& state = group.state;
    if (group.entries.size() != state.last.Since(state.base.index)) {
      return absl::DataLossError(
          absl::StrCat("group ", state.group.value(), " has ", group.entries.size(),
                       " of the entries ", state.base.index.Next().value(), " to ",
                       state.last.value(), ": older segments were taken away"));
    }
    GroupLog log;
    log.group = state.group;
    log.hard_state = state.hard_state;
    log.base = state.base;
    for (const auto& [index, found] : group.entries) log.places.push_back(found.place);
    images->push_back(ImageOf(group));
    logs->push_back(std::move(log));
  }
  groups_.clear();
  return absl::OkStatus();
}

}  // namespace lockstep::storage::wal
