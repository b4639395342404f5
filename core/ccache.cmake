# ccache, where it is installed. What one clone of these sources has compiled serves all others: whoever clones anew
# waits for what has changed since, and for linking.
#
# An object may not say therefore where it was made: places are given to ccache as relative to the sources, and to
# nobody else (lockstep_tell in tests/CMakeLists.txt). Trees for debuggers and for coverage need them.
find_program(CCACHE ccache)
if(CCACHE)
  set(LOCKSTEP_CCACHE CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros,locale CCACHE_PCH_EXTSUM=1)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" OR LOCKSTEP_SANITIZE)
    list(APPEND LOCKSTEP_CCACHE CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1)
    add_compile_options($<$<CXX_COMPILER_ID:Clang>:-fdebug-compilation-dir=.>)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Said as CMake says it by itself (-Xclang), ccache takes the path for a word.
    set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  endif()
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env ${LOCKSTEP_CCACHE} ${CCACHE})
endif()

# Precompiled headers are other bytes each time they are made, so ccache is told what they hold: beside each lies the
# sum of what the preprocessor makes of it. Compilers and flags are among what ccache looks at anyway.
#
# lockstep_name_headers(NAME): for headers that are precompiled for the target NAME.
# lockstep_await_name(TARGET NAME): TARGET uses them.
function(lockstep_name_headers name)
  if(NOT CCACHE OR NOT CMAKE_GENERATOR MATCHES "Ninja")
    return()
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir)
  set(compiled cmake_pch.hxx.gch)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(compiled cmake_pch.hxx.pch)
  endif()
  set(includes $<REMOVE_DUPLICATES:$<TARGET_PROPERTY:${name},INCLUDE_DIRECTORIES>>)
  add_custom_command(OUTPUT ${folder}/${compiled}.sum DEPENDS ${folder}/${compiled} WORKING_DIRECTORY ${folder}
                     VERBATIM COMMAND_EXPAND_LISTS
                     COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -w -E -P -dD -x c++ "$<$<BOOL:${includes}>:-I$<JOIN:${includes},;-I>>"
                             -o text cmake_pch.hxx
                     COMMAND ${CMAKE_COMMAND} -E sha256sum text > ${compiled}.sum
                     COMMAND ${CMAKE_COMMAND} -E rm text)
  add_custom_target(${name}_sum DEPENDS ${folder}/${compiled}.sum)
endfunction()
function(lockstep_await_name target name)
  if(TARGET ${name}_sum)
    add_dependencies(${target} ${name}_sum)
  endif()
endfunction()
