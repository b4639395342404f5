// A target whose input is a message in text format (message_mutator.h).
#ifndef LOCKSTEP_FUZZ_SUPPORT_SCRIPT_TARGET_H_
#define LOCKSTEP_FUZZ_SUPPORT_SCRIPT_TARGET_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "fuzz/support/message_mutator.h"
#include "fuzz/support/structured_target.h"

namespace lockstep::fuzz {

template <class Script>
class ScriptTarget final : public StructuredTarget {
 public:
  explicit ScriptTarget(void (*run)(const Script& script)) : run_(run) {}

  bool Run(absl::string_view input) override {
    Script script;
    if (!FromText(input, &script)) return false;
    run_(script);
    return true;
  }

  std::string Mutate(absl::string_view input, size_t bytes_max, unsigned seed) override {
    Script script = ScriptOf(input);
    Rng rng(seed);
    fuzz::Mutate(rng, bytes_max, &script);
    return ToText(script);
  }

  std::string CrossOver(absl::string_view one, absl::string_view other, size_t bytes_max,
                        unsigned seed) override {
    Script script = ScriptOf(one);
    Rng rng(seed);
    fuzz::CrossOver(rng, ScriptOf(other), bytes_max, &script);
    return ToText(script);
  }

 private:
  static Script ScriptOf(absl::string_view text) {
    Script script;
    if (!FromText(text, &script)) script.Clear();
    return script;
  }

  void (*const run_)(const Script& script);
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_SCRIPT_TARGET_H_
