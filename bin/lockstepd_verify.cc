#include "bin/lockstepd_verify.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_identity.h"
#include "bin/lockstepd_sealed_file.h"
#include "net/unique_fd.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"

namespace lockstep::lockstepd {
namespace {

using nlohmann::ordered_json;
using storage::Flaw;
using storage::Verification;

constexpr const char* kIdentityMeaning =
    "nobody can say for sure which node this is, so it does not start. Restore the file from a "
    "copy; or remove the node from its groups and start it anew with an empty directory";
constexpr const char* kPeersMeaning =
    "addresses and incarnations of the other nodes are unknown, so the node does not start. Move "
    "the file away and give the addresses with --peers: incarnations are learnt again, and until "
    "then a node that has lost its disk is not told from one that has not";
constexpr const char* kLivesMeaning =
    "how often the node was started is unknown, so it does not start. Write a number into the "
    "file that is larger than it can have been (the seconds since 1970 will do)";
constexpr const char* kEdited =
    "it is not byte for byte what lockstepd writes, although its checksum is right or missing: "
    "somebody has edited it, or an early version wrote it";

absl::Status Refused(const std::string& what) { return ExitWith(ExitCode::kDataDirectory, what); }

// Without making the file or writing to it. Not valid: nobody ever locked this directory.
absl::StatusOr<UniqueFd> LockForReading(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/LOCK");
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return fd;
  if (!fd.valid()) {
    return Refused(absl::StrCat(path, " cannot be opened: ", std::strerror(errno)));
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) {
    return Refused(absl::StrCat(path, " cannot be locked: ", std::strerror(errno)));
  }
  return Refused(absl::StrCat(directory, " is in use: stop the node first, or verify a copy"));
}

// Says of a small file what its reader said; `exact`: of one that could be read.
absl::Status Judge(const std::string& path, const absl::Status& status, bool exact,
                   const char* meaning, Verification* out) {
  if (absl::IsDataLoss(status)) {
    out->flaws.push_back({.kind = Flaw::Kind::kDamage,
                          .file = path,
                          .offset = 0,
                          .what = std::string(status.message()),
                          .meaning = meaning});
  } else if (status.ok() && !exact) {
    out->flaws.push_back({.kind = Flaw::Kind::kLeftover,
                          .file = path,
                          .offset = 0,
                          .what = "not as lockstepd writes it",
                          .meaning = kEdited});
  } else if (!status.ok() && !absl::IsNotFound(status)) {
    return status;
  }
  return absl::OkStatus();
}

absl::Status CheckSmallFiles(const std::string& directory, Verification* out) {
  bool exact = false;
  absl::Status status = CheckIdentityFile(directory, &exact);
  if (absl::IsNotFound(status)) {
    return Refused(absl::StrCat(directory, " is no data directory of a node: ", status.message()));
  }
  status = Judge(directory + "/identity.json", status, exact, kIdentityMeaning, out);
  if (!status.ok()) return status;
  status = Judge(directory + "/peers.json", CheckPeersFile(directory, &exact), exact, kPeersMeaning,
                 out);
  if (!status.ok()) return status;
  const std::string lives = directory + "/lives";
  status = ReadSealedNumber(lives, &exact).status();
  return Judge(lives, status, exact, kLivesMeaning, out);
}

const char* NameOf(Flaw::Kind kind) {
  switch (kind) {
    case Flaw::Kind::kDamage:
      return "damage";
    case Flaw::Kind::kTorn:
      return "torn";
    case Flaw::Kind::kLeftover:
      return "note";
  }
  return "";
}

std::string PrintText(const std::string& directory, const Verification& found) {
  std::string text;
  for (const Flaw& flaw : found.flaws) {
    absl::StrAppend(&text, NameOf(flaw.kind), ": ", flaw.file, " byte ", flaw.offset, ": ",
                    flaw.what, ". Meaning: ", flaw.meaning, ".\n");
  }
  const auto damages = std::count_if(found.flaws.begin(), found.flaws.end(), [](const Flaw& flaw) {
    return flaw.kind == Flaw::Kind::kDamage;
  });
  absl::StrAppend(&text, directory, ": ",
                  damages == 0 ? "sound" : absl::StrCat("damaged in ", damages, " places"), ". ",
                  found.groups, " groups; ", found.entries, " entries in ", found.commits,
                  " commits in ", found.segments, " log segments; ", found.keys, " keys in ",
                  found.tables, " tables; ", found.bytes, " bytes read.\n");
  return text;
}

std::string PrintJson(const std::string& directory, const Verification& found) {
  ordered_json json;
  json["directory"] = directory;
  json["sound"] = found.sound();
  json["problems"] = ordered_json::array();
  for (const Flaw& flaw : found.flaws) {
    json["problems"].push_back({{"kind", NameOf(flaw.kind)},
                                {"file", flaw.file},
                                {"offset", flaw.offset},
                                {"what", flaw.what},
                                {"meaning", flaw.meaning}});
  }
  json["groups"] = found.groups;
  json["segments"] = found.segments;
  json["commits"] = found.commits;
  json["entries"] = found.entries;
  json["tables"] = found.tables;
  json["keys"] = found.keys;
  json["bytes"] = found.bytes;
  // Names of files need not be UTF-8.
  return absl::StrCat(json.dump(2, ' ', false, ordered_json::error_handler_t::replace), "\n");
}

}  // namespace

absl::StatusOr<Verification> VerifyDirectory(const std::string& directory) {
  if (::access(directory.c_str(), R_OK | X_OK) != 0) {
    return Refused(absl::StrCat(directory, " cannot be read: ", std::strerror(errno)));
  }
  const absl::StatusOr<UniqueFd> lock = LockForReading(directory);
  if (!lock.ok()) return lock.status();
  Verification small;
  const absl::Status checked = CheckSmallFiles(directory, &small);
  if (!checked.ok()) return checked;
  storage::PosixFileSystem files;
  absl::StatusOr<Verification> found = storage::Verify(files, directory + "/store");
  if (!found.ok()) {
    const std::string message(found.status().message().data(), found.status().message().size());
    return Refused(message);
  }
  const bool in_use = ::access(StoreMarkPath(directory).c_str(), F_OK) == 0;
  if (in_use && !storage::HoldsPromises(files, directory + "/store")) {
    small.flaws.push_back({.kind = Flaw::Kind::kDamage,
                           .file = directory + "/store/wal",
                           .offset = 0,
                           .what = "it is gone",
                           .meaning = StoreIsGone(directory + "/store")});
  }
  found->flaws.insert(found->flaws.begin(), small.flaws.begin(), small.flaws.end());
  return found;
}

std::string PrintVerification(const std::string& directory, const Verification& found,
                              VerifyRequest::Format format) {
  return format == VerifyRequest::Format::kJson ? PrintJson(directory, found)
                                                : PrintText(directory, found);
}

absl::Status RunVerify(const VerifyRequest& request) {
  const absl::StatusOr<Verification> found = VerifyDirectory(request.directory);
  if (!found.ok()) return found.status();
  const std::string text = PrintVerification(request.directory, *found, request.format);
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    return ExitWith(ExitCode::kInternal, "the output could not be written");
  }
  if (found->sound()) return absl::OkStatus();
  return ExitWith(ExitCode::kDamaged,
                  absl::StrCat(request.directory, " is damaged: see what was printed"));
}

}  // namespace lockstep::lockstepd
