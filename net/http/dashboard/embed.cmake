# Makes a C++ file of the dashboard's assets: cmake -D FOLDER=... -D OUT=... -P embed.cmake
#
# Bytes become numbers, for a string literal may not be longer than 64 KiB everywhere.
file(GLOB paths LIST_DIRECTORIES false "${FOLDER}/*")
list(SORT paths)
set(arrays "")
set(rows "")
set(number 0)
foreach(path ${paths})
  get_filename_component(name "${path}" NAME)
  get_filename_component(extension "${path}" LAST_EXT)
  if(extension STREQUAL ".html")
    set(type "text/html; charset=utf-8")
  elseif(extension STREQUAL ".css")
    set(type "text/css; charset=utf-8")
  elseif(extension STREQUAL ".js")
    set(type "text/javascript; charset=utf-8")
  elseif(extension STREQUAL ".svg")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "${path}: embed.cmake knows no content type for ${extension}")
  endif()
  file(SHA256 "${path}" hash)
  string(SUBSTRING "${hash}" 0 16 tag)
  file(READ "${path}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(................................)" "\\1\n" list "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," list "${list}")
  string(APPEND arrays "constexpr char kAsset${number}[] = {\n${list}\n};\n")
  string(APPEND rows "    {\"${name}\", \"${type}\", \"W/\\\"${tag}\\\"\", {kAsset${number}, ${bytes}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUT}" "// Made by net/http/dashboard/embed.cmake.
#include \"net/http/dashboard/assets.h\"

namespace lockstep::net::http {
namespace {

${arrays}
constexpr Asset kAssets[] = {
${rows}};

}  // namespace

absl::Span<const Asset> Assets() { return kAssets; }

}  // namespace lockstep::net::http
")
