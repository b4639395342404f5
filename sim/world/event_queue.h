// The order of everything: events by (time, sequence), so that events of one moment happen in the
// order in which they were scheduled.
//
// A 4-ary heap of 32-byte values: two cache lines hold the children of a place, and half as many
// levels are walked as in a binary heap. What an event carries lives elsewhere (slab.h).
#ifndef LOCKSTEP_SIM_WORLD_EVENT_QUEUE_H_
#define LOCKSTEP_SIM_WORLD_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/check.h"

namespace lockstep::sim {

// Appended to only: the numbers feed the trace hash.
enum class EventKind : uint8_t {
  kDeliver,    // a packet arrives at `actor`; payload: its slot
  kAlarm,      // payload: unused
  kStorage,    // a lane of `actor` has finished its job; payload: incarnation * 2 + lane
  kTurnEnd,    // a turn held open ends; payload: its number
  kBoot,       // a server starts; payload: the incarnation that ended
  kLinkHint,   // payload: peer * 2 + up
  kFault,      // chance attempts a fault; payload: its kind
  kFaultEdge,  // a fault begins or ends; payload: its interval
  kStrike,     // an aimed fault hits; payload: its slot
  kPhase,      // the world looks at its phase
  kSpace,      // a server measures its disk; payload: a number of its own
};
inline constexpr size_t kEventKinds = 11;

struct Event {
  int64_t time = 0;       // nanoseconds since the run began
  uint64_t sequence = 0;  // given by the queue
  uint64_t cause = 0;     // number of the event in whose course this one was scheduled
  uint32_t payload = 0;   // by kind
  uint16_t actor = 0;     // a node's or client's id; 0: the world
  EventKind kind = EventKind::kAlarm;
};
static_assert(sizeof(Event) == 32);

class EventQueue {
 public:
  EventQueue() { heap_.reserve(1024); }

  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  // REQUIRES: !empty().
  const Event& top() const { return heap_.front(); }

  // Returns the event's sequence number, which is unique within the run.
  uint64_t Push(Event event) {
    event.sequence = ++pushed_;
    size_t at = heap_.size();
    heap_.push_back(event);
    while (at > 0) {
      const size_t parent = (at - 1) / 4;
      if (!Before(event, heap_[parent])) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = event;
    return event.sequence;
  }

  // REQUIRES: !empty().
  Event Pop() {
    Check(!heap_.empty());
    const Event first = heap_.front();
    const Event last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) SiftDown(last);
    return first;
  }

 private:
  static bool Before(const Event& a, const Event& b) {
    return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
  }

  // Places `event` into the tree whose root is free.
  void SiftDown(const Event& event) {
    const size_t size = heap_.size();
    size_t at = 0;
    for (;;) {
      const size_t first = 4 * at + 1;
      if (first >= size) break;
      const size_t until = first + 4 < size ? first + 4 : size;
      size_t least = first;
      for (size_t child = first + 1; child < until; ++child) {
        if (Before(heap_[child], heap_[least])) least = child;
      }
      if (!Before(heap_[least], event)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = event;
  }

  std::vector<Event> heap_;
  uint64_t pushed_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_EVENT_QUEUE_H_
