#include "net/rpc/gate.h"

#include <memory>
#include <vector>

#include "core/base/check.h"
#include "net/rpc/exchange_stream.h"
#include "net/rpc/grpc_status.h"

namespace lockstep::net {

absl::Status Gate::Enter(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (draining_) return Leaving();
  const bool full = calls_ >= options_.calls_max;
  const bool heavy = calls_bytes_ > 0 && calls_bytes_ + bytes > options_.calls_bytes_max;
  if (full || heavy) return Overloaded();
  ++calls_;
  calls_bytes_ += bytes;
  return absl::OkStatus();
}

void Gate::Leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  CheckLt(uint32_t{0}, calls_);
  --calls_;
  if (draining_) left_.notify_all();
}

void Gate::Free(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  CheckLe(bytes, calls_bytes_);
  calls_bytes_ -= bytes;
}

absl::Status Gate::Enter(ExchangeStream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (draining_) return Leaving();
  if (streams_.size() >= options_.streams_max) return Overloaded();
  streams_.insert(stream);
  return absl::OkStatus();
}

void Gate::Leave(ExchangeStream* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  streams_.erase(stream);
  if (draining_) left_.notify_all();
}

void Gate::AwaitEmpty(std::chrono::milliseconds patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  left_.wait_for(lock, patience, [this] { return calls_ == 0 && streams_.empty(); });
}

void Gate::Drain() {
  std::vector<std::shared_ptr<ExchangeStream>> streams;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    draining_ = true;
    for (ExchangeStream* stream : streams_) {
      // One that is just ending is left out.
      if (auto held = stream->weak_from_this().lock()) streams.push_back(std::move(held));
    }
  }
  for (const auto& stream : streams) stream->Drain();
}

}  // namespace lockstep::net
