// Keys and values that a person gives: as an argument, in a file, or on stdin.
#ifndef LOCKSTEP_BIN_LOCKSTEP_INPUT_H_
#define LOCKSTEP_BIN_LOCKSTEP_INPUT_H_

#include <istream>
#include <string>

#include "absl/status/statusor.h"
#include "bin/lockstep_text.h"

namespace CLI {
class App;
}  // namespace CLI

namespace lockstep::bin {

// How arguments are to be read and answers printed.
struct EncodingOptions {
  std::string in = "plain";
  bool base64 = false;
  bool hex = false;

  Encoding input() const;
  Encoding output() const;
};
enum class EncodingsFor { kInput, kOutput, kBoth };
// Checked while parsing.
void AddEncodingOptions(CLI::App& command, EncodingOptions& options, EncodingsFor which);

// The bytes of an argument: "-" is all of `in`, "@FILE" all of a file ("@@..." an argument that
// begins with one @). Otherwise the text itself, decoded.
absl::StatusOr<std::string> ReadArgument(const std::string& argument, Encoding encoding,
                                         std::istream& in);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_INPUT_H_
