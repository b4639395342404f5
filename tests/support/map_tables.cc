#include "tests/support/map_tables.h"

#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"

namespace lockstep::test {
namespace {

// "key length,value length:" and the two, one pair after another.
std::string ToStream(const std::map<std::string, std::string>& pairs) {
  std::string stream;
  for (const auto& [key, value] : pairs)
    absl::StrAppend(&stream, key.size(), ",", value.size(), ":", key, value);
  return stream;
}

std::map<std::string, std::string> FromStream(absl::string_view stream) {
  std::map<std::string, std::string> pairs;
  while (!stream.empty()) {
    const size_t colon = stream.find(':');
    const std::vector<std::string> sizes = absl::StrSplit(stream.substr(0, colon), ',');
    size_t key_size = 0;
    size_t value_size = 0;
    Check(sizes.size() == 2 && absl::SimpleAtoi(sizes[0], &key_size) &&
          absl::SimpleAtoi(sizes[1], &value_size));
    stream.remove_prefix(colon + 1);
    pairs.emplace(stream.substr(0, key_size), stream.substr(key_size, value_size));
    stream.remove_prefix(key_size + value_size);
  }
  return pairs;
}

}  // namespace

MapTables::Table& MapTables::Of(GroupId group) {
  Table& table = tables_[group];
  if (table.machine == nullptr) {
    table.machine = machines_->Make(group);
    table.machine->Load(table.contents);
  }
  return table;
}

StorageResult MapTables::Run(const StorageJob& job) {
  return std::visit([this](const auto& one) { return Run(one); }, job);
}

StorageResult MapTables::Run(const CommitLog&) {
  CheckFailed("a job of the log lane", std::source_location::current());
}

StorageResult MapTables::Run(const ApplyEntries& job) {
  Table& table = Of(job.group);
  MemoryTable& writer = table.contents;
  ApplyDone done{.group = job.group, .results = {}, .applied = {}};
  for (const Entry& entry : job.entries) {
    if (entry.index <= table.applied.index) continue;
    CheckEq(entry.index, table.applied.index.Next());
    Bytes reply;
    if (IsForMachine(entry.kind)) reply = table.machine->Apply(entry, writer);
    if (entry.kind == EntryKind::kConfiguration) table.configuration = entry.data;
    table.applied = LogPosition{entry.index, entry.term};
    done.results.push_back({entry.index, entry.term, entry.kind, std::move(reply)});
  }
  done.applied = table.applied;
  return done;
}

StorageResult MapTables::Run(const QueryTable& job) {
  Table& table = Of(job.group);
  QueryDone done{.group = job.group, .items = {}, .applied = table.applied};
  for (const QueryTable::Item& item : job.items) {
    done.items.push_back(
        {item.id, table.machine->Query(item.query, table.applied, table.contents)});
  }
  return done;
}

StorageResult MapTables::Run(const Checkpoint& job) {
  return CheckpointDone{.group = job.group, .durable = Of(job.group).applied};
}

StorageResult MapTables::Run(const ReadSnapshot& job) {
  Table& table = Of(job.group);
  if (!job.snapshot.has_value())
    table.open[job.peer] = {table.applied, ToStream(table.contents.pairs()), table.configuration};
  ReadSnapshotDone done{.group = job.group,
                        .peer = job.peer,
                        .snapshot = job.snapshot.value_or(table.applied),
                        .offset = job.offset,
                        .data = Bytes(),
                        .last = false,
                        .gone = false,
                        .tag = job.tag};
  const auto open = table.open.find(job.peer);
  if (open == table.open.end() || open->second.position != done.snapshot) {
    done.gone = true;
    return done;
  }
  const std::string& stream = open->second.stream;
  if (job.offset > stream.size()) {  // The peer speaks of another stream than this one.
    done.gone = true;
    return done;
  }
  done.data = Bytes::Copy(absl::string_view(stream).substr(job.offset, job.bytes_max));
  done.last = job.offset + done.data.size() == stream.size();
  done.configuration = open->second.configuration;
  return done;
}

StorageResult MapTables::Run(const CloseSnapshot& job) {
  Of(job.group).open.erase(job.peer);
  return std::monostate();
}

StorageResult MapTables::Run(const WriteSnapshot& job) {
  Table& table = Of(job.group);
  WriteSnapshotDone done{.group = job.group,
                         .snapshot = job.snapshot,
                         .next_offset = 0,
                         .complete = table.applied.index >= job.snapshot.index,
                         .applied = table.applied,
                         .configuration = table.configuration};
  if (done.complete) return done;
  if (job.offset == 0 && table.staged.position != job.snapshot) table.staged = {job.snapshot, ""};
  const bool staged = table.staged.position == job.snapshot;
  const bool next = staged && table.staged.stream.size() == job.offset;
  if (next) absl::StrAppend(&table.staged.stream, job.data.view());
  if (staged) done.next_offset = table.staged.stream.size();
  if (next && job.last) {
    table.contents = MemoryTable(FromStream(table.staged.stream));
    table.applied = job.snapshot;
    table.configuration = job.configuration;
    table.machine->Load(table.contents);
    table.staged = {};
    done.complete = true;
  }
  done.applied = table.applied;
  done.configuration = table.configuration;
  return done;
}

}  // namespace lockstep::test
