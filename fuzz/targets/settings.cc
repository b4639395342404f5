// Configuration files of lockstepd. Any text gives settings or one line that says what is wrong;
// what a file says is in force, and what --print-config prints of it means the same.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_options.h"
#include "bin/lockstepd_resolve.h"
#include "bin/lockstepd_settings.h"
#include "bin/toml.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"
#include "fuzz/support/temporary_file.h"

namespace lockstep::fuzz {
namespace {

using lockstepd::ExitCode;
using lockstepd::Invocation;
using lockstepd::Setting;

absl::StatusOr<Invocation> Load(absl::string_view text, bool print) {
  const TemporaryFile file(text);
  const std::string path = file.path();
  std::vector<const char*> arguments = {"lockstepd", "--config", path.c_str()};
  if (print) arguments.push_back("--print-config");
  return lockstepd::ParseOptions(static_cast<int>(arguments.size()), arguments.data());
}

std::string InForce(const lockstepd::Options& options) {
  return lockstepd::ConfigToml(
      options, [](const Setting&, const void*) { return std::string(); }, nullptr);
}

void CheckWrong(const absl::Status& status) {
  Check(lockstepd::ExitCodeOf(status) == ExitCode::kUsage);
  CheckOneLine(status.message());
}

// What the file says of a setting that is no list, word for word.
void CheckInForce(absl::string_view text, const lockstepd::Options& options) {
  const auto entries = toml::Parse(text);
  Check(entries.ok());
  for (const toml::Entry& entry : *entries) {
    const auto settings = lockstepd::Settings();
    const auto setting = std::find_if(settings.begin(), settings.end(),
                                      [&](const Setting& each) { return each.name == entry.key; });
    Check(setting != settings.end());
    if (setting->kind != Setting::Kind::kText || entry.values.empty()) continue;
    Check(setting->show(options) == std::vector<std::string>{entry.values.back()});
  }
}

void CheckPrinted(absl::string_view text, const lockstepd::Options& options) {
  const auto printed = Load(text, /*print=*/true);
  Check(printed.ok());
  Check(printed->action == Invocation::Action::kPrint);
  const auto again = Load(printed->text, /*print=*/false);
  Check(again.ok());
  CheckEq(InForce(again->options), InForce(options));
}

// From settings to a node with a new data directory.
void CheckResolve(const lockstepd::Options& options) {
  const auto peers = lockstepd::PeerBook::Load("/nonexistent");
  Check(peers.ok());
  const auto resolved = lockstepd::Resolve(options, std::nullopt, *peers);
  if (!resolved.ok()) return CheckWrong(resolved.status());
  Check(resolved->options.node_id.has_value());
  CheckLe(uint64_t{1}, resolved->identity.node_id);
  CheckLe(resolved->identity.node_id, lockstepd::kNodeIdMax);
  CheckLe(resolved->identity.shards, lockstepd::kShardsMax);
  Check(!resolved->options.peers.contains(*resolved->options.node_id));
}

void CheckFile(absl::string_view text) {
  const auto run = Load(text, /*print=*/false);
  if (!run.ok()) {
    CheckWrong(run.status());
    const auto printed = Load(text, /*print=*/true);
    if (!printed.ok()) CheckWrong(printed.status());
    return;
  }
  Check(run->action == Invocation::Action::kRun);
  CheckInForce(text, run->options);
  CheckPrinted(text, run->options);
  CheckResolve(run->options);
}

void CheckToml(absl::string_view text) {
  const auto entries = toml::Parse(text);
  if (!entries.ok()) return CheckRefusal(entries.status());
  std::string again;
  for (const toml::Entry& entry : *entries) {
    absl::StrAppend(&again, entry.key, " = [");
    for (const std::string& value : entry.values) absl::StrAppend(&again, toml::Quote(value), ", ");
    absl::StrAppend(&again, "]  # ", entry.line, "\n");
  }
  const auto reread = toml::Parse(again);
  Check(reread.ok());
  CheckEq(reread->size(), entries->size());
  for (size_t i = 0; i < entries->size(); ++i) {
    CheckEq((*reread)[i].key, (*entries)[i].key);
    Check((*reread)[i].values == (*entries)[i].values);
  }
}

// Some of the settings that --generate-config explains, as explained or with another value.
std::string AnyFile(Input& input) {
  static const std::vector<std::string> lines =
      absl::StrSplit(lockstepd::ConfigTemplate(), '\n', absl::SkipEmpty());
  std::string text = input.Flip() ? "data-dir = \"d\"\n" : "";
  for (const std::string& line : lines) {
    const bool setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    if (!setting || input.empty()) continue;
    const uint64_t choice = input.Below(8);
    if (choice == 1) absl::StrAppend(&text, line.substr(1), "\n");
    const std::string key = line.substr(1, line.find(' ') - 1);
    if (choice == 2) absl::StrAppend(&text, key, " = ", toml::Quote(input.Text(24)), "\n");
    if (choice == 3) absl::StrAppend(&text, key, " = ", input.Number(3), "\n");
    if (choice == 4) {
      absl::StrAppend(&text, key, " = [", toml::Quote(input.Text(24)), ",",
                      toml::Quote(input.Text(24)), "]\n");
    }
  }
  return text;
}

void RunSettings(Input input) {
  switch (input.Below(3)) {
    case 0:
      CheckToml(input.rest());
      return CheckFile(input.rest());
    case 1:
      return CheckFile(input.rest());
    default:
      return CheckFile(AnyFile(input));
  }
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunSettings(lockstep::fuzz::Input(data, size));
  return 0;
}
