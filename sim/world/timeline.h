// Virtual time: the queue of what is to come, the moment and the number of what happens now, and
// the fingerprint of what has happened. Everything in the world schedules through it.
#ifndef LOCKSTEP_SIM_WORLD_TIMELINE_H_
#define LOCKSTEP_SIM_WORLD_TIMELINE_H_

#include <cstdint>
#include <limits>

#include "core/base/check.h"
#include "core/base/types.h"
#include "sim/world/event_queue.h"
#include "sim/world/trace_hash.h"

namespace lockstep::sim {

// Virtual time is nanoseconds since the run began.
inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::max();
inline Instant ToInstant(int64_t time) { return Instant(Duration(time)); }

class Timeline {
 public:
  int64_t now() const { return now_; }
  Instant instant() const { return ToInstant(now_); }
  // The number of the event that happens now, from 1. Void events have none.
  uint64_t number() const { return number_; }
  // The event in whose course this one was scheduled; 0: the beginning of the run.
  uint64_t cause() const { return cause_; }
  TraceHash& hash() { return hash_; }
  const TraceHash& hash() const { return hash_; }
  bool empty() const { return queue_.empty(); }

  // REQUIRES: now() <= time < kNoTime. Returns the event's unique sequence number.
  uint64_t Schedule(int64_t time, EventKind kind, uint16_t actor, uint32_t payload) {
    CheckLe(now_, time);
    return queue_.Push(
        {.time = time, .cause = number_, .payload = payload, .actor = actor, .kind = kind});
  }
  // The same event again, later, with its own cause: whoever it is for cannot take it now.
  uint64_t Postpone(const Event& event, int64_t time) {
    CheckLe(now_, time);
    Event later = event;
    later.time = time;
    return queue_.Push(later);
  }

  // Takes the next event off the queue; nothing has happened yet. REQUIRES: !empty().
  Event Next() { return queue_.Pop(); }
  // It happens: time moves, it gets its number and enters the fingerprint.
  void Begin(const Event& event) {
    now_ = event.time;
    cause_ = event.cause;
    ++number_;
    hash_.Add(static_cast<uint64_t>(event.time));
    hash_.Add(static_cast<uint64_t>(event.kind) | uint64_t{event.actor} << 8);
  }
  // Time moves although the event is void or postponed.
  void Pass(const Event& event) { now_ = event.time; }

 private:
  EventQueue queue_;
  TraceHash hash_;
  int64_t now_ = 0;
  uint64_t number_ = 0;
  uint64_t cause_ = 0;
};

// One actor's alarm, moved at will without touching the queue: a queued event that comes too early
// goes back to the queue, one that was overtaken by an earlier one is void.
class Alarm {
 public:
  // kNoTime: none. A time in the past means now.
  void Set(Timeline& timeline, uint16_t actor, int64_t when) {
    armed_ = when;
    if (when == kNoTime || queued_ <= when) return;
    Queue(timeline, actor, when < timeline.now() ? timeline.now() : when);
  }
  // Nothing is armed any more (the actor's memory is gone).
  void Clear() {
    armed_ = kNoTime;
    queued_ = kNoTime;
    sequence_ = 0;
  }
  // Whether this alarm event rings now; then nothing is armed.
  bool Rings(Timeline& timeline, const Event& event) {
    if (event.sequence != sequence_) return false;
    queued_ = kNoTime;
    sequence_ = 0;
    if (armed_ == kNoTime) return false;
    if (armed_ > event.time) {
      Queue(timeline, event.actor, armed_);
      return false;
    }
    armed_ = kNoTime;
    return true;
  }
  // The event is put off; it is still this alarm's.
  void Postponed(uint64_t sequence, int64_t time) {
    sequence_ = sequence;
    queued_ = time;
  }
  bool Owns(const Event& event) const { return event.sequence == sequence_; }
  int64_t armed() const { return armed_; }

 private:
  void Queue(Timeline& timeline, uint16_t actor, int64_t when) {
    queued_ = when;
    sequence_ = timeline.Schedule(when, EventKind::kAlarm, actor, 0);
  }

  int64_t armed_ = kNoTime;
  int64_t queued_ = kNoTime;  // of the event in the queue that counts; Invariant: it comes first
  uint64_t sequence_ = 0;     // its sequence; 0: none
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_TIMELINE_H_
