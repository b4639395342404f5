#include "sim/check/history/read_edn.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sim/check/history/builder.h"
#include "sim/check/history/edn.h"
#include "sim/check/history/lines.h"

namespace lockstep::history {
namespace {

using linearizability::Kind;
using linearizability::Value;

// The entries of a line's map that matter, by name.
enum Entry : uint8_t { kProcess, kType, kFunction, kKey, kValue, kEntries };
constexpr std::array<absl::string_view, kEntries> kEntryNames = {"process", "type", "f", "key",
                                                                 "value"};

struct Function {
  absl::string_view name;
  Kind kind;
};
constexpr Function kFunctions[] = {
    {"get", Kind::kGet},
    {"read", Kind::kGet},
    {"put", Kind::kPut},
    {"write", Kind::kPut},
    {"append", Kind::kAppend},
    {"delete", Kind::kDelete},
    {"cas", Kind::kCompareAndSwap},
};

struct Type {
  absl::string_view name;
  std::optional<End> end;  // nothing: an invocation
};
constexpr Type kTypes[] = {
    {"invoke", std::nullopt}, {"ok", End::kOk}, {"fail", End::kFail}, {"info", End::kInfo}};

struct Map {
  std::array<std::optional<Datum>, kEntries> entries;
  const std::optional<Datum>& operator[](Entry entry) const { return entries[entry]; }
};

bool IsVector(const Datum& datum) { return datum.type == Datum::Type::kVector; }
bool IsPair(const Datum& datum) { return IsVector(datum) && datum.items.size() == 2; }

class EdnHistory {
 public:
  EdnHistory(const Bytes& text, std::optional<Model> model) : text_(text), model_(model) {}

  ReadResult Run() {
    LineReader lines(text_.view());
    absl::string_view line;
    while (lines.Next(&line)) {
      if (line.front() == ';') continue;
      if (Fault fault = ReadLine(line, lines.number())) return ReadError{lines.number(), *fault};
    }
    Prepare(Model::kKv);
    return builder_->Finish();
  }

 private:
  Fault ReadLine(absl::string_view line, uint32_t number) {
    if (Fault fault = ReadMap(line)) return fault;
    const std::optional<Datum>& process = map_[kProcess];
    if (!process.has_value()) return "the map has no :process";
    if (process->type == Datum::Type::kKeyword) return std::nullopt;  // :nemesis
    Record record;
    if (process->type != Datum::Type::kNumber || !absl::SimpleAtoi(process->text, &record.process))
      return "the :process is not a whole number";
    const Type* type = nullptr;
    if (Fault fault = Choose(kType, kTypes, &type)) return fault;
    const Function* function = nullptr;
    if (Fault fault = Choose(kFunction, kFunctions, &function)) return fault;
    record.kind = function->kind;
    const bool registers = function->name == "read" || function->name == "write" ||
                           (function->kind == Kind::kCompareAndSwap && !map_[kKey].has_value());
    Prepare(registers ? Model::kRegister : Model::kKv);
    if (Fault fault = ReadArguments(type->end, &record)) return fault;
    if (!type->end.has_value()) return builder_->Invoke(number, std::move(record));
    return builder_->Complete(number, *type->end, std::move(record));
  }

  // Only now is the model known.
  void Prepare(Model detected) {
    if (builder_.has_value()) return;
    const Model model = model_.value_or(detected);
    const Value initial = model == Model::kKv ? Value(Bytes()) : Value();
    builder_.emplace(Format::kEdn, model, initial, OperationLines(text_.view()) / 2 + 1);
  }

  Fault ReadMap(absl::string_view line) {
    map_ = Map();
    EdnReader reader(line);
    while (reader.ConsumeTag()) {
    }
    if (!reader.Consume('{')) return "not an EDN map: a line is {:process ..., :type ..., :f ...}";
    while (!reader.Consume('}')) {
      Datum key;
      if (reader.AtEnd()) return "the line ends inside its map: is it cut off?";
      if (!reader.Read(&key)) return reader.error();
      Datum value;
      if (!reader.Read(&value)) return reader.error();
      if (key.type != Datum::Type::kKeyword) continue;
      const auto name = std::find(kEntryNames.begin(), kEntryNames.end(), key.text);
      if (name == kEntryNames.end()) continue;
      std::optional<Datum>& entry = map_.entries[static_cast<size_t>(name - kEntryNames.begin())];
      if (entry.has_value()) return absl::StrCat("the map has :", key.text, " twice");
      entry = std::move(value);
    }
    if (!reader.AtEnd()) return "something follows the map: one map a line";
    return std::nullopt;
  }

  template <class Choice, size_t kCount>
  Fault Choose(Entry entry, const Choice (&choices)[kCount], const Choice** chosen) const {
    const std::optional<Datum>& datum = map_[entry];
    std::string known;
    for (const Choice& choice : choices) {
      if (datum.has_value() && datum->type == Datum::Type::kKeyword && datum->text == choice.name) {
        *chosen = &choice;
        return std::nullopt;
      }
    }
    for (const Choice& choice : choices)
      absl::StrAppend(&known, known.empty() ? ":" : ", :", choice.name);
    if (!datum.has_value())
      return absl::StrCat("the map has no :", kEntryNames[entry], "; it is one of ", known);
    return absl::StrCat("unknown :", kEntryNames[entry], " ", datum->text, "; known are ", known);
  }

  // The key and the values, which the map has in one place or in two.
  Fault ReadArguments(std::optional<End> end, Record* record) const {
    // Jepsen puts an error, or nothing, where the value of an operation without a result was.
    const bool void_of_value = end == End::kFail || end == End::kInfo;
    const Datum* value = map_[kValue].has_value() ? &*map_[kValue] : nullptr;
    const bool cas = record->kind == Kind::kCompareAndSwap;
    if (map_[kKey].has_value()) {
      if (Fault fault = Text(*map_[kKey], "key", &record->key)) return fault;
    } else if (value != nullptr && IsPair(*value) && !void_of_value &&
               (!cas || IsVector(value->items[1]))) {
      if (Fault fault = Text(value->items[0], "key", &record->key)) return fault;
      value = &value->items[1];
    }
    if (void_of_value || value == nullptr) return std::nullopt;
    if (cas) return ReadSwap(*value, record);
    Value given;
    if (Fault fault = Scalar(*value, &given)) return fault;
    if (record->kind != Kind::kGet) {
      // An answer may leave the argument out.
      const bool answer = end.has_value();
      if (!answer || given.has_value()) record->value = Given(std::move(given));
    } else if (end.has_value()) {
      record->result = Given(std::move(given));
    }
    return std::nullopt;
  }

  Fault ReadSwap(const Datum& value, Record* record) const {
    if (value.type == Datum::Type::kNil) return std::nullopt;
    if (!IsPair(value)) return "the :value of a :cas is not [expected new]";
    record->expected.given = true;
    if (Fault fault = Scalar(value.items[0], &record->expected.value)) return fault;
    record->value.given = true;
    return Scalar(value.items[1], &record->value.value);
  }

  Fault Text(const Datum& datum, absl::string_view what, std::optional<Bytes>* text) const {
    Value value;
    if (Fault fault = Scalar(datum, &value)) return fault;
    if (!value.has_value()) return absl::StrCat("the ", what, " is nil");
    *text = *std::move(value);
    return std::nullopt;
  }

  // A scalar is its text: a number or a keyword as it is written. nil is no value.
  Fault Scalar(const Datum& datum, Value* value) const {
    switch (datum.type) {
      case Datum::Type::kNil:
        value->reset();
        return std::nullopt;
      case Datum::Type::kNumber:
      case Datum::Type::kSymbol:
        *value = Part(datum.text);
        return std::nullopt;
      case Datum::Type::kKeyword:
        *value = Part(absl::string_view(datum.text.data() - 1, datum.text.size() + 1));
        return std::nullopt;
      case Datum::Type::kString: {
        if (!datum.escaped) {
          *value = Part(datum.text);
          return std::nullopt;
        }
        const std::optional<std::string> bytes = UnescapeEdn(datum.text);
        if (!bytes.has_value()) return "a string has an escape that EDN does not know";
        *value = Bytes::Copy(*bytes);
        return std::nullopt;
      }
      case Datum::Type::kVector:
      case Datum::Type::kOther:
        break;
    }
    return "a key or a value is a string, a number, a keyword or nil, nothing else";
  }

  // Shares the buffer of the text.
  Bytes Part(absl::string_view part) const {
    return text_.Slice(static_cast<size_t>(part.data() - text_.data()), part.size());
  }

  const Bytes& text_;
  const std::optional<Model> model_;
  Map map_;
  std::optional<Builder> builder_;
};

}  // namespace

ReadResult ReadEdn(const Bytes& text, std::optional<Model> model) {
  return EdnHistory(text, model).Run();
}

}  // namespace lockstep::history
