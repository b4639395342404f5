// The rest of one replica's group, as far as it can be told from outside: which nodes led in which
// terms with which logs, and what is committed. It does what correct nodes could have done: at most
// one leader a term, and each new one's log holds what is committed, or may be by answers that are
// still on their way to the replica while that leads (Raft Fig. 3).
#ifndef LOCKSTEP_FUZZ_MODELS_RAFT_REST_H_
#define LOCKSTEP_FUZZ_MODELS_RAFT_REST_H_

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/types.h"
#include "core/raft/raft.h"
#include "fuzz/proto/raft_script.pb.h"

namespace lockstep::fuzz {

class RaftRest {
 public:
  struct Leader {
    NodeId node;
    Term term;
    std::vector<Entry> log;  // [i] is index i + 1
    Index commit;
    Index matched;  // what the replica has acknowledged to it
    LogPosition At(Index index) const;
    LogPosition End() const { return At(Index(log.size())); }
  };

  // Its leaders keep to `log_bytes_max` too, and forget nothing.
  RaftRest(uint64_t nodes, uint64_t log_bytes_max) : nodes_(nodes), log_bytes_max_(log_bytes_max) {}

  // What is committed as far as the replica knows. It is what was committed before; where the
  // replica leads, there may be more of it.
  void Learn(const raft::Raft& replica);

  // `replica`: nullptr if it is down.
  void Elect(const NewLeader& how, const raft::Raft* replica);
  void Write(const LeaderWrites& how);
  void Commit(const LeaderCommits& how);
  // Somebody asks for votes in so much later a term, which nobody else will lead.
  Term TermOfCandidate(uint64_t further, Term replica);

  // The newest that is no replica of ours; nullptr: there was none.
  Leader* newest() { return leaders_.empty() ? nullptr : &leaders_.back(); }
  Leader* LeaderAgo(uint64_t ago);
  Leader* LeaderOf(Term term);
  bool IsNewestTerm(Term term) const { return term == newest_; }

  // May a majority vote for the replica in its term?
  bool WouldElect(const raft::Raft& candidate) const;
  // A node has, in the replica's term, taken over its log up to here.
  void Takes(const raft::Raft& leader, NodeId node, Index match);

  const std::vector<Entry>& committed() const { return committed_; }
  uint64_t nodes() const { return nodes_; }

 private:
  std::vector<Entry> LogOf(const raft::Raft& replica) const;
  size_t SafeLength(const raft::Raft* replica) const;
  bool Holds(const std::vector<Entry>& log, const std::vector<Entry>& prefix) const;

  const uint64_t nodes_;
  const uint64_t log_bytes_max_;
  std::vector<Leader> leaders_;  // ascending terms
  Term newest_;                  // nobody was seen in a later one
  std::vector<Entry> committed_;
  Term taken_in_;                  // the replica's term that `taken_` is of
  std::map<NodeId, Index> taken_;  // by whoever answered, or will
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_RAFT_REST_H_
