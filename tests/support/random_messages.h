// Random messages that a correct replica could send: they pass raft::Validate.
#ifndef LOCKSTEP_TESTS_SUPPORT_RANDOM_MESSAGES_H_
#define LOCKSTEP_TESTS_SUPPORT_RANDOM_MESSAGES_H_

#include "core/base/rng.h"
#include "core/raft/messages.h"

namespace lockstep::test {

raft::Message RandomMessage(Rng& rng);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_RANDOM_MESSAGES_H_
