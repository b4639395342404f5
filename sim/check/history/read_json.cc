#include "sim/check/history/read_json.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sim/check/history/builder.h"
#include "sim/check/history/json_line.h"
#include "sim/check/history/lines.h"

namespace lockstep::history {
namespace {

using linearizability::Kind;
using linearizability::Value;

struct Operator {
  absl::string_view name;
  Kind kind;
};
constexpr Operator kOperators[] = {
    {"get", Kind::kGet},
    {"read", Kind::kGet},
    {"put", Kind::kPut},
    {"write", Kind::kPut},
    {"append", Kind::kAppend},
    {"delete", Kind::kDelete},
    {"cas", Kind::kCompareAndSwap},
};

struct Ending {
  absl::string_view name;
  End end;
};
constexpr Ending kEndings[] = {
    {"ok", End::kOk}, {"mismatch", End::kMismatch}, {"fail", End::kFail}, {"info", End::kInfo}};

constexpr absl::string_view kFormatName = "lockstep-history";
constexpr Field kHeaderFields[] = {Field::kFormat, Field::kVersion, Field::kModel, Field::kInitial,
                                   Field::kInitialBase64};

class JsonHistory {
 public:
  JsonHistory(const Bytes& text, std::optional<Model> model)
      : text_(text), model_(model.value_or(Model::kKv)), model_given_(model.has_value()) {}

  ReadResult Run() {
    LineReader lines(text_.view());
    absl::string_view text;
    while (lines.Next(&text)) {
      if (Fault fault = ReadLine(text, lines.number())) return ReadError{lines.number(), *fault};
    }
    Prepare();
    return builder_->Finish();
  }

 private:
  Fault ReadLine(absl::string_view text, uint32_t number) {
    const std::string error = line_.Parse(text);
    if (!error.empty()) return error;
    if (line_.has(Field::kFormat)) return ReadHeader();
    for (Field field : kHeaderFields) {
      if (line_.has(field))
        return absl::StrCat("field \"", Name(field), "\" belongs into the header only");
    }
    Prepare();
    const bool event = line_.has(Field::kType);
    if (!event && !line_.has(Field::kOutcome))
      return "neither an event (it has no \"type\") nor an operation (it has no \"outcome\")";
    if (events_.value_or(event) != event)
      return "a file has either events (\"type\") or whole operations (\"outcome\"), not both";
    events_ = event;
    Record record;
    if (Fault fault = ReadRecord(&record)) return fault;
    return event ? ReadEvent(number, std::move(record)) : ReadOperation(number, std::move(record));
  }

  Fault ReadHeader() {
    if (builder_.has_value()) return "the header must come before all operations, and once";
    for (size_t i = 0; i < kFields; ++i) {
      const Field field = static_cast<Field>(i);
      const bool known = field == Field::kNote ||
                         std::count(std::begin(kHeaderFields), std::end(kHeaderFields), field) > 0;
      if (line_.has(field) && !known)
        return absl::StrCat("field \"", Name(field), "\" does not belong into the header");
    }
    if (line_.text(Field::kFormat) != kFormatName)
      return absl::StrCat("the format is \"", line_.text(Field::kFormat), "\", not \"", kFormatName,
                          "\"");
    if (!line_.has(Field::kVersion) || line_.text(Field::kVersion) != "1")
      return "the version must be 1";
    if (line_.has(Field::kModel) && !model_given_) {
      const absl::string_view model = line_.text(Field::kModel);
      if (model != "kv" && model != "register")
        return absl::StrCat("unknown model \"", model, "\"; known are kv, register");
      model_ = model == "kv" ? Model::kKv : Model::kRegister;
    }
    Given initial;
    if (Fault fault = ReadValue(Field::kInitial, Field::kInitialBase64, &initial)) return fault;
    if (initial.given) initial_ = std::move(initial.value);
    Prepare();
    return std::nullopt;
  }

  // Only now is the model known.
  void Prepare() {
    if (builder_.has_value()) return;
    builder_.emplace(Format::kJson, model_, initial_, OperationLines(text_.view()));
  }

  Fault ReadRecord(Record* record) const {
    if (line_.kind(Field::kProcess) != JsonLine::Kind::kNumber ||
        !absl::SimpleAtoi(line_.text(Field::kProcess), &record->process))
      return "\"process\" must be a whole number, not negative";
    if (line_.has(Field::kOp)) {
      const Operator* op = nullptr;
      if (Fault fault = Choose(Field::kOp, kOperators, &op)) return fault;
      record->kind = op->kind;
    }
    Given key;
    if (Fault fault = ReadValue(Field::kKey, Field::kKeyBase64, &key)) return fault;
    if (key.given && !key.value.has_value()) return "\"key\" is null";
    if (key.given) record->key = *std::move(key.value);
    if (Fault fault = ReadValue(Field::kValue, Field::kValueBase64, &record->value)) return fault;
    if (Fault fault = ReadValue(Field::kExpected, Field::kExpectedBase64, &record->expected))
      return fault;
    return ReadValue(Field::kResult, Field::kResultBase64, &record->result);
  }

  Fault ReadEvent(uint32_t number, Record record) {
    for (Field field : {Field::kStart, Field::kEnd, Field::kOutcome}) {
      if (line_.has(field))
        return absl::StrCat("an event has no \"", Name(field), "\": its line is its time");
    }
    if (line_.text(Field::kType) == "invoke") return builder_->Invoke(number, std::move(record));
    const Ending* ending = nullptr;
    if (Fault fault = Choose(Field::kType, kEndings, &ending))
      return absl::StrCat(*fault, ", invoke");
    return builder_->Complete(number, ending->end, std::move(record));
  }

  Fault ReadOperation(uint32_t number, Record record) {
    const Ending* ending = nullptr;
    if (Fault fault = Choose(Field::kOutcome, kEndings, &ending)) return fault;
    int64_t start = 0;
    if (!ReadTime(Field::kStart, &start)) return "\"start\" must be a whole number";
    std::optional<int64_t> finish;
    if (line_.has(Field::kEnd) && line_.kind(Field::kEnd) != JsonLine::Kind::kNull) {
      finish.emplace();
      if (!ReadTime(Field::kEnd, &*finish)) return "\"end\" must be a whole number or null";
    }
    return builder_->Add(number, ending->end, std::move(record), start, finish);
  }

  bool ReadTime(Field field, int64_t* time) const {
    // The last number stands for "never".
    return line_.kind(field) == JsonLine::Kind::kNumber &&
           absl::SimpleAtoi(line_.text(field), time) && *time != INT64_MAX;
  }

  // A number or a boolean is its text; null is no value.
  Fault ReadValue(Field plain, Field base64, Given* value) const {
    if (line_.has(base64)) {
      if (line_.has(plain))
        return absl::StrCat("\"", Name(plain), "\" and \"", Name(base64), "\" exclude each other");
      std::string bytes;
      if (line_.kind(base64) != JsonLine::Kind::kString ||
          !absl::Base64Unescape(line_.text(base64), &bytes))
        return absl::StrCat("\"", Name(base64), "\" is not base64");
      *value = Given(Bytes::Copy(bytes));
    } else if (line_.kind(plain) == JsonLine::Kind::kNull) {
      *value = Given(std::nullopt);
    } else if (line_.has(plain)) {
      *value = Given(Bytes::Copy(line_.text(plain)));
    }
    return std::nullopt;
  }

  template <class Choice, size_t kCount>
  Fault Choose(Field field, const Choice (&choices)[kCount], const Choice** chosen) const {
    const absl::string_view text = line_.text(field);
    if (line_.kind(field) == JsonLine::Kind::kString) {
      for (const Choice& choice : choices) {
        *chosen = &choice;
        if (text == choice.name) return std::nullopt;
      }
    }
    std::string known;
    for (const Choice& choice : choices)
      absl::StrAppend(&known, known.empty() ? "" : ", ", choice.name);
    return absl::StrCat("unknown \"", Name(field), "\" \"", text, "\"; known are ", known);
  }

  const Bytes& text_;
  Model model_;
  const bool model_given_;
  Value initial_;
  JsonLine line_;
  std::optional<bool> events_;  // the file has events; absent: not known yet
  std::optional<Builder> builder_;
};

}  // namespace

ReadResult ReadJson(const Bytes& text, std::optional<Model> model) {
  return JsonHistory(text, model).Run();
}

}  // namespace lockstep::history
