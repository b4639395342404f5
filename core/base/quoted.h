// Text that somebody gave, as a message repeats it.
#ifndef LOCKSTEP_CORE_BASE_QUOTED_H_
#define LOCKSTEP_CORE_BASE_QUOTED_H_

#include <string>

#include "absl/strings/string_view.h"

namespace lockstep {

// In quotes, on one line and never long: control characters are escaped, what is over 200 bytes is
// cut.
std::string Quoted(absl::string_view text);

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_QUOTED_H_
