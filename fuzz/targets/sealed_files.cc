// The small files of a data directory, with any bytes in them. What is not as it was written is
// damaged, in one line, and never believed: an identity or a book of peers is what the file says,
// and is written as it was read. A number comes back as it was written.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_identity.h"
#include "bin/lockstepd_sealed_file.h"
#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"
#include "fuzz/support/temporary_file.h"

namespace lockstep::fuzz {
namespace {

using lockstepd::ExitCode;
using nlohmann::ordered_json;

// One for all inputs of a process. In memory where there is such a place.
class Directory {
 public:
  Directory() : path_("/dev/shm/lockstep-fuzz-XXXXXX") {
    if (::mkdtemp(path_.data()) != nullptr) return;
    path_ = "/tmp/lockstep-fuzz-XXXXXX";
    Check(::mkdtemp(path_.data()) != nullptr);
  }
  ~Directory() {
    for (const char* name : {"/identity.json", "/peers.json", "/LOCK"}) {
      (void)::unlink((path_ + name).c_str());
    }
    (void)::rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }
  void Write(const char* name, absl::string_view bytes) const {
    std::ofstream file(absl::StrCat(path_, "/", name), std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    Check(file.good());
  }

 private:
  std::string path_;
};

const Directory& Shared() {
  static const Directory directory;
  return directory;
}

void CheckDamaged(const absl::Status& status) {
  const ExitCode code = lockstepd::ExitCodeOf(status);
  Check(code == ExitCode::kDamaged || code == ExitCode::kDataDirectory);
  CheckOneLine(status.message());
}

// Whole, with a checksum that fits: the inside is then for others to understand.
std::string Sealed(absl::string_view bytes) {
  ordered_json json = ordered_json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::string(bytes);
  json.erase("checksum");
  json["checksum"] = absl::StrFormat("%08x", Crc32c(json.dump()));
  return absl::StrCat(json.dump(2), "\n");
}

void CheckJson(absl::string_view bytes) {
  const TemporaryFile file(bytes);
  const auto found = lockstepd::ReadSealedJson(file.path());
  if (!found.ok()) return CheckDamaged(found.status());
  Check(found->json.is_object());
  Check(!found->json.contains("checksum"));
  Check(found->json.at("format").get<uint64_t>() <= lockstepd::kFormatVersion);
  if (found->exact) Check(found->sealed);
  if (found->exact) Check(Sealed(bytes) == bytes);
}

void CheckNumber(absl::string_view bytes) {
  const TemporaryFile file(bytes);
  bool exact = false;
  const auto number = lockstepd::ReadSealedNumber(file.path(), &exact);
  if (!number.ok()) return CheckDamaged(number.status());
  const std::string digits = absl::StrCat(*number);
  const std::string written = absl::StrFormat("%s %08x\n", digits, Crc32c(digits));
  if (exact) Check(bytes == written);
  // One flipped bit in what we have written never passes for another number.
  for (size_t bit = 0; bit < written.size() * 8; ++bit) {
    std::string flipped = written;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const TemporaryFile rotten(flipped);
    const auto read = lockstepd::ReadSealedNumber(rotten.path(), nullptr);
    if (read.ok()) CheckEq(*read, *number);
  }
}

void CheckIdentity(absl::string_view bytes) {
  const Directory& directory = Shared();
  directory.Write("identity.json", bytes);
  bool exact = false;
  const absl::Status checked = lockstepd::CheckIdentityFile(directory.path(), &exact);
  const auto opened = lockstepd::DataDirectory::Open(directory.path());
  CheckEq(opened.ok(), checked.ok());
  if (!checked.ok()) {
    CheckDamaged(checked);
    return CheckDamaged(opened.status());
  }
  const lockstepd::Identity identity = (*opened)->identity().value();
  CheckLt(uint64_t{0}, identity.node_id);
  CheckLt(uint64_t{0}, identity.incarnation);
  CheckLt(0u, identity.shards);
}

void CheckPeers(absl::string_view bytes) {
  const Directory& directory = Shared();
  directory.Write("peers.json", bytes);
  bool exact = false;
  const absl::Status checked = lockstepd::CheckPeersFile(directory.path(), &exact);
  const auto book = lockstepd::PeerBook::Load(directory.path());
  CheckEq(book.ok(), checked.ok());
  if (!checked.ok()) {
    CheckDamaged(checked);
    return CheckDamaged(book.status());
  }
  for (const auto& [id, peer] : book->peers()) CheckEq(id, peer.node_id);
}

void RunSealedFiles(Input input) {
  const uint64_t part = input.Below(8);
  const absl::string_view bytes = input.rest();
  const std::string text = part % 2 == 0 ? std::string(bytes) : Sealed(bytes);
  if (part < 2) return CheckJson(text);
  if (part < 4) return CheckIdentity(text);
  if (part < 6) return CheckPeers(text);
  CheckNumber(bytes);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunSealedFiles(lockstep::fuzz::Input(data, size));
  return 0;
}
