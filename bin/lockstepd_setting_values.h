// The values of settings, from text: each function takes all values that one setting was given, of
// which a setting that is no list uses the last. An error says which value is wrong and what is
// allowed, not of which setting it is.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_SETTING_VALUES_H_
#define LOCKSTEP_BIN_LOCKSTEPD_SETTING_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bin/lockstepd_options.h"

namespace lockstep::lockstepd {

using Values = std::vector<std::string>;

// Digits only, within these bounds.
absl::Status ReadNumber(const std::string& text, uint64_t low, uint64_t high, uint64_t& out);
// "host:port"; with `port_min` 1 it has to be one that others can connect to.
absl::Status CheckAddress(const std::string& text, uint16_t port_min, std::string& out);

absl::Status ReadName(const Values& values, Options& options);
absl::Status ReadController(const Values& values, Options& options);
absl::Status ReadGroups(const Values& values, Options& options);
absl::Status ReadPeers(const Values& values, Options& options);
absl::Status ReadJoin(const Values& values, Options& options);
absl::Status ReadOrigins(const Values& values, Options& options);
absl::Status ReadLogLevels(const Values& values, Options& options);
absl::Status ReadDataDirectory(const Values& values, Options& options);
absl::Status ReadNodeId(const Values& values, Options& options);
absl::Status ReadShards(const Values& values, Options& options);
absl::Status ReadLogLevel(const Values& values, Options& options);
absl::Status ReadLogFormat(const Values& values, Options& options);
absl::Status ReadLeaseReads(const Values& values, Options& options);
absl::Status ReadClientAuth(const Values& values, Options& options);
absl::Status ReadInsecure(const Values& values, Options& options);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_SETTING_VALUES_H_
