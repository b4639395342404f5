// What an operation on several keys is in a history: an operation on each key, since histories know
// no other. Each is invoked and returns at the same time as the whole.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_HISTORY_OF_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_HISTORY_OF_H_

#include <string>
#include <variant>
#include <vector>

#include "core/client/events.h"
#include "core/proto/client.pb.h"

namespace lockstep::scenario {

using Single = std::variant<proto::Command, proto::Query>;
using Whole = std::variant<proto::Command, proto::Query, std::vector<proto::BatchOperation>>;

// The operations on single keys that it consists of. A List stays whole: the recorder knows it.
std::vector<Single> SinglesOf(const Whole& whole);
// The key of a single operation; empty: a List, which has none.
std::string KeyOf(const Single& single);
// What `outcome`, of the whole, is for the one at `place`. A batch whose comparison failed executed
// nothing; that it may fail is beyond what histories can say, and so left out.
client::Outcome OutcomeOf(const Whole& whole, const client::Outcome& outcome, size_t place);

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_HISTORY_OF_H_
