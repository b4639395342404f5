// The lines of `lockstep export` and `lockstep import`: a key and its value each.
#ifndef LOCKSTEP_BIN_LOCKSTEP_PAIR_LINES_H_
#define LOCKSTEP_BIN_LOCKSTEP_PAIR_LINES_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/proto/lockstep/v1/kv.pb.h"

namespace lockstep::bin {

enum class PairLines { kJson, kTsv };

// Without the line's end. PairOf reads it back.
std::string LineOf(const v1::Pair& pair, PairLines form);
// InvalidArgument or NotFound: what the line has or lacks, as the end of a sentence that begins
// with "the line".
absl::StatusOr<v1::Pair> PairOf(const std::string& line, PairLines form);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_PAIR_LINES_H_
