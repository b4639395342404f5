// The version of this build.
#ifndef LOCKSTEP_BIN_VERSION_H_
#define LOCKSTEP_BIN_VERSION_H_

namespace lockstep {

// As the project's CMakeLists.txt says it: "0.1.0".
extern const char* const kVersion;

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_VERSION_H_
