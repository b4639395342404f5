#include "sim/check/history/json_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lockstep::history {
namespace {

using nlohmann::json;

constexpr std::array<absl::string_view, kFields> kNames = {"process",  "op",
                                                           "type",     "outcome",
                                                           "start",    "end",
                                                           "key",      "key_base64",
                                                           "value",    "value_base64",
                                                           "expected", "expected_base64",
                                                           "result",   "result_base64",
                                                           "note",     "format",
                                                           "version",  "model",
                                                           "initial",  "initial_base64"};

}  // namespace

absl::string_view Name(Field field) { return kNames[static_cast<size_t>(field)]; }

// What nlohmann's parser calls; each answers whether to go on.
class JsonLineHandler {
 public:
  explicit JsonLineHandler(JsonLine& line) : line_(line) {}

  bool null() { return Put(JsonLine::Kind::kNull, ""); }
  bool boolean(bool value) { return Put(JsonLine::Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(json::number_integer_t value) { return Number(absl::StrCat(value)); }
  bool number_unsigned(json::number_unsigned_t value) { return Number(absl::StrCat(value)); }
  bool number_float(json::number_float_t, const std::string& text) { return Number(text); }
  bool string(std::string& text) { return Put(JsonLine::Kind::kString, text); }
  bool binary(json::binary_t&) { return Fail("binary values are not JSON"); }
  bool start_array(size_t) { return Open("an array"); }
  bool end_array() { return Close(); }
  bool start_object(size_t) {
    if (depth_ > 0) return Open("an object");
    ++depth_;
    return true;
  }
  bool end_object() { return Close(); }
  bool key(std::string& name) {
    if (depth_ > 1) return true;
    const auto found = std::find(kNames.begin(), kNames.end(), absl::string_view(name));
    if (found == kNames.end()) {
      return Fail(absl::StrCat("unknown field \"", name,
                               "\"; what is for people alone belongs into \"note\""));
    }
    field_ = static_cast<size_t>(found - kNames.begin());
    if (line_.kinds_[*field_] == JsonLine::Kind::kAbsent) return true;
    return Fail(absl::StrCat("field \"", name, "\" is there twice"));
  }
  bool parse_error(size_t column, const std::string&, const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error ..."
    absl::string_view what = error.what();
    const size_t colon = what.find(": ");
    if (colon != absl::string_view::npos) what.remove_prefix(colon + 2);
    return Fail(absl::StrCat("not valid JSON at column ", column, ": ", what));
  }

  const std::string& error() const { return error_; }

 private:
  bool Fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
    return false;
  }
  bool Number(absl::string_view text) { return Put(JsonLine::Kind::kNumber, text); }
  bool Put(JsonLine::Kind kind, absl::string_view text) {
    if (depth_ > 1) return true;
    if (depth_ == 0 || !field_.has_value()) return Fail("the line is not a JSON object");
    line_.kinds_[*field_] = kind;
    line_.texts_[*field_].assign(text.data(), text.size());
    return true;
  }
  bool Open(absl::string_view what) {
    if (depth_ == 0) return Fail("the line is not a JSON object: one {...} a line");
    if (depth_ == 1 && field_ != static_cast<size_t>(Field::kNote)) {
      return Fail(absl::StrCat("field \"", kNames[*field_], "\" is ", what,
                               "; it must be a string, a number or null"));
    }
    if (depth_ == 1) line_.kinds_[*field_] = JsonLine::Kind::kStructure;
    ++depth_;
    return true;
  }
  bool Close() {
    --depth_;
    return true;
  }

  JsonLine& line_;
  size_t depth_ = 0;
  std::optional<size_t> field_;
  std::string error_;
};

std::string JsonLine::Parse(absl::string_view line) {
  kinds_.fill(Kind::kAbsent);
  JsonLineHandler handler(*this);
  if (json::sax_parse(line.data(), line.data() + line.size(), &handler)) return "";
  return handler.error();
}

}  // namespace lockstep::history
