// All that the dashboard shows, made of one sample after the other. Pure.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_MODEL_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "net/http/dashboard/events.h"
#include "net/http/dashboard/picture.h"
#include "net/http/dashboard/series.h"
#include "net/http/options.h"

namespace lockstep::net::http {

struct Sample {
  lockstep::v1::StatusResponse status;  // with shards
  std::vector<CallTally> calls;         // of this node since it began
  uint64_t at_ms = 0;                   // Unix time
  uint64_t now_us = 0;                  // of one clock that never goes back
};

// One state as texts of JSON.
struct DashboardTexts {
  uint64_t number = 0;  // of the sample, from 1
  std::string topology;
  std::string metrics;
  std::string shards;
  std::string events;

  // An object of all four.
  std::string All() const;
};

class Model {
 public:
  // `options` outlives it.
  explicit Model(const HttpOptions& options) : options_(options) {}

  void Observe(Sample sample);

  // All that is known: every point and every event.
  DashboardTexts Everything() const;
  // The newest sample: the state as it is, and of points and events those that it brought.
  DashboardTexts News() const;

  const EventLog& log() const { return log_; }
  const Series& series() const { return series_; }

 private:
  DashboardTexts Texts(size_t first_point, uint64_t after_event) const;

  const HttpOptions& options_;
  Picture picture_;
  Series series_;
  EventLog log_;
  uint64_t samples_ = 0;
  uint64_t events_before_ = 0;  // the id of the last one before the newest sample
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_MODEL_H_
