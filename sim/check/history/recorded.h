// A history as it stands in a file: the operations for the checker, and where each of them was
// written down, for people.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_RECORDED_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_RECORDED_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/check/linearizability/history.h"

namespace lockstep::history {

enum class Format : uint8_t {
  kJson,       // our own JSON lines
  kEdn,        // Jepsen's operations, one EDN map a line
  kJepsenLog,  // lines of jepsen.util in a log
};

// What the operations mean.
enum class Model : uint8_t {
  kKv,        // get, put, append, delete, cas on keys
  kRegister,  // read, write, cas on one register, or on one for each key; nil at first
};

// The lines of an operation, counted from 1.
struct Lines {
  uint32_t invoked = 0;
  uint32_t returned = 0;  // 0: it never returned; the same as `invoked` if one line says it all
};

struct Recorded {
  linearizability::History history;
  std::vector<Lines> lines;  // by place in history.operations
  Format format = Format::kJson;
  Model model = Model::kKv;
  // Whether times are line numbers; otherwise they are what the file says.
  bool times_are_lines = false;
  uint64_t dropped = 0;  // operations that certainly had no effect, and reads without an answer
};

// Why a file is no history. Line 0: the file as a whole.
struct ReadError {
  uint64_t line = 0;
  std::string reason;  // printable, one line, however odd the file
};

using ReadResult = std::variant<Recorded, ReadError>;

absl::string_view Name(Format format);
absl::string_view Name(Model model);
// "get" or "read", "put" or "write": as the files of this model call it.
absl::string_view Name(linearizability::Kind kind, Model model);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_RECORDED_H_
