#include "core/raft/codec.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/proto/wire.h"

namespace lockstep::raft {
namespace {

// Field numbers of PeerMessage.body, by the alternatives of Body. AppendAccepted and AppendRejected
// are one message on the wire (AppendReply), told apart by its `accepted`.
constexpr uint32_t kBodyFields[] = {10, 11, 12, 13, 14, 15, 15, 16, 17, 18, 19, 20, 21, 22};
static_assert(std::size(kBodyFields) == std::variant_size_v<Body>);

// Encoding: one description a message, for both sinks (core/proto/wire.h).

template <class Sink>
void Fields(const PreVoteRequest& m, Sink& sink) {
  sink.Number(1, m.next_term.value());
  sink.Number(2, m.last.index.value());
  sink.Number(3, m.last.term.value());
}
template <class Sink>
void Fields(const PreVoteReply& m, Sink& sink) {
  sink.Number(1, m.next_term.value());
  sink.Number(2, m.granted ? 1 : 0);
}
template <class Sink>
void Fields(const VoteRequest& m, Sink& sink) {
  sink.Number(1, m.last.index.value());
  sink.Number(2, m.last.term.value());
  sink.Number(3, m.transfer ? 1 : 0);
}
template <class Sink>
void Fields(const VoteReply& m, Sink& sink) {
  sink.Number(1, m.granted ? 1 : 0);
}
template <class Sink>
void Fields(const Entry& m, Sink& sink) {
  sink.Number(1, m.term.value());
  sink.Number(2, static_cast<uint64_t>(m.kind));
  sink.Text(3, m.data.view());
}
template <class Sink>
void Fields(const AppendRequest& m, Sink& sink) {
  sink.Number(1, m.prev.index.value());
  sink.Number(2, m.prev.term.value());
  sink.Number(3, m.commit.value());
  sink.Number(4, m.read_seq.value());
  for (const Entry& entry : m.entries) {
    sink.Message(5, [&](auto& inner) { Fields(entry, inner); });
  }
}
template <class Sink>
void Fields(const AppendAccepted& m, Sink& sink) {
  sink.Number(1, 1);
  sink.Number(2, m.match.value());
  sink.Number(6, m.read_seq.value());
}
template <class Sink>
void Fields(const AppendRejected& m, Sink& sink) {
  sink.Number(3, m.rejected.value());
  sink.Number(4, m.hint.index.value());
  sink.Number(5, m.hint.term.value());
  sink.Number(6, m.read_seq.value());
}
template <class Sink>
void Fields(const Heartbeat& m, Sink& sink) {
  sink.Number(1, m.commit.value());
  sink.Number(2, m.read_seq.value());
}
template <class Sink>
void Fields(const HeartbeatReply& m, Sink& sink) {
  sink.Number(1, m.read_seq.value());
  sink.Number(2, static_cast<uint64_t>(m.room));
  sink.Number(3, static_cast<uint64_t>(m.promise.count()));
}
uint64_t ChecksumOf(const SnapshotChunk& m) {
  const uint64_t data = StableHash(m.data.view());
  return m.configuration.empty() ? data : HashChain(data, StableHash(m.configuration.view()));
}
template <class Sink>
void Fields(const SnapshotChunk& m, Sink& sink) {
  sink.Number(1, m.snapshot.index.value());
  sink.Number(2, m.snapshot.term.value());
  sink.Number(3, m.offset);
  sink.Text(4, m.data.view());
  sink.Number(5, ChecksumOf(m));
  sink.Number(6, m.last ? 1 : 0);
  sink.Text(7, m.configuration.view());
}
template <class Sink>
void Fields(const SnapshotReply& m, Sink& sink) {
  sink.Number(1, m.snapshot.index.value());
  sink.Number(2, m.snapshot.term.value());
  sink.Number(3, m.next_offset);
  sink.Number(4, m.complete ? 1 : 0);
}
template <class Sink>
void Fields(const TimeoutNow&, Sink&) {}
template <class Sink>
void Fields(const ReadIndexRequest& m, Sink& sink) {
  sink.Number(1, m.seq.value());
}
template <class Sink>
void Fields(const ReadIndexReply& m, Sink& sink) {
  sink.Number(1, m.seq.value());
  sink.Number(2, m.index.value());
}

// Decoding.

bool ReadBody(absl::string_view text, const Bytes&, PreVoteRequest* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->next_term = Term(reader.number());
    if (reader.field() == 2) m->last.index = Index(reader.number());
    if (reader.field() == 3) m->last.term = Term(reader.number());
  }
  return reader.ok();
}
bool ReadBody(absl::string_view text, const Bytes&, PreVoteReply* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->next_term = Term(reader.number());
    if (reader.field() == 2) m->granted = reader.number() != 0;
  }
  return reader.ok();
}
bool ReadBody(absl::string_view text, const Bytes&, VoteRequest* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->last.index = Index(reader.number());
    if (reader.field() == 2) m->last.term = Term(reader.number());
    if (reader.field() == 3) m->transfer = reader.number() != 0;
  }
  return reader.ok();
}
bool ReadBody(absl::string_view text, const Bytes&, VoteReply* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->granted = reader.number() != 0;
  }
  return reader.ok();
}

Bytes Share(absl::string_view part, const Bytes& whole) {
  return part.empty() ? Bytes()
                      : whole.Slice(static_cast<size_t>(part.data() - whole.data()), part.size());
}

bool ReadBody(absl::string_view text, const Bytes& whole, Entry* m) {
  m->kind = EntryKind{0};
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->term = Term(reader.number());
    if (reader.field() == 2)
      m->kind = static_cast<EntryKind>(std::min<uint64_t>(reader.number(), 0xFF));
    if (reader.field() == 3) m->data = Share(reader.text(), whole);
  }
  return reader.ok();
}

bool ReadBody(absl::string_view text, const Bytes& whole, AppendRequest* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->prev.index = Index(reader.number());
    if (reader.field() == 2) m->prev.term = Term(reader.number());
    if (reader.field() == 3) m->commit = Index(reader.number());
    if (reader.field() == 4) m->read_seq = ReadSeq(reader.number());
    if (reader.field() == 5 && !ReadBody(reader.text(), whole, &m->entries.emplace_back()))
      return false;
  }
  Index index = m->prev.index;
  for (Entry& entry : m->entries) entry.index = index = index.Next();
  return reader.ok();
}

// Decides between the two kinds of AppendReply.
bool ReadAppendReply(absl::string_view text, Body* body) {
  AppendAccepted accepted;
  AppendRejected rejected;
  bool is_accepted = false;
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) is_accepted = reader.number() != 0;
    if (reader.field() == 2) accepted.match = Index(reader.number());
    if (reader.field() == 3) rejected.rejected = Index(reader.number());
    if (reader.field() == 4) rejected.hint.index = Index(reader.number());
    if (reader.field() == 5) rejected.hint.term = Term(reader.number());
    if (reader.field() == 6) accepted.read_seq = rejected.read_seq = ReadSeq(reader.number());
  }
  *body = is_accepted ? Body(accepted) : Body(rejected);
  return reader.ok();
}

bool ReadBody(absl::string_view text, const Bytes&, Heartbeat* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->commit = Index(reader.number());
    if (reader.field() == 2) m->read_seq = ReadSeq(reader.number());
  }
  return reader.ok();
}
bool ReadBody(absl::string_view text, const Bytes&, HeartbeatReply* m) {
  wire::Reader reader(text);
  uint64_t room = 0;
  while (reader.Next()) {
    if (reader.field() == 1) m->read_seq = ReadSeq(reader.number());
    if (reader.field() == 2) room = reader.number();
    if (reader.field() == 3) m->promise = Duration(static_cast<int64_t>(reader.number()));
  }
  m->room = static_cast<Room>(room);
  return reader.ok() && room <= static_cast<uint64_t>(Room::kNone);
}
bool ReadBody(absl::string_view text, const Bytes& whole, SnapshotChunk* m) {
  uint64_t checksum = 0;
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->snapshot.index = Index(reader.number());
    if (reader.field() == 2) m->snapshot.term = Term(reader.number());
    if (reader.field() == 3) m->offset = reader.number();
    if (reader.field() == 4) m->data = Share(reader.text(), whole);
    if (reader.field() == 5) checksum = reader.number();
    if (reader.field() == 6) m->last = reader.number() != 0;
    if (reader.field() == 7) m->configuration = Bytes::Copy(reader.text());
  }
  return reader.ok() && checksum == ChecksumOf(*m);
}
bool ReadBody(absl::string_view text, const Bytes&, SnapshotReply* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->snapshot.index = Index(reader.number());
    if (reader.field() == 2) m->snapshot.term = Term(reader.number());
    if (reader.field() == 3) m->next_offset = reader.number();
    if (reader.field() == 4) m->complete = reader.number() != 0;
  }
  return reader.ok();
}
bool ReadBody(absl::string_view text, const Bytes&, TimeoutNow*) {
  wire::Reader reader(text);
  while (reader.Next()) {
  }
  return reader.ok();
}

bool ReadBody(absl::string_view text, const Bytes&, ReadIndexRequest* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->seq = ReadSeq(reader.number());
  }
  return reader.ok();
}
bool ReadBody(absl::string_view text, const Bytes&, ReadIndexReply* m) {
  wire::Reader reader(text);
  while (reader.Next()) {
    if (reader.field() == 1) m->seq = ReadSeq(reader.number());
    if (reader.field() == 2) m->index = Index(reader.number());
  }
  return reader.ok();
}

template <class T>
bool ReadInto(absl::string_view text, const Bytes& whole, Body* body) {
  return ReadBody(text, whole, &body->emplace<T>());
}

bool ReadBodyField(uint32_t field, absl::string_view text, const Bytes& whole, Body* body) {
  switch (field) {
    case 10:
      return ReadInto<PreVoteRequest>(text, whole, body);
    case 11:
      return ReadInto<PreVoteReply>(text, whole, body);
    case 12:
      return ReadInto<VoteRequest>(text, whole, body);
    case 13:
      return ReadInto<VoteReply>(text, whole, body);
    case 14:
      return ReadInto<AppendRequest>(text, whole, body);
    case 15:
      return ReadAppendReply(text, body);
    case 16:
      return ReadInto<Heartbeat>(text, whole, body);
    case 17:
      return ReadInto<HeartbeatReply>(text, whole, body);
    case 18:
      return ReadInto<SnapshotChunk>(text, whole, body);
    case 19:
      return ReadInto<SnapshotReply>(text, whole, body);
    case 20:
      return ReadInto<TimeoutNow>(text, whole, body);
    case 21:
      return ReadInto<ReadIndexRequest>(text, whole, body);
    case 22:
      return ReadInto<ReadIndexReply>(text, whole, body);
    default:
      return false;
  }
}

}  // namespace

Parcel EncodePeerParcel(GroupId group, const Message& message) {
  const auto fields = [&](auto& sink) {
    sink.Number(1, group.value());
    sink.Number(2, message.term.value());
    sink.Number(3, message.incarnation.value());
    const uint32_t field = kBodyFields[message.body.index()];
    std::visit(
        [&](const auto& body) { sink.Message(field, [&](auto& inner) { Fields(body, inner); }); },
        message.body);
  };
  const auto* append = std::get_if<AppendRequest>(&message.body);
  const bool ends_with_data = append != nullptr && !append->entries.empty();
  return wire::EncodeParcel(fields, ends_with_data ? append->entries.back().data : Bytes());
}

Bytes EncodePeerMessage(GroupId group, const Message& message) {
  return EncodePeerParcel(group, message).Joined();
}

absl::Status DecodePeerMessage(const Bytes& bytes, GroupId* group, Message* message) {
  *group = GroupId();
  message->term = Term();
  message->incarnation = IncarnationId();
  bool has_body = false;
  wire::Reader reader(bytes.view());
  while (reader.Next()) {
    if (reader.field() == 1) *group = GroupId(reader.number());
    if (reader.field() == 2) message->term = Term(reader.number());
    if (reader.field() == 3) message->incarnation = IncarnationId(reader.number());
    if (reader.field() < 10) continue;
    if (!ReadBodyField(reader.field(), reader.text(), bytes, &message->body)) {
      return absl::InvalidArgumentError(absl::StrCat("peer message of ", bytes.size(),
                                                     " bytes: malformed field ", reader.field()));
    }
    has_body = true;
  }
  if (!reader.ok() || !has_body) {
    return absl::InvalidArgumentError(
        absl::StrCat("peer message of ", bytes.size(), " bytes: malformed"));
  }
  return Validate(*message);
}

}  // namespace lockstep::raft
