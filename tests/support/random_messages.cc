#include "tests/support/random_messages.h"

#include <string>
#include <utility>

#include "core/raft/group_configuration.h"

namespace lockstep::test {
namespace {

constexpr uint64_t kMax = uint64_t{1} << 50;

Bytes RandomBytes(Rng& rng) {
  std::string text(rng.Below(40), '\0');
  for (char& c : text) c = static_cast<char>(rng.Below(256));
  return Bytes::Copy(text);
}

// Of a term up to `term`; "before the first" now and then.
LogPosition RandomPosition(Rng& rng, Term term) {
  const bool none = rng.Chance({1, 8});
  const Index index(rng.Magnitude(1, kMax));
  const Term of(rng.Between(uint64_t{1}, term.value()));
  return none ? LogPosition{} : LogPosition{index, of};
}

// Some change under way, encoded.
Bytes RandomConfiguration(Rng& rng, Index id) {
  raft::GroupConfiguration configuration{
      .id = id, .phase = raft::ChangePhase::kJoint, .members = {}};
  const uint64_t count = rng.Between(uint64_t{1}, uint64_t{5});
  for (uint64_t node = 1; node <= count; ++node) {
    const bool stays = node == 1 || rng.Chance({1, 2});
    const bool known = rng.Chance({1, 2});
    const uint64_t incarnation = rng.Magnitude(1, kMax);
    configuration.members.push_back(
        {.node = NodeId(node),
         .incarnation = IncarnationId(known ? incarnation : 0),
         .before = stays ? raft::Standing::kVoter : raft::Standing::kLearner,
         .after = raft::Standing::kVoter});
  }
  return raft::Encode(configuration);
}

raft::AppendRequest RandomAppend(Rng& rng, Term term) {
  raft::AppendRequest request;
  request.prev = RandomPosition(rng, term);
  request.commit = Index(rng.Below(kMax));
  request.read_seq = ReadSeq(rng.Below(1000));
  Term last = std::max(request.prev.term, Term(1));
  const uint64_t count = rng.Below(5);
  for (uint64_t i = 0; i < count; ++i) {
    last = Term(rng.Between(last.value(), term.value()));
    const Index index = request.prev.index.Plus(i + 1);
    const uint64_t kind = rng.Below(8);
    Entry& entry = request.entries.emplace_back(Entry{index, last, EntryKind::kNoop, Bytes()});
    if (kind < 2) continue;
    entry.kind = kind == 2 ? EntryKind::kConfiguration : EntryKind::kCommand;
    entry.data = kind == 2 ? RandomConfiguration(rng, index) : RandomBytes(rng);
  }
  return request;
}

raft::Body RandomReply(Rng& rng, Term term, uint64_t kind) {
  const ReadSeq read_seq(rng.Below(3));
  const Index index(rng.Below(kMax));
  const bool flag = rng.Chance({1, 2});
  switch (kind) {
    case 0:
      return raft::PreVoteReply{.next_term = term.Next(), .granted = flag};
    case 1:
      return raft::VoteReply{.granted = flag};
    case 2:
      return raft::AppendAccepted{.match = index, .read_seq = read_seq};
    case 3: {
      const Term hint = flag ? Term(rng.Between(uint64_t{1}, term.value())) : Term();
      return raft::AppendRejected{
          .rejected = index, .hint = {index.Next(), hint}, .read_seq = read_seq};
    }
    case 4:
      return raft::HeartbeatReply{
          .read_seq = read_seq,
          .room = static_cast<raft::Room>(index.value() % 3),
          .promise = Duration(flag ? static_cast<int64_t>(index.value()) : 0)};
    case 5:
      return raft::ReadIndexReply{.seq = read_seq, .index = index.Next()};
    default: {
      const LogPosition snapshot = RandomPosition(rng, term);
      return raft::SnapshotReply{
          .snapshot = snapshot, .next_offset = index.value(), .complete = flag};
    }
  }
}

raft::Body RandomRequest(Rng& rng, Term term, uint64_t kind) {
  const LogPosition last = RandomPosition(rng, term);
  const bool flag = rng.Chance({1, 2});
  switch (kind) {
    case 0:
      return raft::PreVoteRequest{.next_term = term.Next(), .last = last};
    case 1:
      return raft::VoteRequest{.last = last, .transfer = flag};
    case 2:
      return RandomAppend(rng, term);
    case 3: {
      const ReadSeq read_seq(rng.Below(1000));
      return raft::Heartbeat{.commit = last.index, .read_seq = read_seq};
    }
    case 4: {
      const LogPosition snapshot = last.index == Index() ? LogPosition{Index(1), Term(1)} : last;
      const uint64_t offset = rng.Below(kMax);
      raft::SnapshotChunk chunk{
          .snapshot = snapshot, .offset = offset, .data = RandomBytes(rng), .last = flag};
      if (rng.Chance({1, 2})) chunk.configuration = RandomConfiguration(rng, Index(1));
      return chunk;
    }
    case 5:
      return raft::ReadIndexRequest{.seq = ReadSeq(rng.Between(uint64_t{1}, kMax))};
    default:
      return raft::TimeoutNow{};
  }
}

}  // namespace

raft::Message RandomMessage(Rng& rng) {
  const Term term(rng.Magnitude(1, kMax));
  const uint64_t kind = rng.Below(7);
  const bool reply = rng.Chance({1, 2});
  const bool known = rng.Chance({1, 2});
  const uint64_t incarnation = rng.Magnitude(1, kMax);
  return raft::Message{term, reply ? RandomReply(rng, term, kind) : RandomRequest(rng, term, kind),
                       IncarnationId(known ? incarnation : 0)};
}

}  // namespace lockstep::test
