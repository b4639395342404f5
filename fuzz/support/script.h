// A target whose input is a message in text format (message_mutator.h). It defines libFuzzer's
// three functions by the three here; without libFuzzer nobody calls the last two.
#ifndef LOCKSTEP_FUZZ_SUPPORT_SCRIPT_H_
#define LOCKSTEP_FUZZ_SUPPORT_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "fuzz/support/message_mutator.h"

namespace lockstep::fuzz {

inline absl::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// -1 tells libFuzzer to keep an input out of its corpus that is no script.
template <class Script>
int RunScript(const uint8_t* data, size_t size, void (*run)(const Script& script)) {
  Script script;
  if (!FromText(TextOf(data, size), &script)) return -1;
  run(script);
  return 0;
}

// What libFuzzer wants to know: how many bytes it has become.
inline size_t PutText(const google::protobuf::Message& script, size_t size_max, uint8_t* to) {
  const std::string text = ToText(script);
  if (text.size() > size_max) return 0;
  std::memcpy(to, text.data(), text.size());
  return text.size();
}

template <class Script>
size_t MutateScript(uint8_t* data, size_t size, size_t size_max, unsigned seed) {
  Script script;
  if (!FromText(TextOf(data, size), &script)) script.Clear();
  Rng rng(seed);
  Mutate(rng, size_max, &script);
  return PutText(script, size_max, data);
}

template <class Script>
size_t CrossOverScripts(absl::string_view text, absl::string_view other_text, uint8_t* out,
                        size_t size_max, unsigned seed) {
  Script script;
  Script other;
  if (!FromText(text, &script)) script.Clear();
  if (!FromText(other_text, &other)) other.Clear();
  Rng rng(seed);
  CrossOver(rng, other, size_max, &script);
  return PutText(script, size_max, out);
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_SCRIPT_H_
