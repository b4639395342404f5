// Leases (thesis §6.4.1): reads without a round of messages, for those who trust their clocks.
//
// Who hears a leader promises not to replace it for election_min from then on: it neither votes nor
// campaigns, unless the leader itself asks for it (transfer). A restart forgets when that was, so
// whoever boots is bound as if it had just heard one. With the answer to a heartbeat the follower
// says for how long, by the truth, its promise lasts: shorter than on its own clock, which may be
// fast. The leader counts that from the moment at which it SENT the round that is answered, which
// is before it was heard, on its own clock, which may be slow, so less again. Until a majority's
// promises end (of both sets of voters in a joint configuration) nobody else can be elected, hence
// nobody else commits anything.
//
// Why a read under a lease is linearizable. It takes commit_ when it comes, and is released at the
// end of that turn, at T, if the lease then lasts. Until T nobody else had committed anything in a
// later term, and this leader had committed an entry of its own term: so what the read took covers
// every write that was answered before it came. It is answered from a state at or after that, and
// every state that a table reaches is committed. It does not matter how late the answer is, nor
// whether the process stood still before, between or after: the clock is read after the call has
// come, and T lies between call and answer. A host whose time is constant within an event must read
// it anew when a turn ends.
#include "core/raft/lease.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {
namespace {

constexpr int64_t kThousand = 1000;

}  // namespace

Duration AtLeast(Duration span, uint32_t clock_drift_max) {
  return Duration(span.count() * kThousand / (kThousand + int64_t{clock_drift_max}));
}

Duration Within(Duration span, uint32_t clock_drift_max) {
  // Divided first: what another node says may be large.
  const int64_t taken = (span.count() / kThousand + 1) * int64_t{clock_drift_max};
  return std::max(Duration(0), span - Duration(taken));
}

absl::Status ValidateLease(const Config& config) {
  if (!config.lease) return absl::OkStatus();
  if (config.clock_drift_max >= kThousand) {
    return absl::FailedPreconditionError(
        absl::StrCat("a clock that drifts by ", config.clock_drift_max,
                     " thousandths tells nothing; leases need a bound below 1000"));
  }
  const Duration lease =
      Within(AtLeast(config.election_min, config.clock_drift_max), config.clock_drift_max);
  if (lease > config.heartbeat) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "with clocks that drift by up to ", config.clock_drift_max, " thousandths a lease lasts ",
      lease.count() / 1'000'000, " ms, no longer than the time between heartbeats, ",
      config.heartbeat.count() / 1'000'000, " ms: it could never be kept"));
}

// The follower.

// Whether it has promised not to replace the leader that it heard last.
bool Raft::IsBound() const { return config_.lease && now_ < bound_until_; }

void Raft::Bind() {
  if (config_.lease) bound_until_ = std::max(bound_until_, now_ + config_.election_min);
}

Duration Raft::Promise() const {
  return config_.lease ? AtLeast(config_.election_min, config_.clock_drift_max) : Duration(0);
}

// The leader.

// The heartbeats that leave next have a number of their own.
void Raft::RememberRound() {
  if (!config_.lease) return;
  Leader& leader = std::get<Leader>(role_);
  std::deque<LeaseRound>& rounds = leader.lease_rounds;
  // Rounds of reads follow each other quickly; one of them may stand for those that follow closely.
  if (!rounds.empty() && now_ < rounds.back().sent + config_.heartbeat / 16) return;
  rounds.push_back({leader.read_seq, now_});
  if (rounds.size() > kLeaseRoundsMax) rounds.pop_front();
}

void Raft::CountPromise(Leader::Peer& peer, const HeartbeatReply& reply) {
  if (!config_.lease || reply.promise == Duration(0)) return;
  const std::deque<LeaseRound>& rounds = std::get<Leader>(role_).lease_rounds;
  const auto after = std::find_if(rounds.begin(), rounds.end(), [&](const LeaseRound& round) {
    return round.seq > reply.read_seq;
  });
  if (after == rounds.begin()) return;  // Of a round that is forgotten, or before the first.
  const Instant until = std::prev(after)->sent + Within(reply.promise, config_.clock_drift_max);
  peer.progress.promised_until = std::max(peer.progress.promised_until, until);
}

// By our clock; the beginning of time: there is no lease. Who does not vote itself takes none: the
// voters may be one other, who would not wait. Who is the only voter needs none.
Instant Raft::LeaseEnd() const {
  const Leader* leader = leader_state();
  if (!config_.lease || leader == nullptr || leader->lease_given_up) return Instant();
  if (!membership().IsVoter(config_.self) || membership().voters().size() == 1) return Instant();
  if (commit_ < leader->term_start) return Instant();
  const uint64_t end = membership().AgreedValue([&](NodeId voter) {
    const Leader::Peer* peer = FindPeer(voter);
    if (peer == nullptr) CheckEq(voter, config_.self);
    const Instant until = peer == nullptr ? kNever : peer->progress.promised_until;
    return static_cast<uint64_t>(until.time_since_epoch().count());
  });
  return Instant(Duration(static_cast<int64_t>(end)));
}

bool Raft::HoldsLease() const { return now_ < LeaseEnd(); }

// At the end of the turn in which they came, and with them those whose round is still under way.
void Raft::ReleaseByLease(Output& out) {
  Check(HoldsLease());
  Leader& leader = std::get<Leader>(role_);
  for (const PendingRead& read : leader.reads) {
    CheckLe(read.at, commit_);  // What it waited for was committed before there was a lease.
    // There was no round that told a follower what is committed.
    if (Leader::Peer* peer = FindPeer(read.from); peer != nullptr) SendHeartbeat(*peer, out);
    Release(read, out);
  }
  leader.reads.clear();
}

// Before anybody is asked to campaign: whoever does may win at once. For good, because the request
// may be obeyed late.
void Raft::GiveUpLease() { std::get<Leader>(role_).lease_given_up = true; }

void Raft::NoteLease(Output& out) {
  if (!config_.lease || !out.notes_wanted) return;
  const Instant end = LeaseEnd();
  Instant& noted = std::get<Leader>(role_).lease_noted;
  if (end == noted) return;
  noted = end;
  AddNote(NoteKind::kLease, NodeId(), LogPosition{},
          static_cast<uint64_t>(end.time_since_epoch().count()), out);
}

}  // namespace lockstep::raft
