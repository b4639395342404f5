#include "sim/faults/fault_ledger.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lockstep::sim {

namespace {

void AppendServers(const char* separator, uint64_t servers, std::string* text) {
  for (int server = 0; server < 64; ++server) {
    if ((servers >> server & 1) == 0) continue;
    absl::StrAppend(text, separator, server);
    separator = ",";
  }
}

}  // namespace

std::string Describe(const FaultInterval& interval) {
  std::string text(FaultName(interval.kind));
  AppendServers(" servers ", interval.servers, &text);
  AppendServers(" killed ", interval.killed, &text);
  if (!interval.links.empty()) absl::StrAppend(&text, " links ", interval.links.size());
  if (interval.severity != 0) absl::StrAppend(&text, " severity ", interval.severity);
  if (!interval.instant && interval.end != kNoTime) {
    absl::StrAppendFormat(&text, " for %d us", (interval.end - interval.begin) / 1000);
  }
  return text;
}

}  // namespace lockstep::sim
