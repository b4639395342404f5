#include "bin/lockstep_commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bin/atomic_file.h"
#include "bin/lockstep_values.h"
#include "bin/version.h"
#include "core/base/address.h"

namespace lockstep::bin {
namespace {

constexpr const char* kAbout =
    "The command line of Lockstep, the sharded, replicated key-value store.\n"
    "Any node answers for any key, so one address is enough; several are tried in turn.";

constexpr const char* kFooter =
    "Examples:\n"
    "  lockstep put greeting hello            one key\n"
    "  lockstep get greeting\n"
    "  lockstep cas greeting hello goodbye    only if it is still hello\n"
    "  lockstep list user/ --limit 10         keys that begin with user/\n"
    "  lockstep put photo - < photo.jpg       a value from stdin\n"
    "  lockstep export all.jsonl && lockstep import all.jsonl --server other:7401\n"
    "  lockstep cluster status --shards\n"
    "  lockstep cluster join 102              group 102 takes its share of the shards\n"
    "  lockstep node add 4                    node 4 joins every group, and the controller\n"
    "  lockstep node replace 2 5 --group 101  node 5 for node 2, in one change\n"
    "  lockstep bench --mix put=1,get=9 --outstanding 64 --duration 10s\n"
    "  lockstep playground                    a cluster of three on this machine\n"
    "  lockstep certs create --dir certs --nodes 1,2,3 --clients admin\n"
    "\n"
    "Variables: LOCKSTEP_SERVER, LOCKSTEP_PROTOCOL, LOCKSTEP_FORMAT, LOCKSTEP_TIMEOUT and\n"
    "LOCKSTEP_CONSISTENCY stand for the options of these names.\n"
    "\n"
    "Exit codes: 0 done; 1 bad usage; 2 no such key, a comparison that failed, or what the\n"
    "cluster's state forbids; 3 certainly not executed; 4 executed or not, nobody knows; 5 no\n"
    "server answers; 6 a local file or process; 7 not healthy; 130 interrupted.";

struct RawOptions {
  std::vector<std::string> servers;
  std::string protocol;
  std::string format = "table";
  std::string timeout = "10s";
  std::string consistency = "linearizable";
  bool verbose = false;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string token;
  std::string token_file;
};

void AddCredentialOptions(CLI::App& app, RawOptions& raw, const std::string& group) {
  const auto add = [&](const char* name, std::string& value, const char* text, const char* variable,
                       const char* help) {
    app.add_option(name, value, help)->option_text(text)->envname(variable)->group(group);
  };
  add("--tls-ca", raw.tls_ca, "FILE", "LOCKSTEP_CLIENT_CA",
      "Certificates (PEM) of who signs the servers'; with it TLS is spoken");
  add("--tls-cert", raw.tls_cert, "FILE", "LOCKSTEP_CLIENT_CERT",
      "A certificate (PEM) that says who you are");
  add("--tls-key", raw.tls_key, "FILE", "LOCKSTEP_CLIENT_KEY", "Its private key (PEM)");
  add("--token", raw.token, "TOKEN", "LOCKSTEP_TOKEN",
      "A token that says who you are; others see it in the list of processes, so rather give the "
      "variable, or --token-file");
  add("--token-file", raw.token_file, "FILE", "LOCKSTEP_TOKEN_FILE", "A file that holds the token");
}

void AddGlobalOptions(CLI::App& app, RawOptions& raw) {
  const std::string group = "For every command";
  app.add_option("--server,-s", raw.servers,
                 "Nodes to ask (default 127.0.0.1:7401, by HTTP 127.0.0.1:7402)")
      ->option_text("HOST:PORT,...")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->envname("LOCKSTEP_SERVER")
      ->group(group);
  app.add_option("--protocol", raw.protocol, "How to ask (default grpc)")
      ->option_text("grpc|http")
      ->envname("LOCKSTEP_PROTOCOL")
      ->group(group);
  app.add_option("--format,-f", raw.format,
                 "For people, for machines, or bare fields with tabs (default table)")
      ->option_text("table|json|plain")
      ->envname("LOCKSTEP_FORMAT")
      ->group(group);
  app.add_option("--timeout,-t", raw.timeout, "How long a call may take (default 10s)")
      ->option_text("TIME")
      ->envname("LOCKSTEP_TIMEOUT")
      ->group(group);
  app.add_option("--consistency", raw.consistency,
                 "Of reads; stale: from any replica, possibly old, and labelled so; follower: the "
                 "newest state, from a replica that need not lead")
      ->option_text("linearizable|stale|follower")
      ->envname("LOCKSTEP_CONSISTENCY")
      ->group(group);
  AddCredentialOptions(app, raw, group);
  app.add_flag("--verbose,-v", raw.verbose, "Say more on stderr")->group(group);
}

std::string ReadCredential(const char* option, const std::string& path) {
  constexpr size_t kFileBytesMax = size_t{1} << 20;
  if (path.empty()) return "";
  absl::StatusOr<std::string> text = ReadSmallFile(path, kFileBytesMax);
  if (!text.ok()) Refuse(absl::StrCat(option, ": ", text.status().message()));
  return *std::move(text);
}

client::Credentials ReadCredentials(const RawOptions& raw) {
  client::Credentials credentials;
  credentials.authorities = ReadCredential("--tls-ca", raw.tls_ca);
  credentials.certificate = ReadCredential("--tls-cert", raw.tls_cert);
  credentials.key = ReadCredential("--tls-key", raw.tls_key);
  if (raw.tls_cert.empty() != raw.tls_key.empty()) {
    Refuse("--tls-cert and --tls-key go together");
  }
  if (raw.tls_ca.empty() && !raw.tls_cert.empty()) Refuse("--tls-cert: needs --tls-ca");
  if (!raw.token.empty() && !raw.token_file.empty()) {
    Refuse("--token and --token-file: one of them");
  }
  credentials.token =
      raw.token_file.empty() ? raw.token : ReadCredential("--token-file", raw.token_file);
  absl::StripAsciiWhitespace(&credentials.token);
  const bool printable = std::all_of(credentials.token.begin(), credentials.token.end(),
                                     [](unsigned char c) { return absl::ascii_isgraph(c); });
  if (!printable) Refuse("--token: a token is printable and has no spaces");
  return credentials;
}

// "http://host:port" asks for that protocol, as other tools have it.
GlobalOptions FillGlobalOptions(const RawOptions& raw) {
  GlobalOptions options;
  bool scheme = false;
  bool secure = false;
  for (const std::string& text : raw.servers) {
    for (absl::string_view server : SplitList("--server", text)) {
      secure = absl::ConsumePrefix(&server, "https://") || secure;
      scheme = secure || absl::ConsumePrefix(&server, "http://") || scheme;
      absl::ConsumeSuffix(&server, "/");
      const absl::StatusOr<Address> address = ParseAddress(server, 1);
      if (!address.ok()) Refuse(absl::StrCat("--server: ", address.status().message()));
      options.servers.emplace_back(server);
    }
  }
  const std::string protocol = !raw.protocol.empty() ? raw.protocol : scheme ? "http" : "grpc";
  options.http = OneOf("--protocol", protocol, {"grpc", "http"}) == 1;
  if (scheme && !options.http) Refuse("--server: http:// does not go with --protocol grpc");
  options.format = static_cast<Format>(OneOf("--format", raw.format, {"table", "json", "plain"}));
  options.timeout = ParseDuration("--timeout", raw.timeout);
  constexpr v1::Consistency kConsistencies[] = {v1::LINEARIZABLE, v1::STALE, v1::ANY_REPLICA};
  options.consistency = kConsistencies[OneOf("--consistency", raw.consistency,
                                             {"linearizable", "stale", "follower"})];
  options.verbose = raw.verbose;
  options.credentials = ReadCredentials(raw);
  if (secure && options.credentials.authorities.empty()) {
    Refuse("--server: https:// needs --tls-ca: the certificate of who signs the servers'");
  }
  return options;
}

int Finish(Exit exit, Shell& shell) {
  shell.out().flush();
  if (!shell.out()) exit = shell.Fail(Exit::kFile, "the output cannot be written");
  return static_cast<int>(exit);
}

}  // namespace

CLI::App& AddCommand(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App* command = app.add_subcommand(name, help);
  command->fallthrough();
  return *command;
}

int RunCommandLine(int argc, const char* const* argv, std::istream& in, std::ostream& out,
                   std::ostream& err, const Opener& opener) {
  RawOptions raw;
  Action action;
  CLI::App app(kAbout, "lockstep");
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", VersionLine("lockstep"));
  AddGlobalOptions(app, raw);
  for (const auto add : {AddDataCommands, AddBatchCommand, AddTransferCommands, AddClusterCommands,
                         AddNodeCommands, AddStatusCommands, AddBenchCommand, AddPlaygroundCommand,
                         AddCertsCommands, AddAccessCommands, AddCompletionCommand}) {
    add(app, action);
  }
  GlobalOptions options;
  try {
    app.parse(argc, argv);
    if (!action) Refuse("say what to do: put, get, list, cluster status, ...");
    options = FillGlobalOptions(raw);
  } catch (const CLI::CallForHelp&) {
    out << app.help() << std::flush;
    return static_cast<int>(Exit::kOk);
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << "\n" << std::flush;
    return static_cast<int>(Exit::kOk);
  } catch (const CLI::ParseError& error) {
    err << "lockstep: " << error.what() << " (--help says more)\n";
    return static_cast<int>(Exit::kUsage);
  }
  Shell shell(options, in, out, err, opener);
  return Finish(action(shell), shell);
}

}  // namespace lockstep::bin
