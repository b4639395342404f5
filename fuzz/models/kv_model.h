// What a key-value group does, as one would say it to a colleague: a map, and for each session the
// replies that its client may still ask for (thesis §6.3). Nothing is encoded or bounded by slots.
#ifndef LOCKSTEP_FUZZ_MODELS_KV_MODEL_H_
#define LOCKSTEP_FUZZ_MODELS_KV_MODEL_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "core/kv/options.h"
#include "core/proto/client.pb.h"

namespace lockstep::fuzz {

class KvModel {
 public:
  explicit KvModel(const kv::KvOptions& options) : options_(options) {}

  // The answer, without texts for people.
  proto::Result Apply(const proto::Command& command, uint64_t index);
  // REQUIRES: it is valid, and no list: see Listed.
  proto::Result Answer(const proto::Query& query) const;
  // All that the pages of a list hold together.
  std::map<std::string, std::string> Listed(const proto::List& list) const;

  const std::map<std::string, std::string>& pairs() const { return pairs_; }
  size_t sessions() const { return sessions_.size(); }

 private:
  struct Session {
    uint64_t used = 0;
    uint64_t first_outstanding = 1;
    std::map<uint64_t, proto::Result> replies;  // by sequence
  };
  using Pairs = std::map<std::string, std::string>;

  void Register(uint64_t index, proto::Result* result);
  void InSession(const proto::Command& command, uint64_t index, proto::Result* result);
  proto::Result Execute(const proto::Command& command);
  template <class Operation>
  void ExecuteOne(const Operation& operation, Pairs* pairs, proto::Result* result) const;
  void Do(const proto::Put& put, Pairs* pairs, proto::Result* result) const;
  void Do(const proto::Append& append, Pairs* pairs, proto::Result* result) const;
  void Do(const proto::Delete& erase, Pairs* pairs, proto::Result* result) const;
  void Do(const proto::CompareAndSwap& swap, Pairs* pairs, proto::Result* result) const;

  const kv::KvOptions options_;
  Pairs pairs_;
  std::map<uint64_t, Session> sessions_;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_KV_MODEL_H_
