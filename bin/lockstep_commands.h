// The command line of `lockstep`: what it takes, and what that means.
//
// Every Add... declares its commands below `app`. The chosen one's callback sets `action`, which is
// then run with a Shell. A wrong value is thrown as CLI::ValidationError while parsing.
#ifndef LOCKSTEP_BIN_LOCKSTEP_COMMANDS_H_
#define LOCKSTEP_BIN_LOCKSTEP_COMMANDS_H_

#include <istream>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "bin/lockstep_shell.h"
#include "core/base/types.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lockstep::bin {

void AddDataCommands(CLI::App& app, Action& action);       // put get append delete cas list
void AddBatchCommand(CLI::App& app, Action& action);       // batch
void AddTransferCommands(CLI::App& app, Action& action);   // import export
void AddClusterCommands(CLI::App& app, Action& action);    // cluster ..., leader transfer
void AddNodeCommands(CLI::App& app, Action& action);       // node ...
void AddStatusCommands(CLI::App& app, Action& action);     // health metrics; cluster status
void AddBenchCommand(CLI::App& app, Action& action);       // bench
void AddPlaygroundCommand(CLI::App& app, Action& action);  // playground
void AddCertsCommands(CLI::App& app, Action& action);      // certs create
void AddAccessCommands(CLI::App& app, Action& action);     // access token
void AddCompletionCommand(CLI::App& app, Action& action);  // completion

// Subcommands that every command of its own has: takes what belongs to all, and says what is wrong.
CLI::App& AddCommand(CLI::App& app, const std::string& name, const std::string& help);

// Parses and runs. The exit code of the process.
int RunCommandLine(int argc, const char* const* argv, std::istream& in, std::ostream& out,
                   std::ostream& err, const Opener& opener);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_COMMANDS_H_
