// Rates and percentiles from counters.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/duration_histogram.h"
#include "net/http/dashboard/series.h"
#include "tests/unit/net/http_dashboard_samples.h"

namespace lockstep::net::http {
namespace {

using http_test::CalmCluster;
using http_test::Replica;
using http_test::Silence;
using lockstep::v1::StatusResponse;

CallTally Tally(const std::string& method, size_t bucket, uint64_t count) {
  CallTally tally{.api = "grpc", .method = method, .counts = {}};
  tally.counts.resize(DurationHistogram::kBuckets);
  tally.counts[bucket] = count;
  return tally;
}

class SeriesOf : public testing::Test {
 protected:
  const Point& Add(const StatusResponse& status, const std::vector<CallTally>& calls = {},
                   uint64_t seconds = 2) {
    now_us_ += seconds * 1'000'000;
    picture_.Take(status, now_us_ / 1000);
    series_.Add(picture_, calls, now_us_, 0);
    static const Point kNone;
    return series_.points().empty() ? kNone : series_.points().back();
  }

  Picture picture_;
  Series series_;
  uint64_t now_us_ = 1'000'000;
};

TEST(Percentiles, LieWithinTheirBucket) {
  EXPECT_FALSE(PercentileMs({}, 0.5).has_value());
  EXPECT_FALSE(PercentileMs(Buckets(DurationHistogram::kBuckets), 0.99).has_value());
  Buckets buckets(DurationHistogram::kBuckets);
  buckets[0] = 90;  // up to 0.016 ms
  buckets[6] = 10;  // from 0.512 to 1.024 ms
  EXPECT_NEAR(*PercentileMs(buckets, 0.45), 0.008, 1e-9);
  EXPECT_NEAR(*PercentileMs(buckets, 0.95), 0.768, 1e-9);
  EXPECT_NEAR(*PercentileMs(buckets, 1), 1.024, 1e-9);
  Buckets slow(DurationHistogram::kBuckets);
  slow.back() = 3;  // no bound: at least the last one
  EXPECT_NEAR(*PercentileMs(slow, 0.5), 8388.608, 1e-6);
}

TEST(Percentiles, KnowReadsFromWrites) {
  EXPECT_EQ(SortOf(Tally("Get", 0, 1)), CallSort::kRead);
  EXPECT_EQ(SortOf(Tally("CompareAndSwap", 0, 1)), CallSort::kWrite);
  EXPECT_EQ(SortOf(Tally("Status", 0, 1)), CallSort::kOther);
}

TEST_F(SeriesOf, TheFirstSampleMakesNoPoint) {
  Add(CalmCluster());
  EXPECT_TRUE(series_.points().empty());
}

TEST_F(SeriesOf, RatesArePerSecond) {
  Add(CalmCluster());
  StatusResponse status = CalmCluster();
  Replica(&status, 1, 0)->set_commit(5000);  // the controller's are no writes of clients
  Replica(&status, 1, 101)->set_commit(190);
  Replica(&status, 1, 102)->set_commit(92);
  Replica(&status, 2, 101)->mutable_counters()->mutable_read_index()->add_counts(30);
  Replica(&status, 1, 0)->mutable_counters()->mutable_read_index()->add_counts(1000);
  const Point& point = Add(status, {Tally("Get", 3, 6), Tally("Put", 5, 2), Tally("Nodes", 0, 9)});
  EXPECT_EQ(point.writes, 51);
  EXPECT_EQ(point.reads, 15);
  EXPECT_EQ(point.calls, 4);
  EXPECT_TRUE(point.read_p50_ms.has_value());
  EXPECT_EQ(point.storage_bytes, 3000u);
  EXPECT_EQ(point.nodes_online, 3u);
  // Nothing more has come.
  const Point& quiet = Add(status, {Tally("Get", 3, 6), Tally("Put", 5, 2)});
  EXPECT_EQ(quiet.writes, 0);
  EXPECT_EQ(quiet.calls, 0);
  EXPECT_FALSE(quiet.write_p99_ms.has_value());
}

// A follower that speaks for its group knows less than the leader did; a restart begins anew.
TEST_F(SeriesOf, NoRateIsNegativeOrASpike) {
  StatusResponse status = CalmCluster();
  Replica(&status, 2, 101)->mutable_counters()->mutable_read_index()->add_counts(1000);
  Add(status);
  StatusResponse after = CalmCluster();
  Silence(&after, 2);
  for (const uint64_t node : {1u, 3u}) Replica(&after, node, 101)->set_commit(80);
  EXPECT_EQ(Add(after).writes, 0);
  EXPECT_EQ(series_.points().back().reads, 0);
  // Back again: what was counted meanwhile is no rate of this moment.
  Replica(&status, 2, 101)->mutable_counters()->mutable_read_index()->set_counts(0, 9000);
  EXPECT_EQ(Add(status).reads, 0);
  status.mutable_nodes(1)->set_uptime_ms(5);
  Replica(&status, 2, 101)->mutable_counters()->mutable_read_index()->set_counts(0, 10);
  EXPECT_EQ(Add(status).reads, 0);
}

TEST_F(SeriesOf, PointsAreBoundedByNumberAndAge) {
  for (size_t i = 0; i < Series::kPointsMax + 50; ++i) Add(CalmCluster(), {}, 1);
  EXPECT_LE(series_.points().size(), Series::kPointsMax);
  Add(CalmCluster(), {}, 599);
  EXPECT_LE(series_.points().size(), 3u);
}

}  // namespace
}  // namespace lockstep::net::http
