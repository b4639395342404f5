// What a lease lasts, and where it is refused.
#include "core/raft/lease.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "core/base/rng.h"

namespace lockstep::raft {
namespace {

using std::chrono::milliseconds;

TEST(Lease, LastsForTheElectionTimeoutWhereClocksAreRight) {
  EXPECT_EQ(AtLeast(milliseconds(1000), 0), milliseconds(1000));
  EXPECT_EQ(Within(milliseconds(1000), 0), milliseconds(1000));
}

// Whatever two clocks do within the bound, what the one measures is over before what the other has
// promised.
TEST(Lease, IsOverBeforeThePromiseOnAnyTwoClocks) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto drift = static_cast<uint32_t>(rng.Below(1000));
    const Duration election(static_cast<int64_t>(rng.Magnitude(1'000'000, 3'600'000'000'000)));
    const Duration lease = Within(AtLeast(election, drift), drift);
    // A fast voter's clock: the promise lasts election / (1 + drift). A slow leader's: the lease
    // lasts lease / (1 - drift). Times (1 + drift)(1 - drift), in thousandths.
    __extension__ using Wide = __int128;
    const Wide promised = static_cast<Wide>(election.count()) * (1000 - drift);
    const Wide measured = static_cast<Wide>(lease.count()) * (1000 + drift);
    EXPECT_LE(measured, promised) << election.count() << " ns, " << drift << " thousandths";
  }
}

TEST(Lease, IsRefusedWhereItCouldNotBeKept) {
  Config config;
  config.election_min = milliseconds(1000);
  config.heartbeat = milliseconds(100);
  config.clock_drift_max = 2000;
  EXPECT_TRUE(ValidateLease(config).ok()) << "without leases nobody asks";
  config.lease = true;
  EXPECT_EQ(ValidateLease(config).code(), absl::StatusCode::kFailedPrecondition);
  config.clock_drift_max = 10;
  EXPECT_TRUE(ValidateLease(config).ok());
  config.heartbeat = milliseconds(970);
  EXPECT_TRUE(ValidateLease(config).ok());
  config.heartbeat = milliseconds(981);  // 1000 ms / 1.01 * 0.99 are 980.2 ms
  EXPECT_EQ(ValidateLease(config).message(),
            "with clocks that drift by up to 10 thousandths a lease lasts 980 ms, no longer than "
            "the time between heartbeats, 981 ms: it could never be kept");
}

}  // namespace
}  // namespace lockstep::raft
