// Changes Protobuf messages at random, by reflection: what a structure-aware fuzz target does to
// the script that is its input. Never more than `bytes_max` of text come out, unless more went in:
// then no more than that. Equal seeds do equal things.
//
// The kinds of change: a scalar (interesting values, small steps, bits), a list (an element added,
// removed, repeated, moved; a run of them), another member of a oneof, a message set, cleared or
// overwritten by another one of its type. Scripts are lists of steps, so lists have every other
// turn.
#ifndef LOCKSTEP_FUZZ_SUPPORT_MESSAGE_MUTATOR_H_
#define LOCKSTEP_FUZZ_SUPPORT_MESSAGE_MUTATOR_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "google/protobuf/message.h"

namespace lockstep::fuzz {

// One change, or a few.
void Mutate(Rng& rng, size_t bytes_max, google::protobuf::Message* message);
// Copies a part of `other` to a place in `message` where something of its type is, or may be.
// REQUIRES: they are of one type.
void CrossOver(Rng& rng, const google::protobuf::Message& other, size_t bytes_max,
               google::protobuf::Message* message);

// Text format, one line for each element of the outermost lists: people can read an input and edit
// it.
std::string ToText(const google::protobuf::Message& message);
// False: it is not text of this type; `*message` is unspecified then.
bool FromText(absl::string_view text, google::protobuf::Message* message);

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_MESSAGE_MUTATOR_H_
