// Replies on their way from the loop thread to the front thread, and the wish to stop.
//
// Outlives the front: the service may keep a reply's callback for as long as it likes, so callbacks
// share the mailbox, and one that comes after Close is dropped.
#ifndef LOCKSTEP_NET_HTTP_MAILBOX_H_
#define LOCKSTEP_NET_HTTP_MAILBOX_H_

#include <uv.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/bytes.h"

namespace lockstep::net::http {

// One call of one step of one exchange. Never used twice, so a late reply finds nobody.
struct CallId {
  uint64_t connection = 0;
  uint64_t exchange = 0;
  uint64_t step = 0;
  size_t index = 0;
};

struct Letter {
  CallId to;
  Bytes reply;
};

// Thread-safe. The lock is held for a push or a swap.
class Mailbox {
 public:
  // `wake` is sent for every letter until Close.
  void Open(uv_async_t* wake);
  void Close();

  void Put(Letter letter);
  void AskToStop(uint64_t drain_ms);

  struct Contents {
    std::vector<Letter> letters;
    std::optional<uint64_t> stop_drain_ms;  // once, of the first wish
  };
  Contents TakeAll();

 private:
  void Wake();

  std::mutex mutex_;
  uv_async_t* wake_ = nullptr;  // nullptr: closed
  Contents contents_;
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_MAILBOX_H_
