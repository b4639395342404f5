#include "sim/workload/gateway_verdicts.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lockstep::sim {
namespace {

using Seen = std::pair<std::string, std::optional<std::string>>;  // a key and what it was told

std::string Shown(const std::optional<std::string>& value) {
  constexpr size_t kShownMax = 60;
  if (!value.has_value()) return "missing";
  return absl::StrCat("\"", absl::CHexEscape(value->substr(0, kShownMax)), "\"");
}

std::string Numbers(const std::vector<Index>& versions) {
  return absl::StrJoin(versions, ", ", [](std::string* out, Index version) {
    absl::StrAppend(out, version.value());
  });
}

// Keys that were asked for by name.
std::vector<Seen> SeenOf(const proto::Query& query, const proto::Result& result) {
  std::vector<Seen> seen;
  if (query.has_get()) {
    seen.emplace_back(query.get().key(), std::nullopt);
    if (result.has_value()) seen.back().second = result.value();
  }
  for (const std::string& key : query.get_many().keys()) seen.emplace_back(key, std::nullopt);
  for (const proto::Pair& pair : result.pairs()) {
    const auto asked = std::find_if(seen.begin(), seen.end(),
                                    [&](const Seen& one) { return one.first == pair.key(); });
    if (asked == seen.end()) {
      seen.emplace_back(pair.key(), pair.value());  // of a List
    } else {
      asked->second = pair.value();
    }
  }
  return seen;
}

// Empty: it is what it may be. An answer put together of several shards' has no version.
std::string WrongWith(const Recorder& recorder, const ShardModel& model,
                      const Recorder::StaleRead& read) {
  static const ContentsModel& nothing = *new ContentsModel();
  const Index version(read.result.index());
  if (version > read.newest) {
    return absl::StrCat("from version ", version.value(), ", but the shard was at ",
                        read.newest.value());
  }
  for (const auto& [key, value] : SeenOf(read.query, read.result)) {
    const ContentsModel* found = model.ContentsOf(recorder.ShardFor(key));
    const ContentsModel& contents = found == nullptr ? nothing : *found;
    if (!version) {
      if (contents.EverHeld(key, value)) continue;
      return absl::StrCat(key, " = ", Shown(value), ", which it never held");
    }
    const std::optional<std::string> held = contents.At(key, version);
    if (held == value) continue;
    return absl::StrCat(key, " = ", Shown(value), " from version ", version.value(),
                        ", where it was ", Shown(held));
  }
  return "";
}

}  // namespace

void CheckExecutions(const Recorder& recorder, const ShardModel& model, Findings& findings) {
  for (const auto& [shard, contents] : model.contents()) {
    for (const auto& [content, versions] : contents.executions()) {
      const auto asked = recorder.may_be_executed().find(content);
      const uint64_t most = asked == recorder.may_be_executed().end() ? 0 : asked->second;
      if (versions.size() <= most) continue;
      return findings.Report(
          "Exactly-Once",
          absl::StrCat("of the operations that asked for one and the same write, ", most,
                       " may have been executed, as far as their clients were told\nin shard ",
                       shard, " it was executed at ", Numbers(versions)));
    }
  }
  for (const Recorder::Executed& executed : recorder.executed()) {
    if (executed.command.sequence != 0) continue;  // It has a name: Workload::CheckExactlyOnce.
    const ContentsModel* contents = model.ContentsOf(executed.command.shard);
    const std::vector<Index> versions = contents == nullptr
                                            ? std::vector<Index>()
                                            : contents->ExecutionsOf(executed.command.content);
    if (std::find(versions.begin(), versions.end(), executed.index) != versions.end()) continue;
    return findings.Report(
        "Exactly-Once",
        absl::StrCat("process ", executed.process, " was told that its write was executed at ",
                     executed.index.value(), " of shard ", executed.command.shard,
                     "\nit was executed at ", versions.empty() ? "none" : Numbers(versions)));
  }
}

void CheckStaleReads(const Recorder& recorder, const ShardModel& model, Findings& findings) {
  if (!recorder.mislabelled().empty()) findings.Report("Stale Reads", recorder.mislabelled());
  for (const Recorder::StaleRead& read : recorder.stale_reads()) {
    const std::string wrong = WrongWith(recorder, model, read);
    if (wrong.empty()) continue;
    return findings.Report(
        "Stale Reads",
        absl::StrCat("process ", read.process, " asked for any state and was told ", wrong));
  }
}

}  // namespace lockstep::sim
