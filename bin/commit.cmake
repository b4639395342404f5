# Writes the commit that is being built from into OUTPUT, if that does not say so already: nothing that
# depends on it is made anew while the commit stays the same.
#
#   cmake -DSOURCE=FOLDER -DOUTPUT=FILE [-DCOMMIT=NAME] -P commit.cmake
#
# NAME is for sources that came without their history. What is not committed shows as "-dirty"; where there
# is no git, or no history that is ours, the commit is "unknown".
set(commit "${COMMIT}")
find_program(GIT git)
if(NOT commit AND GIT)
  # A tree that was unpacked inside somebody else's is not of their commit.
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --show-cdup
                  OUTPUT_VARIABLE up OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed AND up STREQUAL "")
    execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
if(NOT commit MATCHES "^[0-9A-Za-z._+-]+$")
  set(commit unknown)
endif()
set(text "// The commit that this was built from. Made by bin/commit.cmake.
#include \"bin/version.h\"

namespace lockstep {

const char* const kCommit = \"${commit}\";

}  // namespace lockstep
")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} there)
endif()
if(NOT there STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
