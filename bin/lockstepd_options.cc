#include "bin/lockstepd_options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/address.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_settings.h"
#include "bin/lockstepd_times.h"
#include "bin/toml.h"
#include "bin/version.h"
#include "core/raft/lease.h"

namespace lockstep::lockstepd {
namespace {

constexpr const char* kAbout =
    "A node of Lockstep, the sharded, replicated key-value store.\n"
    "With nothing but a data directory it is a working cluster of one.";

constexpr const char* kFooter =
    "Every setting is also a variable (LOCKSTEP_LISTEN_PEER for --listen-peer) and a key of the\n"
    "file given by --config (listen-peer = \"...\"). A flag comes before the variable, the "
    "variable\n"
    "before the file, the file before the default.\n"
    "\n"
    "Examples:\n"
    "  lockstepd /var/lib/lockstep              a cluster of one, on 127.0.0.1\n"
    "  lockstepd --data-dir n1 --node-id 1 --controller 1,2,3 --group 101=1,2,3 \\\n"
    "      --peers 1=10.0.0.1:7400,2=10.0.0.2:7400,3=10.0.0.3:7400 --listen-peer 10.0.0.1:7400\n"
    "                                           one of three; the same on the others with their "
    "id\n"
    "  lockstepd --data-dir n4 --node-id 4 --join 10.0.0.1:7400 --group 102=4\n"
    "                                           a node with a group of its own joins\n"
    "  lockstepd --generate-config lockstepd.toml\n"
    "  lockstepd --config lockstepd.toml --print-config\n"
    "  lockstepd verify n1                      read and judge the data of a node that does not "
    "run\n"
    "\n"
    "SIGTERM and SIGINT hand leaders over, answer what is under way and stop with 0.\n"
    "\n"
    "Exit codes: 0 stopped when asked to; 1 a setting is wrong; 2 the data directory is foreign,\n"
    "locked, unreadable, or of another cluster, node or version; 3 an address cannot be listened\n"
    "on; 4 the data is damaged (found while running: start again, and it is repaired from the "
    "other\n"
    "replicas; at the start: what the line says); 5 a write or sync failed while running; 6 the "
    "cluster refuses "
    "this\n"
    "node (another name, version or incarnation); 7 anything else.";

constexpr const char* kAboutVerify =
    "Reads all data of a node that does not run, and says what is not as it was written: the "
    "file,\n"
    "the byte, what is wrong and what that means. Repairs nothing and changes not a byte.\n"
    "\n"
    "\"torn\" is the unfinished end of a write, as a power failure leaves it; nobody was told "
    "that\n"
    "it was done, and it is no damage. \"note\" is for what does no harm.\n"
    "\n"
    "Exit codes: 0 sound; 1 a wrong option; 2 the directory is in use, foreign or unreadable;\n"
    "4 damaged.";

// What a setting was given, as text, and by whom.
struct Given {
  std::vector<std::string> values;
  std::string source;  // "--node-id", "LOCKSTEP_NODE_ID", "lockstepd.toml:3: node-id"
};

// CLI11 reads the file before the variables, and what is set first stays. Leaving out of the file
// what a variable sets makes it the other way round.
class ConfigBelowVariables : public CLI::Config {
 public:
  explicit ConfigBelowVariables(std::map<std::string, size_t>& lines) : lines_(lines) {}

  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return ""; }

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::ostringstream text;
    text << input.rdbuf();
    const absl::StatusOr<std::vector<toml::Entry>> entries = toml::Parse(text.str());
    if (!entries.ok()) throw CLI::ConfigError(std::string(entries.status().message()));
    std::vector<CLI::ConfigItem> found;
    for (const toml::Entry& entry : *entries) {
      const Setting* setting = Find(entry.key);
      if (setting == nullptr) {
        throw CLI::ConfigError(absl::StrCat(entry.line, ": \"", entry.key,
                                            "\" is no setting (--generate-config shows all)"));
      }
      const char* variable = std::getenv(VariableOf(*setting).c_str());
      if (variable != nullptr && *variable != '\0') continue;
      if (entry.values.empty()) continue;  // An empty list is the default of all lists.
      lines_[entry.key] = entry.line;
      CLI::ConfigItem item;
      item.name = entry.key;
      item.inputs = entry.values;
      found.push_back(std::move(item));
    }
    return found;
  }

 private:
  static const Setting* Find(const std::string& name) {
    for (const Setting& setting : Settings()) {
      if (setting.name == name) return &setting;
    }
    return nullptr;
  }

  std::map<std::string, size_t>& lines_;
};

struct Extras {
  std::string config;
  std::string directory;
  bool print_config = false;
  std::string generate_config;
};

std::string DefaultText(const Setting& setting) {
  const std::vector<std::string> values = setting.show(Options());
  return values.empty() ? "" : absl::StrCat(" (default ", values.back(), ")");
}

void AddSettings(CLI::App& app, std::map<std::string, Given>& given) {
  for (const Setting& setting : Settings()) {
    CLI::Option* option =
        app.add_option(absl::StrCat("--", setting.name), given[setting.name].values,
                       absl::StrCat(setting.help, DefaultText(setting)))
            ->envname(VariableOf(setting))
            ->option_text(setting.placeholder)
            ->group(setting.group);
    option->expected(setting.kind == Setting::Kind::kSwitch ? 0 : 1, 1)->allow_extra_args(false);
    option->multi_option_policy(setting.kind == Setting::Kind::kList
                                    ? CLI::MultiOptionPolicy::TakeAll
                                    : CLI::MultiOptionPolicy::TakeLast);
  }
}

void AddExtras(CLI::App& app, Extras& extras) {
  app.add_option("DIR", extras.directory, "The data directory, as --data-dir gives it");
  app.add_flag("--print-config", extras.print_config,
               "Print the settings in force as TOML, and where each comes from")
      ->configurable(false)
      ->group("Configuration");
  app.add_option("--generate-config", extras.generate_config,
                 "Write a file with every setting explained, or print it")
      ->option_text("[FILE]")
      ->expected(0, 1)
      ->configurable(false)
      ->group("Configuration");
}

std::string SourceOf(const Setting& setting, const CLI::App& app, const Extras& extras,
                     const std::map<std::string, size_t>& lines,
                     const std::vector<std::string>& arguments) {
  const std::string flag = absl::StrCat("--", setting.name);
  for (const std::string& argument : arguments) {
    if (argument == flag || absl::StartsWith(argument, flag + "=")) return flag;
  }
  if (app.get_option(flag)->empty()) return "default";
  const auto line = lines.find(setting.name);
  if (line == lines.end()) return VariableOf(setting);
  return absl::StrCat(extras.config, ":", line->second, ": ", setting.name);
}

// One text may hold several items of a list.
std::vector<std::string> Items(const Setting& setting, const std::vector<std::string>& values) {
  if (setting.kind != Setting::Kind::kList) return values;
  std::vector<std::string> items;
  for (const std::string& value : values) {
    for (absl::string_view item : absl::StrSplit(value, absl::ByAnyChar(setting.separators))) {
      item = absl::StripAsciiWhitespace(item);
      if (!item.empty()) items.emplace_back(item);
    }
  }
  return items;
}

absl::Status Usage(const std::string& what) { return ExitWith(ExitCode::kUsage, what); }

absl::Status ReadAll(const std::map<std::string, Given>& given, Options& options) {
  for (const Setting& setting : Settings()) {
    const Given& text = given.at(setting.name);
    std::vector<std::string> items = Items(setting, text.values);
    const bool bare = !items.empty() && items.back().empty() && text.source.front() == '-';
    if (setting.kind == Setting::Kind::kSwitch && bare) items.back() = "on";
    if (items.empty()) continue;
    const absl::Status status = setting.read(items, options);
    if (!status.ok()) return Usage(absl::StrCat(text.source, ": ", status.message()));
  }
  return absl::OkStatus();
}

using Listens = std::array<std::pair<const char*, const std::string*>, 3>;

Listens ListensOf(const Options& options) {
  return {{{"listen-peer", &options.listen_peer},
           {"listen-grpc", &options.listen_grpc},
           {"listen-http", &options.listen_http}}};
}

absl::Status CheckSecurity(const Options& options, const Listens& listens) {
  const bool some = !(options.tls_cert + options.tls_key + options.tls_ca).empty();
  const std::pair<const char*, const std::string*> files[] = {
      {"tls-cert", &options.tls_cert}, {"tls-key", &options.tls_key}, {"tls-ca", &options.tls_ca}};
  for (const auto& [name, file] : files) {
    if (!some || !file->empty()) continue;
    return Usage(absl::StrCat(name,
                              ": is missing: TLS needs tls-cert, tls-key and tls-ca "
                              "(lockstep certs create makes them)"));
  }
  if (some || options.insecure == "on") return absl::OkStatus();
  for (const auto& [name, text] : listens) {
    const absl::StatusOr<Address> address = ParseAddress(*text, 0);
    if (!address.ok() || IsLoopback(*address)) continue;
    return Usage(absl::StrCat(name, ": ", *text,
                              " can be reached by other machines, and without TLS anybody there "
                              "reads and writes all data: give --tls-cert, --tls-key and --tls-ca "
                              "(lockstep certs create makes them), or say --insecure"));
  }
  return absl::OkStatus();
}

// What two settings say about each other.
absl::Status CheckTogether(const Options& options) {
  if (options.election_timeout_ms < 2 * options.heartbeat_ms) {
    return Usage(absl::StrCat("election-timeout-ms: ", options.election_timeout_ms,
                              " is below twice heartbeat-ms (", options.heartbeat_ms,
                              "): one lost heartbeat must not depose a leader"));
  }
  constexpr uint64_t kLeastSpace = uint64_t{128} << 20;
  if (options.space_soft_limit != 0 && options.space_soft_limit < kLeastSpace) {
    return Usage(absl::StrCat("space-soft-limit: ", options.space_soft_limit, " is below ",
                              kLeastSpace,
                              ", which compactions and what is under way may need at once: give "
                              "that much, or 0 to turn it off"));
  }
  if (absl::Status status = raft::ValidateLease(RaftTimesOf(options)); !status.ok()) {
    return Usage(absl::StrCat("clock-drift-max: ", status.message()));
  }
  const Listens listens = ListensOf(options);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (*listens[i].second == *listens[j].second && !absl::EndsWith(*listens[i].second, ":0")) {
        return Usage(absl::StrCat(listens[i].first, ": ", *listens[i].second, " is also ",
                                  listens[j].first, ": each needs a port of its own"));
      }
    }
  }
  if (absl::Status status = CheckSecurity(options, listens); !status.ok()) return status;
  if (options.data_dir.empty()) {
    return Usage("data-dir: say where the data lives: lockstepd DIR (--help says more)");
  }
  return absl::OkStatus();
}

std::string NoteSource(const Setting& setting, const void* context) {
  return static_cast<const std::map<std::string, Given>*>(context)->at(setting.name).source;
}

absl::StatusOr<Invocation> Assemble(std::map<std::string, Given>& given, const Extras& extras) {
  Invocation invocation;
  if (!extras.directory.empty()) {
    Given& directory = given["data-dir"];
    if (directory.source == "--data-dir") {
      return Usage(absl::StrCat("--data-dir: ", directory.values.back(), " is given, and DIR (",
                                extras.directory, ") too: one of them"));
    }
    directory = {.values = {extras.directory}, .source = "DIR"};
  }
  absl::Status status = ReadAll(given, invocation.options);
  if (status.ok() && !extras.print_config) status = CheckTogether(invocation.options);
  if (!status.ok()) return status;
  if (extras.print_config) {
    invocation.action = Invocation::Action::kPrint;
    invocation.text = ConfigToml(invocation.options, NoteSource, &given);
  }
  return invocation;
}

Invocation Printing(std::string text, std::string file = "") {
  Invocation invocation;
  invocation.action = Invocation::Action::kPrint;
  invocation.text = std::move(text);
  invocation.file = std::move(file);
  return invocation;
}

// A word of its own: a data directory that is named so can be given as ./verify.
absl::StatusOr<Invocation> ParseVerify(int argc, const char* const* argv) {
  CLI::App app(kAboutVerify, "lockstepd verify");
  app.get_formatter()->column_width(34);
  Invocation invocation;
  invocation.action = Invocation::Action::kVerify;
  std::string format = "text";
  app.add_option("DIR", invocation.verify.directory, "The data directory")->required();
  app.add_option("-f,--format", format, "text or json (default text)")->option_text("FORMAT");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Printing(app.help());
  } catch (const CLI::ParseError& error) {
    return Usage(absl::StrCat("verify: ", error.what(), " (lockstepd verify --help says more)"));
  }
  if (format != "text" && format != "json") {
    return Usage(absl::StrCat("--format: \"", format, "\" is none of text, json"));
  }
  if (format == "json") invocation.verify.format = VerifyRequest::Format::kJson;
  return invocation;
}

}  // namespace

absl::StatusOr<Invocation> ParseOptions(int argc, const char* const* argv) {
  if (argc > 1 && absl::string_view(argv[1]) == "verify") return ParseVerify(argc - 1, argv + 1);
  std::map<std::string, Given> given;
  std::map<std::string, size_t> lines;
  Extras extras;
  CLI::App app(kAbout, "lockstepd");
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  AddSettings(app, given);
  AddExtras(app, extras);
  app.set_version_flag("--version", VersionLine("lockstepd"));
  // CLI11 reads the file before the variables, so a variable for the file itself comes too late.
  const char* file = std::getenv("LOCKSTEP_CONFIG");
  const bool named = file != nullptr && *file != '\0';
  app.set_config("--config", named ? file : "", "A TOML file with settings", /*required=*/named)
      ->option_text("FILE (LOCKSTEP_CONFIG)")
      ->group("Configuration");
  app.config_formatter(std::make_shared<ConfigBelowVariables>(lines));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Printing(app.help());
  } catch (const CLI::CallForVersion& version) {
    return Printing(absl::StrCat(version.what(), "\n"));
  } catch (const CLI::ConfigError& error) {
    return Usage(absl::StrCat(app["--config"]->as<std::string>(), ":", error.what()));
  } catch (const CLI::ParseError& error) {
    return Usage(absl::StrCat(error.what(), " (--help says more)"));
  }
  if (app.count("--generate-config") > 0) {
    return Printing(ConfigTemplate(), extras.generate_config);
  }
  extras.config = app["--config"]->as<std::string>();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  for (const Setting& setting : Settings()) {
    given[setting.name].source = SourceOf(setting, app, extras, lines, arguments);
  }
  return Assemble(given, extras);
}

absl::Status Print(const Invocation& invocation) {
  std::FILE* out = stdout;
  if (!invocation.file.empty()) out = std::fopen(invocation.file.c_str(), "wxe");
  if (out == nullptr) {
    return Usage(absl::StrCat(invocation.file, ": cannot be written: ", std::strerror(errno)));
  }
  bool written = std::fputs(invocation.text.c_str(), out) >= 0 && std::fflush(out) == 0;
  if (out != stdout) written = std::fclose(out) == 0 && written;
  if (!written) return ExitWith(ExitCode::kInternal, "the output could not be written");
  return absl::OkStatus();
}

}  // namespace lockstep::lockstepd
