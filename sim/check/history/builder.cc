#include "sim/check/history/builder.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::history {

using linearizability::Describe;
using linearizability::Kind;
using linearizability::Operation;
using linearizability::Outcome;
using linearizability::Value;

namespace {

Instant At(int64_t time) { return Instant(Duration(time)); }

absl::string_view EndName(End end) {
  switch (end) {
    case End::kOk:
      return "ok";
    case End::kMismatch:
      return "mismatch";
    case End::kFail:
      return "fail";
    case End::kInfo:
      return "info";
  }
  return "";
}

}  // namespace

Builder::Builder(Format format, Model model, Value initial, size_t operations_hint) {
  recorded_.format = format;
  recorded_.model = model;
  recorded_.history.initial = std::move(initial);
  recorded_.history.operations.reserve(operations_hint);
  recorded_.lines.reserve(operations_hint);
}

std::string Builder::Verb(Kind kind) const {
  const absl::string_view name = Name(kind, recorded_.model);
  return std::string(name.data(), name.size());
}

Fault Builder::Invoke(uint32_t line, Record record) {
  ++lines_;
  Slot& slot = processes_[record.process];
  if (slot.busy) {
    const uint32_t began = recorded_.lines[slot.operation].invoked;
    std::string fault = absl::StrCat("a second invocation of busy process ", record.process,
                                     ": its operation of line ", began);
    absl::StrAppend(&fault, slot.crashed ? " is open for ever (info), so the client must go on "
                                           "under a new process number"
                                         : " is still under way");
    return fault;
  }
  if (record.result.given) return "an invocation has no result yet";
  Operation operation;
  if (Fault fault = Compile(record, &operation)) return fault;
  recorded_.times_are_lines = true;
  operation.invoked = At(line);
  slot = {recorded_.history.operations.size(), /*busy=*/true, /*crashed=*/false};
  recorded_.history.operations.push_back(std::move(operation));
  recorded_.lines.push_back({line, 0});
  return std::nullopt;
}

Fault Builder::Complete(uint32_t line, End end, Record record) {
  ++lines_;
  const auto found = processes_.find(record.process);
  if (found == processes_.end() || !found->second.busy || found->second.crashed) {
    return absl::StrCat("a completion (", EndName(end), ") without an invocation: process ",
                        record.process, " has no operation under way");
  }
  Slot& slot = found->second;
  Operation& operation = recorded_.history.operations[slot.operation];
  Lines& lines = recorded_.lines[slot.operation];
  if (Fault fault = Agree(record, operation, lines.invoked)) return fault;
  if (Fault fault = Conclude(end, record.result, &operation)) return fault;
  if (end == End::kInfo) {
    slot.crashed = true;
    return std::nullopt;
  }
  slot.busy = false;
  operation.returned = At(line);
  lines.returned = line;
  if (end == End::kFail) lines.invoked = 0;  // Finish takes it out.
  return std::nullopt;
}

Fault Builder::Add(uint32_t line, End end, Record record, int64_t start,
                   std::optional<int64_t> finish) {
  ++lines_;
  Operation operation;
  if (Fault fault = Compile(record, &operation)) return fault;
  if (Fault fault = Conclude(end, record.result, &operation)) return fault;
  const bool answered = end == End::kOk || end == End::kMismatch;
  if (answered && !finish.has_value())
    return absl::StrCat("outcome ", EndName(end),
                        " needs an end; an operation without one has outcome info");
  if (finish.has_value() && *finish < start)
    return absl::StrCat("it ends (", *finish, ") before it starts (", start, ")");
  if (end == End::kFail) {
    ++recorded_.dropped;
    return std::nullopt;
  }
  operation.invoked = At(start);
  if (answered) operation.returned = At(*finish);
  recorded_.history.operations.push_back(std::move(operation));
  recorded_.lines.push_back({line, answered ? line : 0});
  return std::nullopt;
}

Fault Builder::Compile(Record& record, Operation* operation) const {
  if (!record.kind.has_value()) return "an invocation needs its operation";
  const Kind kind = *record.kind;
  const bool registers = recorded_.model == Model::kRegister;
  if (registers && (kind == Kind::kAppend || kind == Kind::kDelete))
    return absl::StrCat("a register has no ", kind == Kind::kAppend ? "append" : "delete",
                        " (--model kv has)");
  if (!record.key.has_value() && !registers) return absl::StrCat("a ", Verb(kind), " needs a key");
  operation->process = record.process;
  operation->kind = kind;
  if (record.key.has_value()) operation->key = *std::move(record.key);
  const bool argument = record.value.value.has_value();
  switch (kind) {
    case Kind::kGet:
    case Kind::kDelete:
      if (argument) return absl::StrCat("a ", Verb(kind), " takes no value");
      break;
    case Kind::kPut:
    case Kind::kAppend:
      if (!record.value.given || (!argument && !registers))
        return absl::StrCat("a ", Verb(kind), " needs a value");
      if (!argument) operation->kind = Kind::kDelete;  // write nil
      break;
    case Kind::kCompareAndSwap:
      if (!record.value.given || !record.expected.given)
        return "a cas needs the expected and the new value";
      operation->expected = std::move(record.expected.value);
      break;
  }
  if (kind != Kind::kCompareAndSwap && record.expected.given)
    return absl::StrCat("only a cas expects a value, not a ", Verb(kind));
  if (record.value.given) operation->value = std::move(record.value.value);
  return std::nullopt;
}

Fault Builder::Agree(const Record& record, const Operation& operation, uint32_t line) const {
  const auto differs = [&](absl::string_view what, const std::string& now,
                           const std::string& then) {
    return absl::StrCat("the completion of process ", record.process, " has ", what, " ", now,
                        ", but its invocation in line ", line, " has ", then);
  };
  if (record.kind.has_value()) {
    const bool write_nil = operation.kind == Kind::kDelete && *record.kind == Kind::kPut;
    if (*record.kind != operation.kind && !(write_nil && recorded_.model == Model::kRegister))
      return differs("operation", Verb(*record.kind), Verb(operation.kind));
  }
  if (record.key.has_value() && *record.key != operation.key)
    return differs("key", Describe(Value(*record.key)), Describe(Value(operation.key)));
  if (record.value.given && record.value.value != operation.value)
    return differs("value", Describe(record.value.value), Describe(operation.value));
  if (record.expected.given && record.expected.value != operation.expected)
    return differs("expected value", Describe(record.expected.value), Describe(operation.expected));
  return std::nullopt;
}

Fault Builder::Conclude(End end, const Given& result, Operation* operation) const {
  const bool gets = operation->kind == Kind::kGet;
  const std::string verb = Verb(operation->kind);
  const bool may_have_result = (end == End::kOk && gets) || end == End::kMismatch;
  if (result.given && !may_have_result)
    return absl::StrCat("a ", verb, " that ends with ", EndName(end), " has no result");
  switch (end) {
    case End::kOk:
      if (gets && !result.given) return absl::StrCat("an answered ", verb, " needs a result");
      if (gets) operation->result = result.value;
      operation->outcome = Outcome::kDone;
      break;
    case End::kMismatch:
      if (operation->kind != Kind::kCompareAndSwap)
        return absl::StrCat("only a cas can end with mismatch, not a ", verb);
      operation->outcome = Outcome::kMismatch;
      operation->result_known = result.given;
      if (result.given) operation->result = result.value;
      break;
    case End::kFail:
    case End::kInfo:
      operation->outcome = Outcome::kUnknown;
      break;
  }
  return std::nullopt;
}

ReadResult Builder::Finish() {
  std::vector<Operation>& operations = recorded_.history.operations;
  size_t kept = 0;
  for (size_t i = 0; i < operations.size(); ++i) {
    if (recorded_.lines[i].invoked == 0) continue;
    if (kept != i) {
      operations[kept] = std::move(operations[i]);
      recorded_.lines[kept] = recorded_.lines[i];
    }
    ++kept;
  }
  recorded_.dropped += operations.size() - kept;
  operations.resize(kept);
  recorded_.lines.resize(kept);
  if (lines_ == 0) return ReadError{0, "no operations: no line of the file is of a client"};
  if (operations.empty())
    return ReadError{0, absl::StrCat("no operations to judge: of ", recorded_.dropped,
                                     " in the file each failed, or read without an answer")};
  return std::move(recorded_);
}

}  // namespace lockstep::history
