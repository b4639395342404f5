// A Service before another one that loses what passes through it.
#ifndef LOCKSTEP_TESTS_UNIT_NET_MEDDLING_SERVICE_H_
#define LOCKSTEP_TESTS_UNIT_NET_MEDDLING_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "net/service.h"

namespace lockstep::net {

class MeddlingService final : public Service {
 public:
  // What becomes of a request that `concerns` says yes to.
  enum class Way {
    kPass,
    kLoseReply,    // executed, and nobody hears of it
    kLoseRequest,  // not executed, and nobody hears of it
    kHold,         // neither, until Release
  };
  using Concerns = std::function<bool(const Bytes& request)>;

  // May be null, and set later.
  explicit MeddlingService(Service* inner) : inner_(inner) {}

  void Meddle(Way way, Concerns concerns) {
    const std::lock_guard<std::mutex> lock(mutex_);
    way_ = way;
    concerns_ = std::move(concerns);
  }
  // Lets what was held pass, and all that follows.
  void Release() {
    std::vector<std::pair<Bytes, Done>> held;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      way_ = Way::kPass;
      held.swap(held_);
    }
    inner_->CallAll(std::move(held));
  }
  // Requests meddled with.
  uint64_t meddled() const { return meddled_.load(); }
  uint64_t calls() const { return calls_.load(); }

  void Call(Bytes request, Done done) override {
    ++calls_;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (way_ != Way::kPass && concerns_(request)) {
        ++meddled_;
        if (way_ == Way::kLoseRequest) return;
        if (way_ == Way::kHold)
          return held_.emplace_back(std::move(request), std::move(done)), void();
        done = [](Bytes) {};
      }
    }
    inner_->Call(std::move(request), std::move(done));
  }
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override {
    for (auto& [request, done] : calls) Call(std::move(request), std::move(done));
  }

 private:
  Service* const inner_;
  std::mutex mutex_;
  Way way_ = Way::kPass;  // guarded by mutex_, like the next two
  Concerns concerns_;
  std::vector<std::pair<Bytes, Done>> held_;
  std::atomic<uint64_t> meddled_{0};
  std::atomic<uint64_t> calls_{0};
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_TESTS_UNIT_NET_MEDDLING_SERVICE_H_
