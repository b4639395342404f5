// A call that waits, made of one that calls back.
#ifndef LOCKSTEP_NET_CLIENT_WAITING_H_
#define LOCKSTEP_NET_CLIENT_WAITING_H_

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "net/client/engine.h"
#include "net/client/failure.h"
#include "net/client/store_types.h"

namespace lockstep::client {

// `start` makes the call with the callback it is given. On the engine's own thread waiting would be
// for ever, so there it is refused.
template <class T, class Begin>
absl::StatusOr<T> WaitFor(const Engine& engine, Begin start) {
  if (engine.OnEngineThread()) {
    return FailureStatus(absl::StatusCode::kFailedPrecondition, Effect::kNone,
                         "FAILED_PRECONDITION",
                         "a callback must not wait for a call: use the one that calls back");
  }
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<absl::StatusOr<T>> answer;
  start(Callback<T>([&](absl::StatusOr<T> given) {
    const std::lock_guard<std::mutex> lock(mutex);
    answer.emplace(std::move(given));
    answered.notify_one();  // Under the lock: the one who waits takes all of this with it.
  }));
  std::unique_lock<std::mutex> lock(mutex);
  answered.wait(lock, [&] { return answer.has_value(); });
  return *std::move(answer);
}

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_WAITING_H_
