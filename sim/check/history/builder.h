// Makes a history out of what the lines of a file say, whatever their format, and refuses what
// cannot have happened: a completion without an invocation, a process that does two things at once,
// an answer to another question.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_BUILDER_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "sim/check/history/recorded.h"

namespace lockstep::history {

// A field of a line: left out, or a value, which may be nil.
struct Given {
  bool given = false;
  linearizability::Value value;

  Given() = default;
  explicit Given(linearizability::Value v) : given(true), value(std::move(v)) {}
};

// What one line says. What it leaves out is not given; a key that is left out is the one register.
struct Record {
  uint64_t process = 0;
  std::optional<linearizability::Kind> kind;
  std::optional<Bytes> key;
  Given value;     // of a cas: the new one
  Given expected;  // of a cas
  Given result;
};

enum class End : uint8_t {
  kOk,        // executed
  kMismatch,  // a cas that found something else
  kFail,      // certainly had no effect: left out
  kInfo,      // unknown: may take effect at any later time, or never
};

// Nothing, or why the line cannot be.
using Fault = std::optional<std::string>;

class Builder {
 public:
  Builder(Format format, Model model, linearizability::Value initial, size_t operations_hint);

  // The forms of a file: lines that are events, whose order is time...
  [[nodiscard]] Fault Invoke(uint32_t line, Record record);
  [[nodiscard]] Fault Complete(uint32_t line, End end, Record record);
  // ... or lines that are whole operations, with times of their own.
  [[nodiscard]] Fault Add(uint32_t line, End end, Record record, int64_t start,
                          std::optional<int64_t> finish);

  Model model() const { return recorded_.model; }
  // An error if there is nothing to judge.
  ReadResult Finish();

 private:
  struct Slot {  // what a process does
    size_t operation = 0;
    bool busy = false;
    bool crashed = false;  // its operation ended with kInfo: it is open for ever
  };

  // The operation that the record calls for, without its end. Empties the record but for its
  // result.
  Fault Compile(Record& record, linearizability::Operation* operation) const;
  // What its end adds to it. Not for kFail.
  Fault Conclude(End end, const Given& result, linearizability::Operation* operation) const;
  Fault Agree(const Record& record, const linearizability::Operation& operation,
              uint32_t line) const;
  std::string Verb(linearizability::Kind kind) const;

  Recorded recorded_;
  absl::btree_map<uint64_t, Slot> processes_;
  uint64_t lines_ = 0;
};

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_BUILDER_H_
