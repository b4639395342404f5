// What every command of `lockstep` has around it: the options that all share, the connection, the
// streams, the exit codes, and how an error is told.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SHELL_H_
#define LOCKSTEP_BIN_LOCKSTEP_SHELL_H_

#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bin/lockstep_api.h"

namespace lockstep::bin {

// Documented in --help. Of several failures in one command the one that says least counts: unknown
// before not executed before a conflict.
enum class Exit : int {
  kOk = 0,
  kUsage = 1,
  kConflict = 2,     // no such key, a comparison that failed, or what a cluster's state forbids
  kNotExecuted = 3,  // certainly
  kUnknown = 4,      // executed or not
  kUnreachable = 5,  // no server answers
  kFile = 6,         // a local file or process
  kUnhealthy = 7,    // of health
  kInterrupted = 130,
};

enum class Format { kTable, kJson, kPlain };

struct GlobalOptions {
  std::vector<std::string> servers;  // host:port; empty: the protocol's port on this machine
  bool http = false;
  Format format = Format::kTable;
  Duration timeout = std::chrono::seconds(10);
  v1::Consistency consistency = v1::LINEARIZABLE;
  bool verbose = false;
  client::Credentials credentials = {};
};

using Opener =
    std::function<absl::StatusOr<std::unique_ptr<Api>>(const ApiOptions& options, bool http)>;
// By the protocol asked for.
absl::StatusOr<std::unique_ptr<Api>> OpenApi(const ApiOptions& options, bool http);

class Shell {
 public:
  // All outlive it.
  Shell(GlobalOptions options, std::istream& in, std::ostream& out, std::ostream& err,
        Opener opener)
      : options_(std::move(options)), in_(in), out_(out), err_(err), opener_(std::move(opener)) {}

  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.format == Format::kJson; }
  bool plain() const { return options_.format == Format::kPlain; }
  v1::Consistency consistency() const { return options_.consistency; }
  std::istream& in() { return in_; }
  std::ostream& out() { return out_; }
  std::ostream& err() { return err_; }

  // The servers in use, defaults filled in.
  std::vector<std::string> servers() const;
  // The connection, which is made at the first call and waits for a server; null: the error has
  // been told, and `exit` set.
  Api* Connect(Exit& exit);
  // Another one, that waits for nobody.
  absl::StatusOr<std::unique_ptr<Api>> Open() const;
  // The same by HTTP to other servers, whatever was asked for.
  absl::StatusOr<std::unique_ptr<Api>> OpenHttp(const std::vector<std::string>& servers);

  // Tells an error on stderr, in a line or as JSON, and says which exit code it means.
  Exit Fail(const std::string& what, const absl::Status& status);
  // The same where the exit code is known.
  Exit Fail(Exit exit, const std::string& message);
  // Only with -v.
  void Note(const std::string& text);

 private:
  const GlobalOptions options_;
  std::istream& in_;
  std::ostream& out_;
  std::ostream& err_;
  const Opener opener_;
  std::unique_ptr<Api> api_;
};

// What a status of an Api means.
Exit ExitOf(const absl::Status& status);
// The one that says least.
Exit Worse(Exit a, Exit b);

// What a command line asks for.
using Action = std::function<Exit(Shell&)>;

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SHELL_H_
