// Who may include whom: one table for the rooms of this house, one for libraries.
//
// The build links along the same lines, but headers need no linking, so the build alone proves
// nothing.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/lint/rules.h"

namespace lockstep::lint {
namespace {

using Names = std::vector<absl::string_view>;

struct Room {
  absl::string_view folder;
  // Rooms that it may include beside itself. "core" means every room of core.
  Names rooms;
  // Libraries, by the prefix of their headers' names. The standard library is always allowed (what
  // of it is not, bans.cc says).
  Names libraries;
};

constexpr absl::string_view kEverything = "*";

// The most specific folder that holds a file decides. `raft` knows no state machine and no state
// machine knows `raft`; `sim` and `net` never see each other, nor do `net` and `storage`.
const std::vector<Room>& Rooms() {
  static const std::vector<Room> rooms = {
      {"core/base", {}, {"absl/", "isa-l/"}},
      {"core/proto", {"core/base"}, {"absl/", "google/protobuf/"}},
      {"core/runtime", {"core/base"}, {"absl/"}},
      {"core/raft", {"core/base", "core/proto", "core/runtime"}, {"absl/", "google/protobuf/"}},
      {"core/kv", {"core/base", "core/proto", "core/runtime"}, {"absl/", "google/protobuf/"}},
      {"core/client",
       {"core/base", "core/proto", "core/runtime", "core/kv"},
       {"absl/", "google/protobuf/"}},
      {"core/controller",
       {"core/base", "core/proto", "core/runtime", "core/kv"},
       {"absl/", "google/protobuf/"}},
      {"core/shardkv",
       {"core/base", "core/proto", "core/runtime", "core/kv"},
       {"absl/", "google/protobuf/"}},
      {"core/node",
       {"core/base", "core/proto", "core/runtime", "core/raft", "core/kv", "core/controller",
        "core/shardkv"},
       {"absl/", "google/protobuf/"}},
      {"core/gateway",
       {"core/base", "core/proto", "core/runtime", "core/kv", "core/client", "core/shardkv",
        "core/node"},
       {"absl/", "google/protobuf/"}},
      {"storage", {"core/base", "core/runtime"}, {kEverything}},
      {"sim/check/linearizability", {"core/base"}, {"absl/"}},
      {"sim/check/history", {"core/base", "sim/check/linearizability"}, {"absl/", "nlohmann/"}},
      {"sim", {"core", "storage", "sim"}, {"absl/", "google/protobuf/"}},
      // Helpers for the tests of others, not part of any simulation.
      {"sim/testing", {"sim"}, {kEverything}},
      {"net", {"core"}, {kEverything}},
      {"bin", {"core", "storage", "sim", "net"}, {kEverything}},
      // Fuzz targets use the tests' worlds and models, and what targets share has tests.
      {"tests", {"core", "storage", "sim", "net", "bin", "fuzz"}, {kEverything}},
      {"fuzz", {"core", "storage", "sim", "net", "bin", "tests"}, {kEverything}},
  };
  return rooms;
}

// Headers of the operating system and of C libraries that one file may include where its room may
// not, and why.
struct LibraryException {
  absl::string_view path;
  absl::string_view header;
  absl::string_view reason;
};
constexpr LibraryException kLibraryExceptions[] = {
    {"core/base/hash.cc", "xxhash.h", "pure arithmetic, compiled into this file"},
};

bool Inside(absl::string_view path, absl::string_view folder) {
  return absl::StartsWith(path, folder) && path.size() > folder.size() &&
         path[folder.size()] == '/';
}

const Room* RoomOf(absl::string_view path) {
  const Room* best = nullptr;
  for (const Room& room : Rooms()) {
    if (!Inside(path, room.folder)) continue;
    if (best == nullptr || room.folder.size() > best->folder.size()) best = &room;
  }
  return best;
}

bool MayInclude(const Room& room, const Room& target) {
  if (&room == &target) return true;
  return std::any_of(room.rooms.begin(), room.rooms.end(), [&](absl::string_view allowed) {
    return target.folder == allowed || Inside(target.folder, allowed);
  });
}

// What an #include (C++) or import (.proto) line names.
struct Include {
  std::string header;
  bool quoted = false;
};
std::optional<Include> ParseInclude(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (absl::ConsumePrefix(&line, "#")) {
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "include")) return std::nullopt;
  } else if (!absl::ConsumePrefix(&line, "import ")) {
    return std::nullopt;
  }
  line = absl::StripLeadingAsciiWhitespace(line);
  if (line.size() < 2) return std::nullopt;
  const bool quoted = line[0] == '"';
  const size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == absl::string_view::npos) return std::nullopt;
  return Include{.header = std::string(line.substr(1, end - 1)), .quoted = quoted};
}

bool LibraryAllowed(const SourceText& source, const Room& room, absl::string_view header) {
  for (absl::string_view prefix : room.libraries) {
    if (prefix == kEverything || absl::StartsWith(header, prefix)) return true;
  }
  for (const LibraryException& row : kLibraryExceptions) {
    if (source.path == row.path && header == row.header) return true;
  }
  // The standard library: <vector>, but neither <unistd.h> nor <sys/socket.h>.
  return header.find_first_of("/.") == absl::string_view::npos;
}

// Of the operating system, though they look like ours.
constexpr absl::string_view kSystemHeaders[] = {"net/if.h", "net/if_arp.h"};

bool IsOfTheSystem(const Include& include) {
  return !include.quoted && std::find(std::begin(kSystemHeaders), std::end(kSystemHeaders),
                                      include.header) != std::end(kSystemHeaders);
}

void CheckInclude(const SourceText& source, const Room& room, size_t line, const Include& include,
                  Findings& out) {
  const auto find = [&](absl::string_view rule, const std::string& message) {
    out.push_back({source.path, line, std::string(rule), message});
  };
  // Imports between .proto files are relative to core/.
  const std::string header = absl::StartsWith(include.header, "proto/")
                                 ? absl::StrCat("core/", include.header)
                                 : include.header;
  if (IsOfTheSystem(include)) return;
  if (const Room* target = RoomOf(header); target != nullptr) {
    if (!include.quoted) find("layers", "our own headers are included with quotes");
    if (!MayInclude(room, *target)) {
      find("layers", absl::StrCat(room.folder, " may not include ", target->folder,
                                  "; the table is in tests/lint/layers.cc"));
    }
    return;
  }
  if (include.quoted && header.find('/') == std::string::npos) {
    return find("layers", absl::StrCat("include \"", header, "\" by its path from the root"));
  }
  if (!LibraryAllowed(source, room, header)) {
    find("layers", absl::StrCat(room.folder, " may not include <", header,
                                ">; the table is in tests/lint/layers.cc"));
  }
}

}  // namespace

void CheckLayers(const SourceText& source, Findings& out) {
  const Room* room = RoomOf(source.path);
  if (room == nullptr) {
    out.push_back({source.path, 0, "layers", "no room of tests/lint/layers.cc holds this file"});
    return;
  }
  size_t number = 0;
  for (absl::string_view line : Lines(source.with_strings)) {
    ++number;
    const std::optional<Include> include = ParseInclude(line);
    if (include.has_value()) CheckInclude(source, *room, number, *include, out);
  }
}

}  // namespace lockstep::lint
