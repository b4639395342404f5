// access token: a new token, and the line of the access file that makes it somebody.
#include <openssl/rand.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"
#include "net/access/access_policy.h"

namespace lockstep::bin {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  lockstep access token orders --role write --prefix orders/\n"
    "  lockstep access token prometheus --role read --no-keys\n"
    "\n"
    "The token is printed this once: the file that --access of lockstepd names holds a digest of\n"
    "it. Put the printed principal into that file's list; the token goes to whoever is to be\n"
    "it, in LOCKSTEP_TOKEN or in a file for --token-file.";

constexpr size_t kTokenBytes = 32;

struct TokenOptions {
  std::string name;
  std::string role = "read";
  std::vector<std::string> prefixes;
  bool no_keys = false;
};

std::string NewToken() {
  std::string bytes(kTokenBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), kTokenBytes) != 1) return "";
  return absl::WebSafeBase64Escape(bytes);
}

Exit RunToken(Shell& shell, const TokenOptions& options) {
  const std::string token = NewToken();
  if (token.empty()) return shell.Fail(Exit::kFile, "access: the machine gives no randomness");
  nlohmann::ordered_json principal = {
      {"name", options.name}, {"token_sha256", net::TokenDigest(token)}, {"role", options.role}};
  if (!options.prefixes.empty()) principal["prefixes"] = options.prefixes;
  if (options.no_keys) principal["prefixes"] = nlohmann::json::array();
  if (shell.json()) {
    shell.out() << Line({{"token", token}, {"principal", principal}}) << "\n";
  } else if (shell.plain()) {
    shell.out() << token << "\t" << Line(principal) << "\n";
  } else {
    shell.out() << "token:     " << token << "\nprincipal: " << Line(principal) << "\n";
  }
  return Exit::kOk;
}

}  // namespace

void AddAccessCommands(CLI::App& app, Action& action) {
  const auto options = std::make_shared<TokenOptions>();
  CLI::App& access = AddCommand(app, "access", "Say who may do what");
  access.require_subcommand(1);
  CLI::App& token = AddCommand(access, "token", "Make a token for somebody");
  token.add_option("NAME", options->name, "Who it is for, as the audit names it")->required();
  token.add_option("--role", options->role, "What it may do (default read)")
      ->option_text("none|read|write|admin");
  token
      .add_option("--prefix", options->prefixes,
                  "Only keys that begin with it; repeat it for several")
      ->option_text("PREFIX")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  token.add_flag("--no-keys", options->no_keys, "No keys at all: to watch the cluster");
  token.footer(kFooter);
  token.callback([&action, options] {
    OneOf("--role", options->role, {"none", "read", "write", "admin"});
    if (options->name.empty() || !IsUtf8(options->name)) Refuse("NAME: say who it is for");
    for (const std::string& prefix : options->prefixes) {
      if (prefix.empty() || !IsUtf8(prefix)) Refuse("--prefix: a text that is not empty");
    }
    if (options->no_keys && !options->prefixes.empty()) {
      Refuse("--no-keys and --prefix: one of them");
    }
    action = [options](Shell& shell) { return RunToken(shell, *options); };
  });
}

}  // namespace lockstep::bin
