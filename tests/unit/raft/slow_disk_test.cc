// A disk that is slow is not dead: how long a replica waits for it follows from what it has to
// write.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/raft/raft.h"

namespace lockstep::raft {
namespace {

// The only voter of its group: it leads, and commits what its own disk has.
class Lone {
 public:
  Lone() : raft_(Options(), ReplicaImage{}, Rng(1), now_) {
    Step(TimerFired{});
    Finish();
  }

  template <class Input>
  void Step(Input input) {
    raft::Input any = std::move(input);
    raft_.Step(now_, any, out_);
  }
  void Propose(size_t bytes) {
    Step(raft::Propose{.id = RequestId(1), .command = Bytes::Copy(std::string(bytes, 'x'))});
    Begin();
  }
  // Hands the batch to the disk; Finish: it is durable.
  void Begin() { batch_ = raft_.TakeBatch(&under_way_); }
  void Finish() {
    while (raft_.HasBatch()) {
      Begin();
      Step(Persisted{under_way_});
    }
  }
  void Pass(Duration time) {
    for (const Instant end = now_ + time; now_ < end;) {
      now_ += std::chrono::milliseconds(10);
      Step(TimerFired{});
    }
  }
  bool leads() const { return raft_.is_leader(); }

 private:
  static Config Options() {
    Config config;
    config.self = NodeId(1);
    config.membership = Membership({NodeId(1)});
    config.election_min = std::chrono::milliseconds(1000);
    config.election_max = std::chrono::milliseconds(2000);
    return config;
  }

  Instant now_ = Instant(std::chrono::seconds(1));
  Output out_;
  Raft raft_;
  PersistSeq under_way_;
  LogBatch batch_;
};

TEST(SlowDisk, ALeaderGivesUpOverASmallWrite) {
  Lone lone;
  ASSERT_TRUE(lone.leads());
  lone.Propose(100);
  lone.Pass(std::chrono::milliseconds(1900));
  EXPECT_TRUE(lone.leads());
  lone.Pass(std::chrono::milliseconds(400));
  EXPECT_FALSE(lone.leads());
}

TEST(SlowDisk, ALargeWriteIsGivenMoreTime) {
  Lone lone;
  lone.Propose(size_t{32} << 20);
  lone.Pass(std::chrono::milliseconds(2000 + 3100));
  EXPECT_TRUE(lone.leads());
  lone.Pass(std::chrono::milliseconds(400));
  EXPECT_FALSE(lone.leads());
}

}  // namespace
}  // namespace lockstep::raft
