// Changes to single values of a message, by reflection: the leaves of message_mutator.h.
#ifndef LOCKSTEP_FUZZ_SUPPORT_MESSAGE_VALUES_H_
#define LOCKSTEP_FUZZ_SUPPORT_MESSAGE_VALUES_H_

#include "core/base/rng.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace lockstep::fuzz {

// A new value for a field that is neither a list nor a message. Floating point, which no message of
// ours has, stays as it is.
void ChangeScalar(Rng& rng, const google::protobuf::FieldDescriptor* field,
                  google::protobuf::Message* message);
// The same for an element of a list, and one more element at its end.
void ChangeElement(Rng& rng, const google::protobuf::FieldDescriptor* field, int at,
                   google::protobuf::Message* message);
void AddScalar(Rng& rng, const google::protobuf::FieldDescriptor* field,
               google::protobuf::Message* message);
// Appends an element of a list of `from`, whatever its type. They may be the same message.
void CopyElement(const google::protobuf::Message& from,
                 const google::protobuf::FieldDescriptor* field, int at,
                 google::protobuf::Message* to);

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_MESSAGE_VALUES_H_
