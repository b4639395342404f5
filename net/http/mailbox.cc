#include "net/http/mailbox.h"

#include <utility>

namespace lockstep::net::http {

void Mailbox::Open(uv_async_t* wake) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_ = wake;
}

void Mailbox::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_ = nullptr;
  contents_.letters.clear();
}

// Under the lock, so that the handle is not closed meanwhile.
void Mailbox::Wake() {
  if (wake_ != nullptr) uv_async_send(wake_);
}

void Mailbox::Put(Letter letter) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (wake_ == nullptr) return;
  contents_.letters.push_back(std::move(letter));
  if (contents_.letters.size() == 1) Wake();
}

void Mailbox::AskToStop(uint64_t drain_ms) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!contents_.stop_drain_ms.has_value()) contents_.stop_drain_ms = drain_ms;
  Wake();
}

Mailbox::Contents Mailbox::TakeAll() {
  Contents taken;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::swap(taken, contents_);
  return taken;
}

}  // namespace lockstep::net::http
