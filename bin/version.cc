#include "bin/version.h"

namespace lockstep {

const char* const kVersion = LOCKSTEP_VERSION;

std::string VersionLine(const std::string& program) {
  return program + " " + kVersion + " (commit " + kCommit + ")";
}

}  // namespace lockstep
