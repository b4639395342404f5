#include "fuzz/support/structured_target.h"

#include <algorithm>
#include <cstdint>

namespace {

absl::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What libFuzzer wants to know: how many bytes it has become.
size_t Put(const std::string& bytes, uint8_t* out, size_t bytes_max) {
  if (bytes.size() > bytes_max) return 0;
  std::copy(bytes.begin(), bytes.end(), out);
  return bytes.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return lockstep::fuzz::TheTarget().Run(TextOf(data, size)) ? 0 : -1;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t bytes_max,
                                          unsigned seed) {
  return Put(lockstep::fuzz::TheTarget().Mutate(TextOf(data, size), bytes_max, seed), data,
             bytes_max);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size,
                                            const uint8_t* other, size_t other_size, uint8_t* out,
                                            size_t bytes_max, unsigned seed) {
  return Put(lockstep::fuzz::TheTarget().CrossOver(TextOf(one, one_size), TextOf(other, other_size),
                                                   bytes_max, seed),
             out, bytes_max);
}
