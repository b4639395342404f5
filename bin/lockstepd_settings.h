// The table of lockstepd's settings: one row a setting, from which the flags, the variables, the
// file, --help, --print-config and --generate-config all follow.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_SETTINGS_H_
#define LOCKSTEP_BIN_LOCKSTEPD_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bin/lockstepd_options.h"

namespace lockstep::lockstepd {

struct Setting {
  // kSwitch: text whose flag alone means "on".
  enum class Kind { kText, kNumber, kList, kSwitch };

  const char* name;         // of the flag without dashes, and of the file's key
  const char* placeholder;  // what --help writes for the value
  const char* group;        // the heading in --help
  const char* help;         // one sentence
  const char* example;      // a value for the generated file where the default says nothing
  Kind kind;
  // What separates the items of a list given in one text, as a variable must. Lists may also be
  // given by repeating the flag, and as an array in the file.
  const char* separators;
  // Takes the values, all there are. An error says which value is wrong and what is allowed; the
  // caller says of which setting.
  absl::Status (*read)(const std::vector<std::string>& values, Options& options);
  std::vector<std::string> (*show)(const Options& options);  // empty: left out
};

// In the order of --help.
absl::Span<const Setting> Settings();

// LOCKSTEP_LISTEN_PEER for listen-peer.
std::string VariableOf(const Setting& setting);

// The TOML of these options, every setting in a line; `note` says what to remark behind it.
std::string ConfigToml(const Options& options, std::string (*note)(const Setting&, const void*),
                       const void* context);
// A file to start from: every setting explained, the defaults commented out. Parses back.
std::string ConfigTemplate();

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_SETTINGS_H_
