// What a disk may do to files that nobody touches, as a fuzz input chooses it.
#ifndef LOCKSTEP_FUZZ_SUPPORT_MUTATIONS_H_
#define LOCKSTEP_FUZZ_SUPPORT_MUTATIONS_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "sim/disk/sim_file_system.h"

namespace lockstep::fuzz {

class Mutations {
 public:
  Mutations(sim::SimFileSystem& files, Input& input) : files_(files), input_(input) {}

  void Apply() {
    for (const std::string& path : files_.Files()) {
      if (!absl::EndsWith(path, "LOCK")) paths_.push_back(path);
    }
    for (uint64_t count = 1 + input_.Below(4); count > 0; --count) ApplyOne();
  }

 private:
  // Those of the log's end are named most easily: names are sorted.
  std::string Pick() { return paths_[input_.Below(paths_.size())]; }

  // Whole blocks of LevelDB's tables do not say whose they are: a start believes one in the place
  // of another, and only verify tells (docs/decisions/0018).
  static bool BothTables(const std::string& a, const std::string& b) {
    return absl::EndsWith(a, ".ldb") && absl::EndsWith(b, ".ldb");
  }

  std::string Read(const std::string& path) const {
    const sim::FileContent* content = files_.Content(path);
    return content == nullptr ? std::string() : content->bytes();
  }

  void Write(const std::string& path, const std::string& bytes) {
    auto file = files_.Open(path, storage::OpenMode::kTruncate);
    Check(file.ok());
    Check((*file)->Append(bytes).ok());
    Check((*file)->Sync().ok());
  }

  // Mostly near the end, where the news is.
  size_t Place(const std::string& bytes) {
    const uint64_t place = input_.Number(2);
    if (bytes.empty()) return 0;
    if ((place & 1) == 0) return place / 2 % bytes.size();
    return bytes.size() - 1 - place / 2 % std::min<size_t>(bytes.size(), 256);
  }

  void ApplyOne() {
    const std::string path = Pick();
    std::string bytes = Read(path);
    const size_t at = Place(bytes);
    switch (input_.Below(9)) {
      case 0:
      case 1:
        files_.FlipBits(path, at, static_cast<uint8_t>(1 << input_.Below(8)));
        return;
      case 2:
        return Write(path, bytes.substr(0, at));
      case 3: {  // Never written, or lost: sectors of zeros.
        const size_t begin = input_.Flip() ? at / 512 * 512 : at;
        const size_t count = std::min<size_t>(512, bytes.size() - begin);
        return Write(path, bytes.replace(begin, count, count, '\0'));
      }
      case 4: {  // A write that went elsewhere.
        const std::string from = Pick();
        if (BothTables(from, path)) return;
        const std::string source = Read(from);
        const std::string part = source.substr(Place(source), 1 + input_.Number(2) % 1024);
        return Write(path, bytes.replace(at, std::min(part.size(), bytes.size() - at), part));
      }
      case 5: {
        const std::string other = Pick();
        if (BothTables(other, path)) return;
        const std::string other_bytes = Read(other);
        Write(other, bytes);
        return Write(path, other_bytes);
      }
      case 6:
        (void)files_.Delete(path);
        return;
      case 7: {
        const std::string other = Pick();
        if (BothTables(other, path)) return;
        return Write(other, bytes);
      }
      default:
        return Write(path, bytes + std::string(input_.Text(40)));
    }
  }

  sim::SimFileSystem& files_;
  Input& input_;
  std::vector<std::string> paths_;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_MUTATIONS_H_
