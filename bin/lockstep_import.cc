#include "bin/lockstep_import.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/client/failure.h"

namespace lockstep::bin {
namespace {

constexpr auto kPauseMin = std::chrono::milliseconds(20);
constexpr auto kPauseMax = std::chrono::milliseconds(1000);

// What another attempt cannot make better.
bool IsHopeless(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return true;
    default:
      break;
  }
  const auto failure = client::FailureOf(status);
  return failure.has_value() && failure->reason() == "TOO_LARGE";
}

// The writes that are not there yet, or may not be.
v1::BatchRequest Remaining(const v1::BatchRequest& request, const v1::BatchResponse& response) {
  v1::BatchRequest rest;
  for (int i = 0; i < request.writes_size(); ++i) {
    const bool there =
        i < response.each_size() && response.each(i).kind() == v1::WriteOutcome::EXECUTED;
    if (!there) *rest.add_writes() = request.writes(i);
  }
  return rest;
}

std::string WhyNot(const v1::BatchResponse& response) {
  for (const v1::WriteOutcome& outcome : response.each()) {
    if (outcome.kind() != v1::WriteOutcome::EXECUTED) return outcome.message();
  }
  return "the answer lacks writes";
}

}  // namespace

Importer::Importer(Api& api, const ImportOptions& options) : api_(api), options_(options) {
  for (uint32_t i = 0; i < options_.outstanding; ++i) threads_.emplace_back([this] { Work(); });
}

Importer::~Importer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status Importer::Add(std::string key, std::string value, uint64_t end) {
  const uint64_t bytes = key.size() + value.size();
  const bool full = static_cast<uint32_t>(open_.request.writes_size()) >= options_.pairs_max ||
                    (open_.bytes > 0 && open_.bytes + bytes > options_.bytes_max) ||
                    open_.keys.contains(key);
  if (full) {
    const absl::Status status = Submit();
    if (!status.ok()) return status;
  }
  {
    // A key that is under way waits for its earlier value to be there.
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !status_.ok() || !keys_.contains(key); });
    if (!status_.ok()) return status_;
  }
  open_.keys.insert(key);
  v1::PutRequest* put = open_.request.add_writes()->mutable_put();
  put->set_key(std::move(key));
  put->set_value(std::move(value));
  open_.bytes += bytes;
  open_.end = end;
  return absl::OkStatus();
}

absl::Status Importer::Submit() {
  if (open_.request.writes().empty()) return absl::OkStatus();
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !status_.ok() || batches_.size() < 2 * options_.outstanding; });
  if (!status_.ok()) return status_;
  for (const std::string& key : open_.keys) ++keys_[key];
  open_.begin = std::exchange(submitted_until_, open_.end);
  const uint64_t end = open_.end;
  Batch& batch = batches_[end] = std::move(open_);
  queue_.push_back(&batch);
  open_ = Batch();
  changed_.notify_all();
  return absl::OkStatus();
}

absl::Status Importer::Finish() {
  const absl::Status status = Submit();
  if (!status.ok()) return status;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !status_.ok() || batches_.empty(); });
  return status_;
}

uint64_t Importer::done_until() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return batches_.empty() ? submitted_until_ : batches_.begin()->second.begin;
}

uint64_t Importer::pairs() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pairs_;
}

void Importer::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return closing_ || !queue_.empty(); });
    if (closing_ || queue_.empty()) return;
    Batch& batch = *queue_.front();
    queue_.pop_front();
    lock.unlock();
    const auto writes = static_cast<uint64_t>(batch.request.writes_size());
    const absl::Status status = Send(batch);
    lock.lock();
    if (!status.ok()) {
      if (status_.ok()) status_ = status;
      queue_.clear();
      changed_.notify_all();
      continue;
    }
    pairs_ += writes;
    for (const std::string& key : batch.keys) {
      if (--keys_[key] == 0) keys_.erase(key);
    }
    batches_.erase(batch.end);
    changed_.notify_all();
  }
}

// Until every write of it is there.
absl::Status Importer::Send(Batch& batch) {
  auto pause = kPauseMin;
  auto progress = std::chrono::steady_clock::now();
  for (;;) {
    const absl::StatusOr<v1::BatchResponse> response = api_.Batch(batch.request);
    absl::Status status = response.status();
    if (response.ok()) {
      v1::BatchRequest rest = Remaining(batch.request, *response);
      if (rest.writes().empty()) return absl::OkStatus();
      status = absl::UnavailableError(WhyNot(*response));
      if (rest.writes_size() < batch.request.writes_size()) {
        progress = std::chrono::steady_clock::now();
        pause = kPauseMin;
      }
      batch.request = std::move(rest);
    }
    const auto waited = std::chrono::steady_clock::now() - progress;
    if (IsHopeless(status) || waited >= options_.patience) return status;
    std::unique_lock<std::mutex> lock(mutex_);
    if (changed_.wait_for(lock, pause, [&] { return closing_; })) return status;
    pause = std::min(2 * pause, kPauseMax);
  }
}

}  // namespace lockstep::bin
