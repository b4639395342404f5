// A Service before another one that loses, or holds up, what passes through it.
#ifndef LOCKSTEP_TESTS_UNIT_NET_MEDDLING_SERVICE_H_
#define LOCKSTEP_TESTS_UNIT_NET_MEDDLING_SERVICE_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
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

  explicit MeddlingService(Service* inner) : inner_(inner) {}

  void Meddle(Way way, Concerns concerns) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    way_ = way;
    concerns_ = std::move(concerns);
  }
  // Lets what was held pass, and all that follows.
  void Release() {
    std::vector<std::pair<Bytes, Done>> held;
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      way_ = Way::kPass;
      held.swap(held_);
    }
    inner_->CallAll(std::move(held));
  }
  // Waits until so many requests were meddled with: of kLoseReply, when they were executed.
  void Await(uint64_t count) {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->meddled >= count; });
  }

  uint64_t meddled() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->meddled;
  }

  void Call(Bytes request, Done done) override {
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      if (way_ != Way::kPass && concerns_(request)) {
        if (way_ == Way::kLoseReply) {
          done = [state = state_](const Bytes&) {
            const std::lock_guard<std::mutex> later(state->mutex);
            ++state->meddled;
            state->changed.notify_all();
          };
        } else {
          ++state_->meddled;
          state_->changed.notify_all();
          if (way_ == Way::kHold) held_.emplace_back(std::move(request), std::move(done));
          return;
        }
      }
    }
    inner_->Call(std::move(request), std::move(done));
  }
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override {
    for (auto& [request, done] : calls) Call(std::move(request), std::move(done));
  }

 private:
  struct State {  // replies may come when the service has gone
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t meddled = 0;  // guarded by mutex
  };
  Service* const inner_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  Way way_ = Way::kPass;  // guarded by state_->mutex, like the next two
  Concerns concerns_;
  std::vector<std::pair<Bytes, Done>> held_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_TESTS_UNIT_NET_MEDDLING_SERVICE_H_
