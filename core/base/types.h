// Ids that do not mix, and time that cannot be read.
//
// An Id is a number with a kind: a Term is not an Index, and neither is a bare integer. Raw numbers
// live only in messages and on disk. Time is a value handed to whoever needs it; MonoClock has no
// now().
#ifndef LOCKSTEP_CORE_BASE_TYPES_H_
#define LOCKSTEP_CORE_BASE_TYPES_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <ostream>

namespace lockstep {

// A number of one kind. Zero means "none" for every kind.
template <class Tag>
class Id {
 public:
  constexpr Id() = default;  // none
  // Numbers from messages and disks become ids by name only.
  explicit constexpr Id(uint64_t value) : value_(value) {}
  constexpr uint64_t value() const { return value_; }   // the bare number
  constexpr Id Next() const { return Id(value_ + 1); }  // the one after
  // REQUIRES: value() > 0.
  constexpr Id Previous() const { return Id(value_ - 1); }
  constexpr Id Plus(uint64_t count) const { return Id(value_ + count); }  // as many further
  // The distance from `earlier`. REQUIRES: earlier <= *this.
  constexpr uint64_t Since(Id earlier) const { return value_ - earlier.value_; }
  constexpr explicit operator bool() const { return value_ != 0; }  // whether there is one
  friend constexpr auto operator<=>(Id, Id) = default;
  friend std::ostream& operator<<(std::ostream& os, Id id) { return os << id.value_; }

 private:
  uint64_t value_ = 0;
};

using NodeId = Id<struct NodeIdTag>;    // a process with an address: a server or a client; from 1
using GroupId = Id<struct GroupIdTag>;  // a Raft group; a node holds at most one replica of each
using ShardId = Id<struct ShardIdTag>;  // a part of the key space
using Term = Id<struct TermTag>;        // Raft's logical clock; 0 is before the first election
using Index = Id<struct IndexTag>;      // log position, from 1; 0 is "before the first"
using PersistSeq = Id<struct PersistTag>;   // numbers one replica's batches for the log, from 1
using ReadSeq = Id<struct ReadSeqTag>;      // numbers one leader's read barriers within its term
using Ticket = Id<struct TicketTag>;        // numbers the jobs of one storage lane, from 1
using RequestId = Id<struct RequestIdTag>;  // one client call at one node, from 1
using SessionId = Id<struct SessionIdTag>;  // a client session: the log index that registered it
// A node's data directory, drawn at its first boot: a node that lost its data is another one.
using IncarnationId = Id<struct IncarnationTag>;

// A monotonic clock without now(): asking it for the time does not compile.
struct MonoClock {
  using duration = std::chrono::nanoseconds;              // one tick
  using rep = duration::rep;                              // what std::chrono asks of a clock
  using period = duration::period;                        // the same
  using time_point = std::chrono::time_point<MonoClock>;  // the same
  static constexpr bool is_steady = true;                 // never set back
};
using Duration = MonoClock::duration;   // nanoseconds; takes every std::chrono duration
using Instant = MonoClock::time_point;  // since the host's beginning of time

// Later than all that happens.
inline constexpr Instant kNever = Instant::max();

// Whole ones; none of what is negative.
inline constexpr uint64_t Microseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return count < 0 ? 0 : static_cast<uint64_t>(count);
}

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_TYPES_H_
