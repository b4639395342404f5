#include "net/http/dashboard/model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "net/http/dashboard/view.h"

namespace lockstep::net::http {

std::string DashboardTexts::All() const {
  return absl::StrCat("{\"topology\":", topology, ",\"metrics\":", metrics, ",\"shards\":", shards,
                      ",\"events\":", events, "}");
}

void Model::Observe(Sample sample) {
  const Picture before = picture_;
  picture_.Take(std::move(sample.status), sample.at_ms);
  std::vector<Event> events;
  if (samples_ > 0) events = Differences(before, picture_);
  ++samples_;
  series_.Add(picture_, sample.calls, sample.now_us, CountLeaderChanges(events));
  events_before_ = log_.last_id();
  log_.Add(std::move(events), sample.at_ms);
}

DashboardTexts Model::Everything() const { return Texts(0, 0); }

DashboardTexts Model::News() const {
  const size_t points = series_.points().size();
  return Texts(points == 0 ? 0 : points - 1, events_before_);
}

DashboardTexts Model::Texts(size_t first_point, uint64_t after_event) const {
  return {.number = samples_,
          .topology = Dump(TopologyJson(picture_, options_)),
          .metrics = Dump(MetricsJson(picture_, options_, series_, first_point)),
          .shards = Dump(ShardsJson(picture_)),
          .events = Dump(EventsJson(log_, after_event))};
}

}  // namespace lockstep::net::http
