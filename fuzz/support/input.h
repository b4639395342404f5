// A fuzz input read as a sequence of choices. Total: behind the end everything is zero, so that
// every input means something and a shorter one means less.
#ifndef LOCKSTEP_FUZZ_SUPPORT_INPUT_H_
#define LOCKSTEP_FUZZ_SUPPORT_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace lockstep::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return static_cast<uint8_t>(byte);
  }
  // Little endian, `bytes` of it. REQUIRES: bytes <= 8.
  uint64_t Number(size_t bytes = 8) {
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; ++i) number |= uint64_t{Byte()} << (8 * i);
    return number;
  }
  // In [0, bound), out of as few bytes as it takes. REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound) {
    CheckLt(uint64_t{0}, bound);
    size_t bytes = 0;
    for (uint64_t most = bound - 1; most > 0; most >>= 8) ++bytes;
    return Number(bytes) % bound;
  }
  bool Flip() { return (Byte() & 1) != 0; }
  // At most `bytes_max` bytes: a length, then so many. Lives as long as the input.
  absl::string_view Text(size_t bytes_max) {
    return Take(static_cast<size_t>(Below(uint64_t{bytes_max} + 1)));
  }
  // The same, made ASCII: for what has to be UTF-8 to be written at all.
  std::string Ascii(size_t bytes_max) {
    std::string text(Text(bytes_max));
    for (char& c : text) c = static_cast<char>(c & 0x7F);
    return text;
  }
  // The next `bytes`, or what there is.
  absl::string_view Take(size_t bytes) {
    const absl::string_view taken = rest_.substr(0, std::min(bytes, rest_.size()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  absl::string_view rest_;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_INPUT_H_
