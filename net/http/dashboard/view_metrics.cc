// Sums, series, shards and events as JSON.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "net/http/cluster_view.h"
#include "net/http/dashboard/shard_map.h"
#include "net/http/dashboard/view.h"

namespace lockstep::net::http {
namespace {

// Three digits behind the point are more than anybody sees.
Json Rounded(double value) { return std::round(value * 1000) / 1000; }
Json Rounded(const std::optional<double>& value) {
  return value.has_value() ? Rounded(*value) : Json(nullptr);
}

// Column by column: a page draws columns, and their names are sent once.
Json SeriesJson(const Series& series, size_t first_point) {
  Json columns = Json::object();
  const auto& points = series.points();
  const auto add = [&](const char* name, auto value_of) {
    Json& column = columns[name] = Json::array();
    for (size_t i = first_point; i < points.size(); ++i) column.push_back(value_of(points[i]));
  };
  add("at", [](const Point& point) { return Json(point.at_ms); });
  add("writesPerSecond", [](const Point& point) { return Rounded(point.writes); });
  add("readsPerSecond", [](const Point& point) { return Rounded(point.reads); });
  add("callsPerSecond", [](const Point& point) { return Rounded(point.calls); });
  add("readP50Ms", [](const Point& point) { return Rounded(point.read_p50_ms); });
  add("readP99Ms", [](const Point& point) { return Rounded(point.read_p99_ms); });
  add("writeP50Ms", [](const Point& point) { return Rounded(point.write_p50_ms); });
  add("writeP99Ms", [](const Point& point) { return Rounded(point.write_p99_ms); });
  add("storageBytes", [](const Point& point) { return Json(point.storage_bytes); });
  add("keys", [](const Point& point) { return Json(point.keys); });
  add("nodesOnline", [](const Point& point) { return Json(point.nodes_online); });
  add("leaderChanges", [](const Point& point) { return Json(point.leader_changes); });
  return columns;
}

Json MoveJson(const ShardMove& move) {
  const auto known = [](const std::optional<uint64_t>& value) {
    return value.has_value() ? Json(*value) : Json(nullptr);
  };
  Json progress = nullptr;
  if (move.bytes_total.value_or(0) > 0) {
    const double part =
        static_cast<double>(move.bytes_arrived) / static_cast<double>(*move.bytes_total);
    progress = Rounded(std::min(part, 1.0));
  }
  return {{"from", NodeOrNull(move.from)},      {"to", move.to},
          {"keysArrived", move.keys_arrived},   {"keysTotal", known(move.keys_total)},
          {"bytesArrived", move.bytes_arrived}, {"bytesTotal", known(move.bytes_total)},
          {"progress", std::move(progress)}};
}

}  // namespace

Json MetricsJson(const Picture& picture, const HttpOptions& options, const Series& series,
                 size_t first_point) {
  uint64_t healthy = 0;
  uint64_t online = 0;
  for (const lockstep::v1::NodeStatus& node : picture.status().nodes()) {
    if (node.online()) ++online;
    if (ProblemsOf(node, options).empty()) ++healthy;
  }
  uint64_t without_leader = 0;
  for (const uint64_t group : picture.Groups()) without_leader += picture.LeadingNode(group) == 0;
  uint64_t keys = 0;
  uint64_t bytes = 0;
  uint64_t moving = 0;
  for (const ShardPlace& place : ShardMap(picture)) {
    keys += place.keys;
    bytes += place.bytes;
    if (place.move.has_value()) ++moving;
  }
  uint64_t leader_changes = 0;
  for (const Point& point : series.points()) leader_changes += point.leader_changes;
  const int shards = picture.configuration().owners_size();
  const int groups = picture.configuration().groups_size();
  return {{"totalNodes", picture.status().nodes_size()},
          {"onlineNodes", online},
          {"healthyNodes", healthy},
          {"totalStorage", StorageOf(picture)},
          {"totalKeys", keys},
          {"totalBytes", bytes},
          {"totalShards", shards},
          {"movingShards", moving},
          {"totalGroups", groups},
          {"groupsWithoutLeader", without_leader},
          {"averageLoad", groups == 0 ? Json(nullptr) : Rounded(double(shards) / groups)},
          {"leaderChanges", leader_changes},
          {"answeredBy", picture.status().answered_by()},
          {"updatedAt", picture.at_ms()},
          {"series", SeriesJson(series, first_point)}};
}

Json ShardsJson(const Picture& picture) {
  Json shards = Json::array();
  for (const ShardPlace& place : ShardMap(picture)) {
    const bool known = !place.state.empty();
    shards.push_back({{"shardId", place.shard},
                      {"groupId", NodeOrNull(place.owner)},
                      {"state", known ? Json(place.state) : Json(nullptr)},
                      {"keys", known ? Json(place.keys) : Json(nullptr)},
                      {"bytes", known ? Json(place.bytes) : Json(nullptr)},
                      {"leaderId", NodeOrNull(place.leader)},
                      {"pinned", place.pinned},
                      {"move", place.move.has_value() ? MoveJson(*place.move) : Json(nullptr)}});
  }
  return shards;
}

Json EventsJson(const EventLog& log, uint64_t after_id) {
  Json events = Json::array();
  for (const Event& event : log.events()) {
    if (event.id <= after_id) continue;
    events.push_back({{"id", event.id},
                      {"at", event.at_ms},
                      {"kind", event.kind},
                      {"tone", Name(event.tone)},
                      {"text", event.text}});
  }
  return events;
}

}  // namespace lockstep::net::http
