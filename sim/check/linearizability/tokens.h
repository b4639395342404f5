// Takes observed strings apart into the puts and appends that made them.
//
// Possible when the texts written to the key are distinct and none is the beginning of another (a
// prefix code): then a string has one reading only, and reading on, the next text is the last one
// in order that is not behind the rest of the string. A workload gets there by ending each text
// with a byte that it does not use elsewhere.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_TOKENS_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_TOKENS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/check/linearizability/partition.h"

namespace lockstep::linearizability {

class Tokens {
 public:
  // Empty if the key has no appends.
  explicit Tokens(const Partition& partition);

  // False if the texts are not distinct, not a prefix code, or one is empty.
  bool distinct() const { return distinct_; }
  // The entries whose texts make up `value`, or nothing if some part of it was never written.
  std::optional<std::vector<uint32_t>> Parse(absl::string_view value) const;

 private:
  struct Token {
    absl::string_view text;
    uint32_t entry;
  };
  std::vector<Token> tokens_;  // by text
  bool distinct_ = true;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_TOKENS_H_
