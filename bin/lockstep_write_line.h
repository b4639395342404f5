// Writes as lines of text: what `batch` reads, and `import` and `export` carry.
#ifndef LOCKSTEP_BIN_LOCKSTEP_WRITE_LINE_H_
#define LOCKSTEP_BIN_LOCKSTEP_WRITE_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/proto/lockstep/v1/kv.pb.h"

namespace lockstep::bin {

// A line of `batch`: a JSON object,
//   {"op": "put", "key": "a", "value": "b"}      also append, delete
//   {"op": "cas", "key": "a", "expected": "b", "value": "c"}
// where key_base64 or key_hex may stand for key, a cas without expected wants the key missing and
// one without value deletes it; or words, in which "..." and \n, \t, \\, \xNN mean what they say:
//   put a "b c"
//   append a d
//   delete a
//   cas a EXPECTED VALUE
absl::StatusOr<v1::Write> ParseWriteLine(absl::string_view line);

// The words of a line: separated by blanks, unless these stand in double quotes.
absl::StatusOr<std::vector<std::string>> ParseWords(absl::string_view line);

const std::string& KeyOf(const v1::Write& write);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_WRITE_LINE_H_
