#include "bin/lockstep_sim_check_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_sim_values.h"

namespace lockstep::bin {
namespace {

using history::Format;
using history::Model;

constexpr const char* kFooter =
    "FILE is a history, in one of three formats, told from its first line:\n"
    "  json        our own JSON lines, one object for an event or for a whole operation:\n"
    "                "
    "{\"process\":7,\"type\":\"invoke\",\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"}\n"
    "                {\"process\":7,\"type\":\"ok\"}\n"
    "                {\"process\":8,\"op\":\"get\",\"key\":\"a\",\"result\":\"1\",\n"
    "                 \"start\":10,\"end\":12,\"outcome\":\"ok\"}\n"
    "  edn         Jepsen's operations, one map a line, in the order of time:\n"
    "                {:process 7, :type :invoke, :f :append, :key \"3\", :value \"x\"}\n"
    "  jepsen-log  INFO  jepsen.util - 7  :invoke  :cas  [1 4]\n"
    "docs/check.md has every field, and what a client may record as failed.\n"
    "\n"
    "Examples:\n"
    "  lockstep-sim check history.edn\n"
    "  lockstep-sim check store/*/history.edn --quiet --json report.json --html pages\n"
    "  lockstep-sim check run.jsonl --html run.html\n"
    "  my-test | lockstep-sim check - --model register --budget 5G\n"
    "\n"
    "Exit codes: 0 all linearizable; 129 one is not; 127 the checker crashed on one; 1 one is\n"
    "unreadable (file, line and reason are printed), or bad usage; 3 one is undecided within the\n"
    "budget; 130 interrupted. Of several files the first of these that occurs in this order\n"
    "counts: 129, 127, 1, 3, 0.";

std::optional<Format> ParseFormat(const std::string& text) {
  if (text == "auto") return std::nullopt;
  for (const Format format : {Format::kJson, Format::kEdn, Format::kJepsenLog}) {
    if (Name(format) == text) return format;
  }
  Refuse(absl::StrCat("--format: \"", text, "\" is none of auto, json, edn, jepsen-log"));
}

std::optional<Model> ParseModel(const std::string& text) {
  if (text == "auto") return std::nullopt;
  for (const Model model : {Model::kKv, Model::kRegister}) {
    if (Name(model) == text) return model;
  }
  Refuse(absl::StrCat("--model: \"", text, "\" is none of auto, kv, register"));
}

}  // namespace

void AddCheckOptions(CLI::App& command, RawCheckOptions& raw, CheckOptions& options) {
  command.add_option("FILE", raw.files, "Histories to judge; - is stdin")
      ->option_text("(required)")
      ->required();
  const std::string input = "What the files say";
  command.add_option("--format", raw.format, "auto, json, edn or jepsen-log (default auto)")
      ->option_text("FORMAT")
      ->group(input);
  command
      .add_option("--model", raw.model,
                  "auto, kv (get, put, append, delete, cas) or register (read, write, cas; nil\n"
                  "at first) (default auto: as the format or the operations say)")
      ->option_text("MODEL")
      ->group(input);
  const std::string effort = "How hard to try";
  command
      .add_option("--budget", raw.budget,
                  "Steps for each file, e.g. 500k, 20M, 5G; a step takes 10 to 50 ns, and the\n"
                  "same budget gives the same verdict on every machine (default 1G)")
      ->option_text("STEPS")
      ->group(effort);
  command.add_option("--memory", raw.memory, "For the searches of each file (default 1G)")
      ->option_text("BYTES")
      ->group(effort);
  command.add_option("--jobs,-j", raw.jobs, "Files to judge at a time (default: one a core)")
      ->option_text("N")
      ->group(effort);
  const std::string output = "What to write";
  command.add_option("--json", raw.json, "A report for machines to a file, or to stdout: -")
      ->option_text("FILE")
      ->group(output);
  command
      .add_option("--html", raw.html,
                  "A page that draws the history; with several files a directory, with a page\n"
                  "for each that is not linearizable or undecided")
      ->option_text("FILE|DIR")
      ->group(output);
  command.add_flag("--quiet,-q", options.quiet, "Say nothing of files that are linearizable")
      ->group(output);
  command.footer(kFooter);
}

void FillCheckOptions(const RawCheckOptions& raw, CheckOptions& options) {
  options.files = raw.files;
  if (std::count(raw.files.begin(), raw.files.end(), "-") > 1) Refuse("stdin (-) is there once");
  for (const std::string& file : raw.files) {
    if (file.empty()) Refuse("FILE: a name is empty");
  }
  options.read.format = ParseFormat(raw.format);
  options.read.model = ParseModel(raw.model);
  options.judge.steps_max = ParseAmount("--budget", raw.budget, 1000);
  options.judge.memory_bytes_max = ParseAmount("--memory", raw.memory, 1024);
  options.jobs = static_cast<uint32_t>(std::min<size_t>(ParseJobs(raw.jobs), raw.files.size()));
  if (!raw.json.empty()) options.json = raw.json;
  if (!raw.html.empty()) options.html = raw.html;
}

}  // namespace lockstep::bin
