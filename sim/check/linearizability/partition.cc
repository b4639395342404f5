#include "sim/check/linearizability/partition.h"

#include <algorithm>
#include <utility>

#include "sim/check/linearizability/tables.h"

namespace lockstep::linearizability {
namespace {

std::vector<absl::string_view> Observed(const History& history,
                                        const std::vector<uint32_t>& operations) {
  std::vector<absl::string_view> values;
  for (uint32_t i : operations) {
    const Operation& operation = history.operations[i];
    const bool reads = operation.outcome != Outcome::kUnknown;
    if (reads && operation.result.has_value()) values.push_back(operation.result->view());
    if (operation.kind == Kind::kCompareAndSwap && operation.expected.has_value())
      values.push_back(operation.expected->view());
  }
  return values;
}

std::vector<absl::string_view> Texts(const History& history,
                                     const std::vector<uint32_t>& operations) {
  std::vector<absl::string_view> texts;
  for (uint32_t i : operations) {
    const Operation& operation = history.operations[i];
    if (operation.kind == Kind::kAppend) texts.push_back(operation.value->view());
  }
  return texts;
}

}  // namespace

Partition::Partition(const History& history, const std::vector<uint32_t>& operations)
    : history_(&history),
      states_(Observed(history, operations), Texts(history, operations)),
      initial_(states_.Of(history.initial)) {
  std::vector<Entry> all;
  all.reserve(operations.size());
  for (uint32_t i : operations) {
    const Entry entry = Compile(i);
    if (entry.form == Form::kAppend) has_appends_ = true;
    if (entry.form == Form::kDiffer && !entry.open) has_differs_ = true;
    all.push_back(entry);
  }
  for (const Entry& entry : all) {
    if (Matters(entry)) entries_.push_back(entry);
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    if (a.invoked != b.invoked) return a.invoked < b.invoked;
    return a.operation < b.operation;
  });
}

Entry Partition::Compile(uint32_t place) {
  const Operation& operation = history_->operations[place];
  Entry entry;
  entry.operation = place;
  entry.open = operation.open();
  entry.invoked = operation.invoked.time_since_epoch().count();
  if (!entry.open) entry.returned = operation.returned.time_since_epoch().count();
  switch (operation.kind) {
    case Kind::kGet:
      entry.form = Form::kRead;
      entry.expects = entry.open ? kOther : states_.Of(operation.result);
      break;
    case Kind::kPut:
      entry.form = Form::kSet;
      entry.produces = states_.Of(operation.value);
      break;
    case Kind::kAppend:
      entry.form = Form::kAppend;
      entry.text = states_.TextOf(operation.value->view());
      break;
    case Kind::kDelete:
      entry.form = Form::kSet;
      entry.produces = kMissing;
      break;
    case Kind::kCompareAndSwap:
      entry.expects = states_.Of(operation.expected);
      if (operation.outcome != Outcome::kMismatch) {
        entry.form = Form::kSwap;
        entry.produces = states_.Of(operation.value);
      } else if (!operation.result_known) {
        entry.form = Form::kDiffer;
      } else {
        // A mismatch that found just what was expected cannot be.
        const bool impossible = operation.result == operation.expected;
        entry.form = impossible ? Form::kNever : Form::kRead;
        entry.expects = states_.Of(operation.result);
      }
      break;
  }
  return entry;
}

bool Partition::Matters(const Entry& entry) const {
  if (!entry.open) return true;
  switch (entry.form) {
    case Form::kRead:
    case Form::kDiffer:
    case Form::kNever:
      return false;
    case Form::kAppend:
      return true;
    case Form::kSet:
    case Form::kSwap:
      // In the other state no read, swap or append tells it from the state before, so a run in
      // which this operation took effect is as good without it. Only a bare mismatch may need it.
      if (entry.produces == kOther) return has_differs_;
      return entry.form == Form::kSet || entry.expects != entry.produces;
  }
  return true;
}

bool Partition::Apply(const Entry& entry, StateId* state) {
  switch (entry.form) {
    case Form::kRead:
      return *state == entry.expects;
    case Form::kDiffer:
      return *state != entry.expects;
    case Form::kSet:
      *state = entry.produces;
      return true;
    case Form::kSwap:
      if (*state != entry.expects) return false;
      *state = entry.produces;
      return true;
    case Form::kAppend:
      *state = states_.Append(*state, entry.text);
      return true;
    case Form::kNever:
      return false;
  }
  return false;
}

std::vector<Event> Partition::Events() const {
  std::vector<Event> events;
  events.reserve(entries_.size() * 2);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    events.push_back({entries_[i].invoked, /*returns=*/false, i});
    if (!entries_[i].open) events.push_back({entries_[i].returned, /*returns=*/true, i});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    if (a.time != b.time) return a.time < b.time;
    if (a.returns != b.returns) return b.returns;
    return a.entry < b.entry;
  });
  return events;
}

std::vector<std::vector<uint32_t>> SplitByKey(const History& history) {
  StringTable keys;
  std::vector<std::vector<uint32_t>> split;
  for (uint32_t i = 0; i < history.operations.size(); ++i) {
    const uint32_t key = keys.Insert(history.operations[i].key.view());
    if (key == split.size()) split.emplace_back();
    split[key].push_back(i);
  }
  std::sort(split.begin(), split.end(), [&](const auto& a, const auto& b) {
    return history.operations[a.front()].key.view() < history.operations[b.front()].key.view();
  });
  return split;
}

}  // namespace lockstep::linearizability
