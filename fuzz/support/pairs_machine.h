// A small state machine, and its dumb twin: a command sets or deletes one key.
#ifndef LOCKSTEP_FUZZ_SUPPORT_PAIRS_MACHINE_H_
#define LOCKSTEP_FUZZ_SUPPORT_PAIRS_MACHINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/runtime/state_machine.h"

namespace lockstep::fuzz {

using Pairs = std::map<std::string, std::string>;

// What a command means. Every text means something, the short ones nothing.
struct PairCommand {
  explicit PairCommand(absl::string_view text) {
    if (text.size() < 2) return;
    const size_t key_bytes = 1 + (static_cast<uint8_t>(text[0]) >> 1) % 3;
    deletes = (static_cast<uint8_t>(text[0]) & 0xE1) == 0xE1;
    key = text.substr(1, key_bytes);
    if (text.size() > 1 + key_bytes) value = text.substr(1 + key_bytes);
  }
  absl::string_view key;  // Empty: nothing.
  absl::string_view value;
  bool deletes = false;
};

inline void Apply(const Entry& entry, Pairs* pairs) {
  if (!IsForMachine(entry.kind)) return;
  const PairCommand command(entry.data.view());
  if (command.key.empty()) return;
  if (command.deletes) {
    pairs->erase(std::string(command.key));
  } else {
    (*pairs)[std::string(command.key)] = std::string(command.value);
  }
}

// Answers with the number of its keys, which it keeps in memory and counts again when it loads.
class PairsMachine final : public StateMachine {
 public:
  void Load(const TableReader& table) override {
    keys_ = 0;
    table.Scan("", [this](absl::string_view, absl::string_view) { return ++keys_ > 0; });
  }
  Bytes Apply(const Entry& entry, TableWriter& table) override {
    const PairCommand command(entry.data.view());
    std::string old;
    if (command.key.empty()) return Bytes();
    const bool found = table.Get(command.key, &old);
    if (command.deletes) {
      table.Delete(command.key);
      keys_ -= found ? 1 : 0;
    } else {
      table.Put(command.key, command.value);
      keys_ += found ? 0 : 1;
    }
    return Bytes::Copy(old);
  }
  // Reads everything.
  Bytes Query(const Bytes&, LogPosition, const TableReader& table) const override {
    int64_t keys = 0;
    table.Scan("", [&](absl::string_view, absl::string_view) { return ++keys > 0; });
    if (!table.failed()) CheckEq(keys, keys_);
    return Bytes::Copy(absl::StrCat(keys_));
  }

 private:
  int64_t keys_ = 0;
};

class PairsMachines final : public MachineFactory {
 public:
  std::unique_ptr<StateMachine> Make(GroupId) const override {
    return std::make_unique<PairsMachine>();
  }
};

// The stream of a snapshot of such a table (storage/snapshot_stream.h).
inline std::string StreamOf(const Pairs& pairs) {
  std::string stream;
  for (const auto& [key, value] : pairs) {
    for (const size_t bytes : {key.size(), value.size()}) {
      for (int shift = 0; shift < 32; shift += 8) {
        stream.push_back(static_cast<char>(bytes >> shift & 0xFF));
      }
    }
    stream += key;
    stream += value;
  }
  return stream;
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_PAIRS_MACHINE_H_
