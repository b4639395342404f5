#include "bin/bench_history.h"

#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::bench {
namespace {

using nlohmann::ordered_json;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class JsonLines final : public HistoryFile {
 public:
  explicit JsonLines(std::FILE* file) : file_(file) {
    Write(ordered_json{{"format", "lockstep-history"}, {"version", 1}, {"model", "kv"}});
  }
  ~JsonLines() override { Close().IgnoreError(); }

  absl::Status Close() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (file_ != nullptr) failed_ |= std::fclose(std::exchange(file_, nullptr)) != 0;
    return failed_
               ? absl::DataLossError("the history was not written as a whole: is the disk full?")
               : absl::OkStatus();
  }

  // Who calls: one operation at a time. A number whose operation never ended is not used again.
  int Begin() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return last_process_++;
    return free_.extract(free_.begin()).value();
  }
  std::string NextValue() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return absl::StrCat(++last_value_, ";");
  }
  void End(int process, bool known, const ordered_json& line) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (known) free_.insert(process);
    WriteLocked(line);
  }

 private:
  void Write(const ordered_json& line) {
    const std::lock_guard<std::mutex> lock(mutex_);
    WriteLocked(line);
  }
  void WriteLocked(const ordered_json& line) {
    const std::string text = line.dump() + "\n";
    if (file_ != nullptr) failed_ |= std::fputs(text.c_str(), file_) < 0;
  }

  std::mutex mutex_;  // guards all below
  std::FILE* file_;
  bool failed_ = false;
  std::set<int> free_;
  int last_process_ = 0;
  uint64_t last_value_ = 0;
};

const char* NameOfOutcome(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::kOk:
    case Outcome::Kind::kMissing:
    case Outcome::Kind::kConflict:
      return "ok";
    case Outcome::Kind::kNotExecuted:
      return "fail";
    case Outcome::Kind::kUnknown:
      return "info";
  }
  return "info";
}

class RecordingTarget final : public Target {
 public:
  RecordingTarget(std::unique_ptr<Target> target, std::shared_ptr<JsonLines> history)
      : target_(std::move(target)), history_(std::move(history)) {}

  void Start(const Operation& operation, Done done) override {
    Operation its = operation;
    const bool writes = its.kind == Kind::kPut || its.kind == Kind::kAppend;
    if (writes) its.value = history_->NextValue();
    its.keep_value = true;
    const int process = history_->Begin();
    ordered_json line = {{"process", process}, {"op", NameOf(its.kind)}, {"key", its.key}};
    if (writes) line["value"] = its.value;
    line["start"] = NowNs();
    target_->Start(its, [this, process, line = std::move(line), kind = its.kind,
                         done = std::move(done)](Outcome outcome) mutable {
      Finish(process, kind, std::move(line), outcome);
      done(std::move(outcome));
    });
  }
  std::optional<uint64_t> LogSyncs() override { return target_->LogSyncs(); }

 private:
  // A read that failed has no effect, whatever became of it.
  void Finish(int process, Kind kind, ordered_json line, const Outcome& outcome) {
    Outcome::Kind what = outcome.kind;
    if (kind == Kind::kGet && what == Outcome::Kind::kUnknown) what = Outcome::Kind::kNotExecuted;
    const bool known = what != Outcome::Kind::kUnknown;
    if (known) line["end"] = NowNs();
    line["outcome"] = NameOfOutcome(what);
    if (kind == Kind::kGet && outcome.answered()) {
      line["result"] = outcome.value.has_value() ? ordered_json(*outcome.value) : ordered_json();
    }
    history_->End(process, known, line);
  }

  const std::unique_ptr<Target> target_;
  const std::shared_ptr<JsonLines> history_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<HistoryFile>> OpenHistory(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("--history: cannot write ", path));
  }
  return std::make_shared<JsonLines>(file);
}

std::unique_ptr<Target> Recording(std::unique_ptr<Target> target,
                                  std::shared_ptr<HistoryFile> history) {
  return std::make_unique<RecordingTarget>(std::move(target),
                                           std::static_pointer_cast<JsonLines>(history));
}

}  // namespace lockstep::bench
