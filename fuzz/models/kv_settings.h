// The limits of a script's stores: small ones, so that a script can reach them.
#ifndef LOCKSTEP_FUZZ_MODELS_KV_SETTINGS_H_
#define LOCKSTEP_FUZZ_MODELS_KV_SETTINGS_H_

#include <cstdint>

#include "core/kv/options.h"
#include "fuzz/proto/machine_script.pb.h"

namespace lockstep::fuzz {

inline uint32_t SmallOr(uint32_t given, uint32_t otherwise, uint32_t bound) {
  return given == 0 ? otherwise : 1 + given % bound;
}

inline kv::KvOptions OptionsOf(const KvSettings& settings) {
  kv::KvOptions options;
  options.sessions_max = SmallOr(settings.sessions_max(), 3, 8);
  options.limits.session_window_max = SmallOr(settings.session_window_max(), 4, 8);
  options.session_value_bytes_max = SmallOr(settings.session_value_bytes_max(), 16, 64);
  options.session_reply_bytes_max = SmallOr(settings.session_reply_bytes_max(), 32, 128);
  options.limits.key_bytes_max = 32;
  options.limits.value_bytes_max = SmallOr(settings.value_bytes_max(), 64, 256);
  options.limits.batch_operations_max = 4;
  options.limits.batch_bytes_max = 96;
  options.limits.get_many_keys_max = 4;
  options.limits.get_many_bytes_max = SmallOr(settings.get_many_bytes_max(), 64, 256);
  options.limits.list_pairs_max = SmallOr(settings.list_pairs_max(), 3, 8);
  options.limits.list_bytes_max = SmallOr(settings.list_bytes_max(), 64, 256);
  return options;
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_KV_SETTINGS_H_
