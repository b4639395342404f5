// What a Raft replica may get out of the blue.
#ifndef LOCKSTEP_FUZZ_MODELS_RAFT_NOISE_H_
#define LOCKSTEP_FUZZ_MODELS_RAFT_NOISE_H_

#include <optional>
#include <variant>

#include "core/raft/codec.h"
#include "core/raft/messages.h"
#include "fuzz/proto/raft_script.pb.h"

namespace lockstep::fuzz {

// What a node in `term` may get from one that is no member, that was one, or that is late. All else
// would be the lie of a member, for which Raft has no answer: two leaders of a term, a vote cast
// twice.
inline bool IsPlausible(const raft::Message& message, Term term, bool from_member) {
  if (message.term < term) return true;
  if (message.term.value() > term.value() + 3) return false;  // Nobody gets there, in a script.
  if (std::holds_alternative<raft::PreVoteRequest>(message.body)) return true;
  if (std::holds_alternative<raft::ReadIndexRequest>(message.body)) return message.term == term;
  // A member's own candidacy comes from itself; strangers may ask for votes, and never get enough.
  if (std::holds_alternative<raft::VoteRequest>(message.body)) return !from_member;
  const auto* pre_vote = std::get_if<raft::PreVoteReply>(&message.body);
  if (pre_vote != nullptr) return !pre_vote->granted;
  const auto* vote = std::get_if<raft::VoteReply>(&message.body);
  return vote != nullptr && (!vote->granted || !from_member);
}

// What passes the door, and is plausible.
inline std::optional<raft::Message> MessageOf(const Noise& noise, Term term, bool from_member) {
  GroupId group;
  raft::Message message;
  const Bytes bytes = Bytes::Copy(noise.message().SerializeAsString());
  if (!raft::DecodePeerMessage(bytes, &group, &message).ok()) return std::nullopt;
  if (!IsPlausible(message, term, from_member)) return std::nullopt;
  return message;
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_RAFT_NOISE_H_
