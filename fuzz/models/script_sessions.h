// Sessions in scripts: a session's number is the index of its entry, which no random change would
// hit. So scripts name sessions by their age, and leave sequences out.
#ifndef LOCKSTEP_FUZZ_MODELS_SCRIPT_SESSIONS_H_
#define LOCKSTEP_FUZZ_MODELS_SCRIPT_SESSIONS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/proto/client.pb.h"

namespace lockstep::fuzz {

class ScriptSessions {
 public:
  void Registered(uint64_t session) { sessions_.push_back(session); }

  // The command as it goes into the log: see fuzz/proto/machine_script.proto.
  proto::Command Place(proto::Command command, uint64_t window) {
    const uint64_t age = command.session();
    if (age > 0 && age <= sessions_.size() && age < kAgesMax) {
      command.set_session(sessions_[sessions_.size() - age]);
    }
    const bool placed = command.sequence() != 0 || command.first_outstanding() != 0;
    const bool in_session = !command.has_register_session() && !command.has_close_session();
    uint64_t& last = last_[command.session()];
    if (!placed && in_session && command.session() != 0) {
      command.set_sequence(last + 1);
      command.set_first_outstanding(last + 1 > window ? last + 2 - window : 1);
    }
    last = std::max(last, command.sequence() < kSequenceMax ? command.sequence() : 0);
    return command;
  }

 private:
  static constexpr uint64_t kAgesMax = 16;
  // One that is far away is not gone on from: the commands after it shall still be good for
  // something.
  static constexpr uint64_t kSequenceMax = 1'000'000;

  std::vector<uint64_t> sessions_;
  std::map<uint64_t, uint64_t> last_;  // sequence, by session
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_SCRIPT_SESSIONS_H_
