// What nodes say to each other beside Raft's own messages, as text, for the node scripts.
#ifndef LOCKSTEP_TESTS_SUPPORT_NODE_MESSAGES_H_
#define LOCKSTEP_TESTS_SUPPORT_NODE_MESSAGES_H_

#include "core/proto/node.pb.h"
#include "tests/support/datadriven.h"

namespace lockstep::test {

// The rest of the command as a message; `to` and `of` are groups, 4@2 is shard 4 at group `of`
// since configuration 2. One of
//
//   who-leads; leads groups=2 [no-more]            between nodes that lead groups
//   asks of=5 num=3, asks of=5 member after=2      for a configuration
//   configuration to=5 num=1 groups=5@1:1+2,6@1:3 owners=5,6 [handovers=0:6>5@2,...] [departed=...]
//   none to=5 through=3
//   read to=6 of=5 4@2 ended=2 [part=1] [resume=KEY] [bytes=1000]
//   part to=5 of=6 4@2 [part=1] KEY:VALUE... [last version=7 before=KEY:VALUE,...]
//   not-yet, gone to=5 of=6 4@2 [part=1]
//   drop to=6 of=5 4@2 ended=2
//   dropped, not-dropped to=5 of=6 4@2 [leader=3]
//   nothing to=6 of=5 4@2                          about a shard, without a body
//   bundle                                         of the messages below: [group=1] MESSAGE
proto::NodeMessage ParseNodeMessage(Command& command);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_NODE_MESSAGES_H_
