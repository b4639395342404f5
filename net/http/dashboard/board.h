// Where the collector puts what the dashboard shows, and handlers find it. Thread-safe.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_BOARD_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_BOARD_H_

#include <memory>
#include <mutex>
#include <utility>

#include "net/http/dashboard/model.h"

namespace lockstep::net::http {

class DashboardBoard {
 public:
  void Post(std::shared_ptr<const DashboardTexts> texts) {
    const std::lock_guard<std::mutex> lock(mutex_);
    texts_ = std::move(texts);
  }

  // What was posted last; nullptr: nothing yet. That somebody looks makes the collector hurry.
  std::shared_ptr<const DashboardTexts> Look() {
    const std::lock_guard<std::mutex> lock(mutex_);
    looked_ = true;
    return texts_;
  }

  // Whether anybody has looked since the last call.
  bool TakeLooked() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(looked_, false);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const DashboardTexts> texts_;  // guarded by mutex_
  bool looked_ = false;                          // guarded by mutex_
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_BOARD_H_
