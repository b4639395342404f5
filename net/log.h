// How the rooms of net/ tell what happens to them. The program brings the sink.
#ifndef LOCKSTEP_NET_LOG_H_
#define LOCKSTEP_NET_LOG_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lockstep::net {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

// One member of a structured line.
struct LogField {
  std::string name;
  std::string value;
  bool is_number = false;  // else text, which JSON wants in quotes
};

// `part`: node, peer, grpc, http or storage. Thread-safe, and never blocks.
using LogSink = std::function<void(LogLevel level, absl::string_view part, absl::string_view text,
                                   const std::vector<LogField>& fields)>;

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_LOG_H_
