// The codec against the code that Protobuf generates from peer.proto, and against bad bytes.
#include "core/raft/codec.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/proto/peer.pb.h"
#include "gtest/gtest.h"
#include "tests/support/random_messages.h"

namespace lockstep::raft {
namespace {

using test::RandomMessage;

// The same message built with the generated classes.
struct ToProto {
  proto::PeerMessage* out;

  template <class M>
  static void SetLast(LogPosition last, M* m) {
    m->set_last_index(last.index.value());
    m->set_last_term(last.term.value());
  }
  void operator()(const PreVoteRequest& m) const {
    out->mutable_pre_vote_request()->set_next_term(m.next_term.value());
    SetLast(m.last, out->mutable_pre_vote_request());
  }
  void operator()(const PreVoteReply& m) const {
    out->mutable_pre_vote_reply()->set_next_term(m.next_term.value());
    out->mutable_pre_vote_reply()->set_granted(m.granted);
  }
  void operator()(const VoteRequest& m) const {
    SetLast(m.last, out->mutable_vote_request());
    out->mutable_vote_request()->set_transfer(m.transfer);
  }
  void operator()(const VoteReply& m) const { out->mutable_vote_reply()->set_granted(m.granted); }
  void operator()(const AppendRequest& m) const {
    proto::AppendRequest& append = *out->mutable_append_request();
    append.set_prev_index(m.prev.index.value());
    append.set_prev_term(m.prev.term.value());
    append.set_commit(m.commit.value());
    append.set_read_seq(m.read_seq.value());
    for (const Entry& entry : m.entries) {
      proto::LogEntry& added = *append.add_entries();
      added.set_term(entry.term.value());
      added.set_kind(static_cast<uint32_t>(entry.kind));
      added.set_data(std::string(entry.data.view()));
    }
  }
  void operator()(const AppendAccepted& m) const {
    out->mutable_append_reply()->set_accepted(true);
    out->mutable_append_reply()->set_match(m.match.value());
    out->mutable_append_reply()->set_read_seq(m.read_seq.value());
  }
  void operator()(const AppendRejected& m) const {
    proto::AppendReply& reply = *out->mutable_append_reply();
    reply.set_rejected_prev(m.rejected.value());
    reply.set_hint_index(m.hint.index.value());
    reply.set_hint_term(m.hint.term.value());
    reply.set_read_seq(m.read_seq.value());
  }
  void operator()(const Heartbeat& m) const {
    out->mutable_heartbeat()->set_commit(m.commit.value());
    out->mutable_heartbeat()->set_read_seq(m.read_seq.value());
  }
  void operator()(const HeartbeatReply& m) const {
    out->mutable_heartbeat_reply()->set_read_seq(m.read_seq.value());
    out->mutable_heartbeat_reply()->set_room(static_cast<uint32_t>(m.room));
    out->mutable_heartbeat_reply()->set_promise_ns(static_cast<uint64_t>(m.promise.count()));
  }
  void operator()(const SnapshotChunk& m) const {
    proto::SnapshotChunk& chunk = *out->mutable_snapshot_chunk();
    chunk.set_snapshot_index(m.snapshot.index.value());
    chunk.set_snapshot_term(m.snapshot.term.value());
    chunk.set_offset(m.offset);
    chunk.set_data(std::string(m.data.view()));
    const uint64_t data = StableHash(m.data.view());
    const std::string configuration(m.configuration.view());
    chunk.set_checksum(configuration.empty() ? data : HashChain(data, StableHash(configuration)));
    chunk.set_last(m.last);
    chunk.set_configuration(configuration);
  }
  void operator()(const SnapshotReply& m) const {
    proto::SnapshotReply& reply = *out->mutable_snapshot_reply();
    reply.set_snapshot_index(m.snapshot.index.value());
    reply.set_snapshot_term(m.snapshot.term.value());
    reply.set_next_offset(m.next_offset);
    reply.set_complete(m.complete);
  }
  void operator()(const TimeoutNow&) const { out->mutable_timeout_now(); }
  void operator()(const ReadIndexRequest& m) const {
    out->mutable_read_index_request()->set_seq(m.seq.value());
  }
  void operator()(const ReadIndexReply& m) const {
    out->mutable_read_index_reply()->set_seq(m.seq.value());
    out->mutable_read_index_reply()->set_index(m.index.value());
  }
};

// Everything that is in a message, entry data included.
std::string Whole(const Message& message) {
  std::string text = Describe(message);
  if (const auto* append = std::get_if<AppendRequest>(&message.body); append != nullptr) {
    for (const Entry& entry : append->entries) absl::StrAppend(&text, "|", entry.data.view());
  }
  if (const auto* chunk = std::get_if<SnapshotChunk>(&message.body); chunk != nullptr)
    absl::StrAppend(&text, "|", chunk->data.view(), "|", chunk->configuration.view());
  return text;
}

TEST(Codec, RoundTripAndProtobuf) {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    const Message message = RandomMessage(rng);
    const GroupId group(rng.Magnitude(1, UINT64_MAX) - 1);  // 0 is one, too
    const Bytes bytes = EncodePeerMessage(group, message);

    GroupId read_group;
    Message read;
    const absl::Status status = DecodePeerMessage(bytes, &read_group, &read);
    ASSERT_TRUE(status.ok()) << status << "\n" << Describe(message);
    ASSERT_EQ(read_group, group);
    ASSERT_EQ(Whole(read), Whole(message));

    proto::PeerMessage twin;
    twin.set_group(group.value());
    twin.set_term(message.term.value());
    twin.set_incarnation(message.incarnation.value());
    std::visit(ToProto{&twin}, message.body);
    // Byte for byte what Protobuf writes, so each side reads the other.
    ASSERT_EQ(std::string(bytes.view()), twin.SerializeAsString()) << Describe(message);
    proto::PeerMessage parsed;
    ASSERT_TRUE(parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    ASSERT_EQ(parsed.SerializeAsString(), twin.SerializeAsString());
  }
}

TEST(Codec, EntriesShareTheBuffer) {
  AppendRequest request;
  request.entries.push_back({Index(1), Term(1), EntryKind::kCommand, Bytes::Copy("command")});
  const Bytes bytes = EncodePeerMessage(GroupId(1), Message{Term(1), request});
  GroupId group;
  Message message;
  ASSERT_TRUE(DecodePeerMessage(bytes, &group, &message).ok());
  const Bytes& data = std::get<AppendRequest>(message.body).entries[0].data;
  EXPECT_GE(data.data(), bytes.data());
  EXPECT_LE(data.data() + data.size(), bytes.data() + bytes.size());
}

// In two pieces, of which the second is the entry's own buffer; put together, the same message.
TEST(Codec, ALargeLastEntryIsNotCopied) {
  AppendRequest request;
  request.entries.push_back({Index(1), Term(1), EntryKind::kCommand, Bytes::Copy("small")});
  const std::string large(kTailBytesMin, 'x');
  request.entries.push_back({Index(2), Term(1), EntryKind::kCommand, Bytes::Copy(large)});
  const Parcel parcel = EncodePeerParcel(GroupId(1), Message{Term(1), request});
  EXPECT_EQ(parcel.tail.data(), request.entries[1].data.data());
  EXPECT_LT(parcel.head.size(), 100u);
  GroupId group;
  Message read;
  ASSERT_TRUE(DecodePeerMessage(parcel.Joined(), &group, &read).ok());
  EXPECT_EQ(Whole(read), Whole(Message{Term(1), request}));

  std::swap(request.entries[0].data, request.entries[1].data);
  const Parcel whole = EncodePeerParcel(GroupId(1), Message{Term(1), request});
  EXPECT_TRUE(whole.tail.empty()) << "the large one is not the last";
  EXPECT_EQ(whole.Joined(), EncodePeerMessage(GroupId(1), Message{Term(1), request}));
}

// Whatever the bytes are: refused, or a message that passes Validate and can be encoded again.
void ExpectHarmless(const Bytes& bytes) {
  GroupId group;
  Message message;
  if (!DecodePeerMessage(bytes, &group, &message).ok()) return;
  ASSERT_TRUE(Validate(message).ok());
  const Bytes again = EncodePeerMessage(group, message);
  Message second;
  ASSERT_TRUE(DecodePeerMessage(again, &group, &second).ok());
  ASSERT_EQ(Whole(message), Whole(second));
}

TEST(Codec, BadBytesAreHarmless) {
  Rng rng(2);
  for (int i = 0; i < 20000; ++i) {
    const Bytes bytes = EncodePeerMessage(GroupId(rng.Below(4)), RandomMessage(rng));
    std::string text(bytes.view());
    const uint64_t changes = rng.Between(uint64_t{1}, uint64_t{4});
    for (uint64_t change = 0; change < changes && !text.empty(); ++change) {
      const size_t at = rng.Below(text.size());
      const uint64_t what = rng.Below(4);
      const char byte = static_cast<char>(rng.Below(256));
      if (what == 0) text[at] = byte;
      if (what == 1) text.resize(at);
      if (what == 2) text.insert(at, 1, byte);
      if (what == 3) text.erase(at, 1);
    }
    ExpectHarmless(Bytes::Copy(text));
    if (HasFatalFailure()) return;
  }
}

TEST(Codec, EveryTruncationIsHarmless) {
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const Bytes bytes = EncodePeerMessage(GroupId(1), RandomMessage(rng));
    for (size_t size = 0; size < bytes.size(); ++size) ExpectHarmless(bytes.Slice(0, size));
    if (HasFatalFailure()) return;
  }
}

TEST(Codec, Validate) {
  const LogPosition at{Index(5), Term(2)};
  const LogPosition later{Index(5), Term(4)};  // than the messages' term
  const LogPosition no_term{Index(5), Term()};
  const LogPosition no_index{Index(), Term(2)};
  const LogPosition huge{Index(uint64_t{1} << 60), Term(2)};
  const auto entry = [](uint64_t term, uint8_t kind) {
    return Entry{Index(6), Term(term), static_cast<EntryKind>(kind), Bytes()};
  };
  const auto append = [&](LogPosition prev, std::vector<Entry> entries) {
    return Body(AppendRequest{prev, Index(), ReadSeq(), std::move(entries)});
  };
  const struct {
    const char* name;
    uint64_t term;
    Body body;
    bool ok;
  } rows[] = {
      {"pre-vote before the first term", 0, PreVoteRequest{Term(1), {}}, true},
      {"pre-vote for the own term", 3, PreVoteRequest{Term(3), at}, false},
      {"pre-vote, last of a later term", 3, PreVoteRequest{Term(5), later}, false},
      {"refused pre-vote of a new node", 0, PreVoteReply{Term(1), false}, true},
      {"vote request", 3, VoteRequest{at, false}, true},
      {"vote request without a term", 0, VoteRequest{{}, false}, false},
      {"vote request, last of a later term", 3, VoteRequest{later, false}, false},
      {"vote request, last without a term", 3, VoteRequest{no_term, false}, false},
      {"vote request, last without an index", 3, VoteRequest{no_index, false}, false},
      {"vote request, index too large", 3, VoteRequest{huge, false}, false},
      {"vote reply", 3, VoteReply{true}, true},
      {"vote reply without a term", 0, VoteReply{true}, false},
      {"term too large", uint64_t{1} << 60, VoteReply{true}, false},
      {"append", 3, append(at, {entry(2, 2), entry(3, 1)}), true},
      {"append of nothing", 3, append(at, {}), true},
      {"append without a term", 0, append({}, {}), false},
      {"append, prev of a later term", 3, append(later, {}), false},
      {"append, entry before prev's term", 3, append(at, {entry(1, 2)}), false},
      {"append, entry after the term", 3, append(at, {entry(4, 2)}), false},
      {"append, terms go back", 3, append(at, {entry(3, 2), entry(2, 2)}), false},
      {"append, entry without a term", 3, append({}, {entry(0, 2)}), false},
      {"append, unknown kind", 3, append(at, {entry(3, 4)}), false},
      {"append, no kind", 3, append(at, {entry(3, 0)}), false},
      {"accepted", 3, AppendAccepted{Index(5), ReadSeq(1)}, true},
      {"accepted, index too large", 3, AppendAccepted{huge.index, ReadSeq()}, false},
      {"rejected", 3, AppendRejected{Index(5), at, ReadSeq()}, true},
      {"rejected, log is shorter", 3, AppendRejected{Index(9), no_term, ReadSeq()}, true},
      {"rejected, hint names nothing", 3, AppendRejected{Index(9), {}, ReadSeq()}, false},
      {"rejected, hint of a later term", 3, AppendRejected{Index(9), later, ReadSeq()}, false},
      {"heartbeat", 3, Heartbeat{Index(5), ReadSeq(2)}, true},
      {"heartbeat, index too large", 3, Heartbeat{huge.index, ReadSeq()}, false},
      {"snapshot part", 3, SnapshotChunk{at, 0, Bytes(), true}, true},
      {"snapshot of nothing", 3, SnapshotChunk{{}, 0, Bytes(), true}, false},
      {"snapshot of a later term", 3, SnapshotChunk{later, 0, Bytes(), true}, false},
      {"snapshot, offset too large", 3, SnapshotChunk{at, UINT64_MAX, Bytes(), true}, false},
      {"snapshot reply", 3, SnapshotReply{at, 7, false}, true},
      {"snapshot reply, offset too large", 3, SnapshotReply{at, UINT64_MAX, false}, false},
      {"timeout now", 3, TimeoutNow{}, true},
      {"timeout now without a term", 0, TimeoutNow{}, false},
      {"heartbeat reply of a disk that has less than no room", 3,
       HeartbeatReply{ReadSeq(1), static_cast<Room>(3)}, false},
      {"heartbeat reply with a promise", 3, HeartbeatReply{ReadSeq(1), Room::kAmple, Duration(5)},
       true},
      {"heartbeat reply, promise before now", 3,
       HeartbeatReply{ReadSeq(1), Room::kAmple, Duration(-1)}, false},
      {"read index request", 3, ReadIndexRequest{ReadSeq(1)}, true},
      {"read index request without a number", 3, ReadIndexRequest{}, false},
      {"read index reply", 3, ReadIndexReply{ReadSeq(1), Index(4)}, true},
      {"read index reply of nothing", 3, ReadIndexReply{ReadSeq(1), Index()}, false},
      {"read index reply, index too large", 3, ReadIndexReply{ReadSeq(1), Index(UINT64_MAX)},
       false},
  };
  for (const auto& row : rows) {
    const absl::Status status = Validate(Message{Term(row.term), row.body});
    EXPECT_EQ(status.ok(), row.ok) << row.name << ": " << status;
  }
}

TEST(Codec, RefusesWhatIsNoMessage) {
  GroupId group;
  Message message;
  const auto refused = [&](const std::string& bytes) {
    return !DecodePeerMessage(Bytes::Copy(bytes), &group, &message).ok();
  };
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("hello"));
  proto::PeerMessage no_body;
  no_body.set_group(1);
  no_body.set_term(1);
  EXPECT_TRUE(refused(no_body.SerializeAsString()));
  // Kinds have 8 bits inside; a larger number must not wrap around into a valid one.
  proto::PeerMessage kind;
  kind.set_term(1);
  kind.mutable_append_request()->add_entries()->set_term(1);
  kind.mutable_append_request()->mutable_entries(0)->set_kind(257);
  EXPECT_TRUE(refused(kind.SerializeAsString()));
  // A damaged part of a snapshot.
  proto::PeerMessage chunk;
  chunk.set_term(1);
  chunk.mutable_snapshot_chunk()->set_snapshot_index(1);
  chunk.mutable_snapshot_chunk()->set_snapshot_term(1);
  chunk.mutable_snapshot_chunk()->set_data("data");
  chunk.mutable_snapshot_chunk()->set_checksum(StableHash("date"));
  EXPECT_TRUE(refused(chunk.SerializeAsString()));
  chunk.mutable_snapshot_chunk()->set_checksum(StableHash("data"));
  EXPECT_FALSE(refused(chunk.SerializeAsString()));
}

}  // namespace
}  // namespace lockstep::raft
