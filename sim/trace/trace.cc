#include "sim/trace/trace.h"

#include <array>

#include "absl/strings/str_format.h"

namespace lockstep::sim {
namespace {

constexpr std::array<const char*, kTraceKinds> kNames = {
    "run",     "process", "deliver", "lost", "send",  "storage", "alarm",
    "request", "reply",   "turn",    "link", "fault", "note",
};

}  // namespace

absl::string_view TraceKindName(TraceKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::string FormatTraceEvent(const TraceEvent& event) {
  const int64_t nanoseconds = event.time.time_since_epoch().count();
  const std::string node =
      event.node ? absl::StrFormat("n%d", event.node.value()) : std::string("-");
  return absl::StrFormat("%4d.%09d %8d %-4s %-8s %s", nanoseconds / 1'000'000'000,
                         nanoseconds % 1'000'000'000, event.number, node, TraceKindName(event.kind),
                         event.text);
}

}  // namespace lockstep::sim
