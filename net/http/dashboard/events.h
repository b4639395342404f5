// What has happened between two pictures of the cluster, in words. Pure.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_EVENTS_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_EVENTS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "net/http/dashboard/picture.h"

namespace lockstep::net::http {

// Good: something is well again. Bad: something does not serve.
enum class Tone { kGood, kNews, kWarning, kBad };
const char* Name(Tone tone);

struct Event {
  uint64_t id = 0;  // from 1, without gaps
  uint64_t at_ms = 0;
  std::string kind;  // a stable name, like "node_offline"
  Tone tone = Tone::kNews;
  std::string text;
};

// Ids and times are still to be filled in.
std::vector<Event> Differences(const Picture& before, const Picture& after);
// Of Differences: how many of them are a group's new leader.
uint64_t CountLeaderChanges(const std::vector<Event>& events);

// The last ones.
class EventLog {
 public:
  static constexpr size_t kEventsMax = 200;

  // Gives them ids and their time, and keeps them.
  void Add(std::vector<Event> events, uint64_t at_ms);
  // Ascending ids.
  const std::deque<Event>& events() const { return events_; }
  uint64_t last_id() const { return last_id_; }

 private:
  std::deque<Event> events_;
  uint64_t last_id_ = 0;
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_EVENTS_H_
