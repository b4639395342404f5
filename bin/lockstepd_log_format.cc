// The lines of the log: FormatLine.
#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_format.h"
#include "bin/lockstepd_log.h"

namespace lockstep::log {
namespace {

constexpr size_t kLineBytesMax = 4095;  // and its end
constexpr size_t kTextBytesMax =
    512;  // of one value or message; escaping makes it up to six times longer

const char* NameOf(Level level) {
  static constexpr const char* kNames[] = {"trace", "debug", "info", "warn", "error", "off"};
  return kNames[static_cast<size_t>(level)];
}

std::string TimeText(int64_t unix_us) {
  const std::time_t seconds = unix_us / 1'000'000;
  std::tm utc = {};
  ::gmtime_r(&seconds, &utc);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                         static_cast<int>(unix_us % 1'000'000));
}

std::string Json(absl::string_view text) {
  const nlohmann::json value = std::string(text.substr(0, kTextBytesMax));
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool IsPlain(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7F;
  });
}

std::string TextValue(const Field& field) {
  return IsPlain(field.value()) ? field.value().substr(0, kTextBytesMax) : Json(field.value());
}

}  // namespace

std::string FormatLine(bool json, int64_t unix_us, Level level, absl::string_view part,
                       absl::string_view message, Fields fields) {
  std::string line;
  if (json) {
    line = absl::StrCat("{\"time\":\"", TimeText(unix_us), "\",\"level\":\"", NameOf(level),
                        "\",\"part\":", Json(part), ",\"message\":", Json(message));
  } else {
    // A message is one line, whatever it was made of.
    std::string text(message.substr(0, kTextBytesMax));
    std::replace_if(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
    line = absl::StrCat(TimeText(unix_us), " ", NameOf(level), " ", part, ": ", text);
  }
  for (const Field& field : fields) {
    const std::string name = json ? Json(field.name()) : std::string(field.name());
    const std::string value = !json            ? TextValue(field)
                              : field.quoted() ? Json(field.value())
                                               : field.value();
    // Fields that do not fit are left out whole: half a line of JSON is none.
    if (line.size() + name.size() + value.size() + 3 > kLineBytesMax) break;
    absl::StrAppend(&line, json ? "," : " ", name, json ? ":" : "=", value);
  }
  if (json) line.push_back('}');
  if (line.size() > kLineBytesMax) line.resize(kLineBytesMax);
  return line;
}

Level LevelOf(absl::string_view name) {
  for (Level level :
       {Level::kTrace, Level::kDebug, Level::kInfo, Level::kWarn, Level::kError, Level::kOff}) {
    if (name == NameOf(level)) return level;
  }
  return Level::kInfo;
}

}  // namespace lockstep::log
