// import and export: all pairs of a cluster, or those below a prefix, as lines of text.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bin/atomic_file.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_import.h"
#include "bin/lockstep_pair_lines.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"
#include "core/base/limits.h"

namespace lockstep::bin {
namespace {

constexpr const char* kFooter =
    "Lines are {\"key_base64\": ..., \"value_base64\": ...} (jsonl; import also takes key, value,\n"
    "key_hex, value_hex), or KEY<tab>VALUE with \\n, \\t, \\\\ and \\xNN (tsv).\n"
    "An export is not one snapshot: each key is as it was at some moment meanwhile.";

struct TransferOptions {
  std::string file = "-";
  std::string lines = "jsonl";
  std::string prefix;
  bool resume = false;
  std::string outstanding = "8";
  std::string retry_for = "1m";
};

PairLines FormOf(const TransferOptions& options) {
  return options.lines == "tsv" ? PairLines::kTsv : PairLines::kJson;
}

// --- Progress: a line a second on stderr, for whoever looks -------------------------------------

class ProgressLine {
 public:
  explicit ProgressLine(Shell& shell)
      : shell_(shell), shown_(shell.options().verbose || ::isatty(STDERR_FILENO) != 0) {}
  void Tell(const char* what, uint64_t pairs) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - last_ < std::chrono::seconds(1)) return;
    last_ = now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - begin_).count();
    shell_.err() << "lockstep: " << pairs << " pairs " << what << " in " << seconds << " s\n"
                 << std::flush;
  }

 private:
  Shell& shell_;
  const bool shown_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = begin_;
};

Exit TellDone(Shell& shell, const char* what, uint64_t pairs) {
  if (shell.json()) {
    shell.err() << Line({{what, pairs}}) << "\n";
  } else {
    shell.err() << "lockstep: " << pairs << " pairs " << what << "\n";
  }
  return Exit::kOk;
}

// --- Export -------------------------------------------------------------------------------------

// Resuming cuts off half a line, and goes on behind the last whole one: its key; empty: none.
absl::StatusOr<std::string> LastKey(const std::string& path, PairLines form) {
  std::string last;
  uint64_t whole = 0;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line) && !file.eof();) {
    whole += line.size() + 1;
    last = std::move(line);
  }
  if (whole == 0) return std::string();
  absl::StatusOr<v1::Pair> pair = PairOf(last, form);
  if (!pair.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": its last line ", pair.status().message(), ": not resumed"));
  }
  if (::truncate(path.c_str(), static_cast<off_t>(whole)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, " cannot be cut"));
  }
  return std::move(*pair->mutable_key());
}

Exit ExportTo(Shell& shell, const TransferOptions& options, const std::string& after,
              std::ostream& out) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::ListRequest request;
  request.set_prefix(options.prefix);
  // The first key behind another is that one with a zero byte.
  if (!after.empty()) request.set_start(after + std::string(1, '\0'));
  request.set_limit(kListPairsMax);
  request.set_consistency(shell.consistency());
  ProgressLine progress(shell);
  uint64_t pairs = 0;
  do {
    const absl::StatusOr<v1::ListResponse> page = api->List(request);
    if (!page.ok()) return shell.Fail("export", page.status());
    for (const v1::Pair& pair : page->pairs()) {
      out << LineOf(pair, FormOf(options)) << "\n";
    }
    pairs += static_cast<uint64_t>(page->pairs_size());
    if (!out.flush()) return shell.Fail(Exit::kFile, "export: the file cannot be written");
    progress.Tell("exported", pairs);
    request.set_continuation(page->continuation());
  } while (!request.continuation().empty());
  return TellDone(shell, "exported", pairs);
}

Exit RunExport(Shell& shell, const TransferOptions& options) {
  if (options.file == "-") return ExportTo(shell, options, "", shell.out());
  std::string after;
  if (options.resume) {
    absl::StatusOr<std::string> last = LastKey(options.file, FormOf(options));
    if (!last.ok()) return shell.Fail(Exit::kFile, std::string(last.status().message()));
    after = *std::move(last);
  } else if (::access(options.file.c_str(), F_OK) == 0) {
    return shell.Fail(Exit::kFile,
                      absl::StrCat(options.file, " is there already: --resume goes on with it"));
  }
  std::ofstream file(options.file, std::ios::binary | std::ios::app);
  if (!file) {
    return shell.Fail(Exit::kFile,
                      absl::StrCat(options.file, " cannot be written: ", std::strerror(errno)));
  }
  const Exit exit = ExportTo(shell, options, after, file);
  // Nothing came, and nothing is left that would stand in the way of the next attempt.
  if (exit != Exit::kOk && !options.resume && file.tellp() == 0) ::unlink(options.file.c_str());
  return exit;
}

// --- Import -------------------------------------------------------------------------------------

// FILE.progress: how much of the file is in the cluster.
class ImportProgress {
 public:
  explicit ImportProgress(const std::string& file)
      : path_(file == "-" ? "" : absl::StrCat(file, ".progress")) {}
  uint64_t Read() const {
    uint64_t bytes = 0;
    const absl::StatusOr<std::string> text = ReadSmallFile(path_, 64);
    return text.ok() && absl::SimpleAtoi(*text, &bytes) ? bytes : 0;
  }
  absl::Status Write(uint64_t bytes) const {
    return path_.empty() ? absl::OkStatus() : WriteFileAtomically(path_, absl::StrCat(bytes, "\n"));
  }
  void Remove() const {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

 private:
  const std::string path_;
};

// Told when an import ends early: how to go on.
Exit TellStopped(Shell& shell, const TransferOptions& options, const Importer& importer,
                 const ImportProgress& progress, Exit exit) {
  const absl::Status written = progress.Write(importer.done_until());
  if (!written.ok()) shell.Fail(Exit::kFile, std::string(written.message()));
  if (options.file != "-") {
    shell.err() << "lockstep: " << importer.pairs() << " pairs are there; "
                << "import --resume goes on where it stopped\n";
  }
  return exit;
}

Exit ImportFrom(Shell& shell, const TransferOptions& options, std::istream& in, uint64_t offset) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  ImportOptions import;
  import.outstanding =
      static_cast<uint32_t>(ParseNumber("--outstanding", options.outstanding, 1, 256));
  import.patience = ParseDuration("--retry-for", options.retry_for);
  Importer importer(*api, import);
  const ImportProgress progress(options.file);
  ProgressLine line_of_progress(shell);
  uint64_t number = 1;
  auto saved = std::chrono::steady_clock::now();
  for (std::string line; std::getline(in, line); ++number) {
    offset += line.size() + 1;
    if (line.empty()) continue;
    absl::StatusOr<v1::Pair> pair = PairOf(line, FormOf(options));
    if (!pair.ok()) {
      importer.Finish().IgnoreError();
      shell.Fail(Exit::kUsage,
                 absl::StrCat(options.file, ":", number, ": the line ", pair.status().message()));
      return TellStopped(shell, options, importer, progress, Exit::kUsage);
    }
    const absl::Status status =
        importer.Add(std::move(*pair->mutable_key()), std::move(*pair->mutable_value()), offset);
    if (!status.ok()) {
      return TellStopped(shell, options, importer, progress, shell.Fail("import", status));
    }
    line_of_progress.Tell("imported", importer.pairs());
    if (std::chrono::steady_clock::now() - saved < std::chrono::seconds(1)) continue;
    saved = std::chrono::steady_clock::now();
    const absl::Status written = progress.Write(importer.done_until());
    if (!written.ok()) return shell.Fail(Exit::kFile, std::string(written.message()));
  }
  const absl::Status status = importer.Finish();
  if (!status.ok()) {
    return TellStopped(shell, options, importer, progress, shell.Fail("import", status));
  }
  progress.Remove();
  return TellDone(shell, "imported", importer.pairs());
}

Exit RunImport(Shell& shell, const TransferOptions& options) {
  if (options.file == "-") return ImportFrom(shell, options, shell.in(), 0);
  std::ifstream file(options.file, std::ios::binary);
  if (!file) {
    return shell.Fail(Exit::kFile,
                      absl::StrCat(options.file, " cannot be read: ", std::strerror(errno)));
  }
  const uint64_t offset = options.resume ? ImportProgress(options.file).Read() : 0;
  file.seekg(static_cast<std::streamoff>(offset));
  if (offset > 0) shell.Note(absl::StrCat("resumed behind byte ", offset));
  return ImportFrom(shell, options, file, offset);
}

void AddShared(CLI::App& command, TransferOptions& options, const char* file) {
  command.add_option("FILE", options.file, file);
  command
      .add_option_function<std::string>(
          "--lines",
          [&options](const std::string& text) {
            OneOf("--lines", text, {"jsonl", "tsv"});
            options.lines = text;
          },
          "What a line looks like (default jsonl)")
      ->option_text("jsonl|tsv");
  command.add_flag("--resume", options.resume, "Go on where an earlier one stopped");
  command.footer(kFooter);
}

}  // namespace

void AddTransferCommands(CLI::App& app, Action& action) {
  const auto exporting = std::make_shared<TransferOptions>();
  CLI::App& to = AddCommand(app, "export", "Write all keys and values to a file or stdout");
  AddShared(to, *exporting, "Where to (default -, stdout)");
  to.add_option("--prefix", exporting->prefix, "Only keys that begin with this");
  to.callback([&action, exporting] {
    if (exporting->resume && exporting->file == "-") Refuse("--resume: needs a FILE");
    action = [exporting](Shell& shell) { return RunExport(shell, *exporting); };
  });

  const auto importing = std::make_shared<TransferOptions>();
  CLI::App& from = AddCommand(app, "import", "Put all keys and values of a file or stdin");
  AddShared(from, *importing, "Where from (default -, stdin)");
  from.add_option("--outstanding", importing->outstanding, "Batches under way (default 8)")
      ->option_text("N");
  from.add_option("--retry-for", importing->retry_for,
                  "How long a batch is tried again without any progress (default 1m)")
      ->option_text("TIME");
  from.callback([&action, importing] {
    if (importing->resume && importing->file == "-") Refuse("--resume: needs a FILE");
    ParseNumber("--outstanding", importing->outstanding, 1, 256);
    ParseDuration("--retry-for", importing->retry_for);
    action = [importing](Shell& shell) { return RunImport(shell, *importing); };
  });
}

}  // namespace lockstep::bin
