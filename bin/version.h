// The version of this build.
#ifndef LOCKSTEP_BIN_VERSION_H_
#define LOCKSTEP_BIN_VERSION_H_

#include <string>

namespace lockstep {

// As the project's CMakeLists.txt says it: "0.1.0".
extern const char* const kVersion;
// Of the sources: "3f2a91bc04de"; behind it "-dirty" where they were changed; or "unknown".
extern const char* const kCommit;

// What `program --version` says.
std::string VersionLine(const std::string& program);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_VERSION_H_
