// The log of a running node: structured lines on stderr, for people or for machines.
//
// Nothing here waits: a line is put into a bounded queue, and one thread writes. When the queue is
// full, or nobody reads stderr, lines are dropped, and how many is said as soon as a line fits
// again. Thread-safe, from Start to Stop and before and after it (when nothing is written).
//
//   log::Info("peer", "connected", {{"node", 2}, {"address", "10.0.0.2:7400"}});
#ifndef LOCKSTEP_BIN_LOCKSTEPD_LOG_H_
#define LOCKSTEP_BIN_LOCKSTEPD_LOG_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace lockstep::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// A named value: text, a number or a truth.
class Field {
 public:
  Field(absl::string_view name, absl::string_view value)
      : name_(name), value_(value), quoted_(true) {}
  Field(absl::string_view name, const char* value) : Field(name, absl::string_view(value)) {}
  Field(absl::string_view name, const std::string& value) : Field(name, absl::string_view(value)) {}
  Field(absl::string_view name, bool value) : name_(name), value_(value ? "true" : "false") {}
  template <std::integral Number>
  Field(absl::string_view name, Number value) : name_(name), value_(absl::StrCat(value)) {}

  absl::string_view name() const { return name_; }
  const std::string& value() const { return value_; }
  bool quoted() const { return quoted_; }  // text, which JSON wants in quotes

 private:
  absl::string_view name_;  // a literal, or alive while the call lasts
  std::string value_;
  bool quoted_ = false;
};
using Fields = absl::Span<const Field>;

// For those who log without knowing this room.
using Sink = std::function<void(Level, absl::string_view part, absl::string_view message, Fields)>;

struct Settings {
  Level level = Level::kInfo;
  std::map<std::string, Level> levels;  // by part
  bool json = false;
  size_t lines_max = 8192;  // in the queue
  int fd = 2;               // where to; stays open
};

// One log a process. Start again replaces the settings.
void Start(const Settings& settings);
// Writes what is in the queue, as far as somebody reads it within about a second.
void Stop();

// Whether such a line would be written: for those whose fields cost something.
bool Enabled(Level level, absl::string_view part);
void Write(Level level, absl::string_view part, absl::string_view message, Fields fields);

using FieldList = std::initializer_list<Field>;
inline void Debug(absl::string_view part, absl::string_view message, FieldList fields = {}) {
  Write(Level::kDebug, part, message, Fields(fields.begin(), fields.size()));
}
inline void Info(absl::string_view part, absl::string_view message, FieldList fields = {}) {
  Write(Level::kInfo, part, message, Fields(fields.begin(), fields.size()));
}
inline void Warn(absl::string_view part, absl::string_view message, FieldList fields = {}) {
  Write(Level::kWarn, part, message, Fields(fields.begin(), fields.size()));
}
inline void Error(absl::string_view part, absl::string_view message, FieldList fields = {}) {
  Write(Level::kError, part, message, Fields(fields.begin(), fields.size()));
}

// "info" and so on, as the settings name them; kInfo for what is none.
Level LevelOf(absl::string_view name);

// How many lines were dropped since the process began.
uint64_t Dropped();

// One line without its end: `unix_us` in UTC, level, part, message, fields. At most a page of 4096
// bytes with its end, so that it is written whole or not at all.
std::string FormatLine(bool json, int64_t unix_us, Level level, absl::string_view part,
                       absl::string_view message, Fields fields);

}  // namespace lockstep::log

#endif  // LOCKSTEP_BIN_LOCKSTEPD_LOG_H_
