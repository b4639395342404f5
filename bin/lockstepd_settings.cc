#include "bin/lockstepd_settings.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "bin/lockstepd_setting_values.h"
#include "bin/toml.h"

namespace lockstep::lockstepd {
namespace {

using Kind = Setting::Kind;

constexpr const char* kIdentity = "This node";
constexpr const char* kAddresses = "Addresses";
constexpr const char* kCluster = "The cluster";
constexpr const char* kTimes = "Times and limits";
constexpr const char* kSecurity = "Security";
constexpr const char* kLogging = "Log";

template <std::string Options::* member, uint16_t port_min>
absl::Status ReadAddress(const Values& values, Options& options) {
  return CheckAddress(values.back(), port_min, options.*member);
}

template <uint64_t Options::* member, uint64_t low, uint64_t high>
absl::Status ReadUint(const Values& values, Options& options) {
  return ReadNumber(values.back(), low, high, options.*member);
}

// --- Printers -----------------------------------------------------------------------------------

template <std::string Options::* member>
Values ShowText(const Options& options) {
  if ((options.*member).empty()) return {};
  return {options.*member};
}
template <uint64_t Options::* member>
Values ShowUint(const Options& options) {
  return {absl::StrCat(options.*member)};
}
template <std::vector<std::string> Options::* member>
Values ShowTexts(const Options& options) {
  return options.*member;
}
template <class Map>
Values ShowPairs(const Map& map) {
  Values values;
  for (const auto& [key, value] : map) values.push_back(absl::StrCat(key, "=", value));
  return values;
}

Values ShowController(const Options& options) {
  Values values;
  for (uint64_t node : options.controller) values.push_back(absl::StrCat(node));
  return values;
}
Values ShowGroups(const Options& options) {
  Values values;
  for (const GroupSpec& group : options.groups) {
    values.push_back(absl::StrCat(group.gid, "=", absl::StrJoin(group.members, ",")));
  }
  return values;
}

// --- The table ----------------------------------------------------------------------------------

template <std::string Options::* member>
Setting Listen(const char* name, const char* help) {
  return {name,
          "HOST:PORT",
          kAddresses,
          help,
          "",
          Kind::kText,
          "",
          ReadAddress<member, 0>,
          ShowText<member>};
}
template <std::string Options::* member>
Setting Advertise(const char* name, const char* help, const char* example) {
  return {name,
          "HOST:PORT",
          kAddresses,
          help,
          example,
          Kind::kText,
          "",
          ReadAddress<member, 1>,
          ShowText<member>};
}
template <uint64_t Options::* member, uint64_t low, uint64_t high>
Setting Amount(const char* name, const char* placeholder, const char* help) {
  return {name,
          placeholder,
          kTimes,
          help,
          "",
          Kind::kNumber,
          "",
          ReadUint<member, low, high>,
          ShowUint<member>};
}

std::vector<Setting> IdentitySettings() {
  return {
      {"data-dir", "DIR", kIdentity, "Where everything is kept; made when it is missing",
       "/var/lib/lockstep", Kind::kText, "", ReadDataDirectory, ShowText<&Options::data_dir>},
      {"node-id", "ID", kIdentity,
       "This node's number in the cluster, for ever (default: what the data directory says)", "1",
       Kind::kNumber, "", ReadNodeId,
       [](const Options& options) {
         return options.node_id.has_value() ? Values{absl::StrCat(*options.node_id)} : Values{};
       }},
      {"cluster", "NAME", kIdentity, "The cluster's name; nodes of another one are refused", "",
       Kind::kText, "", ReadName, ShowText<&Options::cluster>},
      Listen<&Options::listen_peer>("listen-peer", "Where other nodes connect; port 0: a free one"),
      Listen<&Options::listen_grpc>("listen-grpc", "Where gRPC clients connect"),
      Listen<&Options::listen_http>("listen-http",
                                    "Where HTTP clients, browsers and probes connect"),
      Advertise<&Options::advertise_peer>(
          "advertise-peer",
          "What others are told to connect to (default: what is listened on, or the host's name "
          "when that is every interface)",
          "node1.example:7400"),
      Advertise<&Options::advertise_grpc>("advertise-grpc", "The same for gRPC",
                                          "node1.example:7401"),
      Advertise<&Options::advertise_http>("advertise-http", "The same for HTTP",
                                          "node1.example:7402"),
  };
}

std::vector<Setting> ClusterSettings() {
  return {
      {"peers", "ID=HOST:PORT,...", kCluster,
       "Peer addresses of the nodes; one list may serve all of them", "2=node2.example:7400",
       Kind::kList, ",", ReadPeers,
       [](const Options& options) { return ShowPairs(options.peers); }},
      {"join", "HOST:PORT,...", kCluster,
       "Peer addresses of any nodes of a running cluster, to learn the others from",
       "node1.example:7400", Kind::kList, ",", ReadJoin, ShowTexts<&Options::join>},
      {"controller", "ID,...", kCluster, "The nodes that decide which group serves which shard",
       "1", Kind::kList, ",", ReadController, ShowController},
      {"group", "GID=ID,...", kCluster, "A group and the nodes that hold its replicas; repeat it",
       "101=1,2,3", Kind::kList, "; ", ReadGroups, ShowGroups},
      {"shards", "N", kCluster, "Shards of the cluster: the same everywhere, for ever", "",
       Kind::kNumber, "", ReadShards,
       [](const Options& options) { return Values{absl::StrCat(options.shards)}; }},
  };
}

std::vector<Setting> TimeSettings() {
  return {
      Amount<&Options::heartbeat_ms, 5, 60'000>("heartbeat-ms", "MS",
                                                "How often a leader says that it is there"),
      Amount<&Options::election_timeout_ms, 20, 600'000>(
          "election-timeout-ms", "MS",
          "Silence after which a leader is replaced: drawn from this to twice as much"),
      {"lease-reads", "on|off", kTimes,
       "Reads without asking the other replicas, under a lease: trusts the clocks of all nodes", "",
       Kind::kText, "", ReadLeaseReads, ShowText<&Options::lease_reads>},
      Amount<&Options::clock_drift_max, 0, 999>(
          "clock-drift-max", "THOUSANDTHS",
          "By how much the clock of a node may be fast or slow, for leases: the same everywhere"),
      Amount<&Options::request_timeout_ms, 1, 3'600'000>(
          "request-timeout-ms", "MS", "How long a call may take that names no deadline"),
      Amount<&Options::shutdown_timeout_ms, 0, 600'000>(
          "shutdown-timeout-ms", "MS",
          "How long SIGTERM waits for leaders to be handed over and calls to be answered"),
      Amount<&Options::space_soft_limit, 0, uint64_t{1} << 50>(
          "space-soft-limit", "BYTES",
          "Free bytes of the data directory's disk below which clients' data are refused "
          "(NO_SPACE; deletes and reads go on; below a quarter of it nothing is taken); 0: never"),
      Amount<&Options::bulk_rate_max, 0, uint64_t{1} << 40>(
          "bulk-rate-max", "BYTES",
          "How many bytes a second of snapshots it sends and of shards it fetches, together; 0: "
          "without limit"),
      Amount<&Options::leader_spread_ms, 0, 3'600'000>(
          "leader-spread-ms", "MS",
          "How often a node that leads several groups lets another one have a leader; 0: never"),
      Amount<&Options::http_body_bytes_max, 1024, uint64_t{1} << 30>(
          "http-body-bytes-max", "BYTES", "The largest body of an HTTP request"),
      Amount<&Options::connections_per_address_max, 1, 1'000'000>(
          "connections-per-address-max", "N",
          "Connections that one address may have at the gRPC port, and at the HTTP port; more are "
          "closed"),
      {"http-cors-origins", "ORIGIN,...", kTimes,
       "Origins whose pages may call the HTTP API; none: no CORS headers", "https://app.example",
       Kind::kList, ",", ReadOrigins, ShowTexts<&Options::http_cors_origins>},
  };
}

template <std::string Options::* member>
absl::Status ReadFileName(const Values& values, Options& options) {
  if (values.back().empty()) return absl::InvalidArgumentError("\"\" is no file");
  options.*member = values.back();
  return absl::OkStatus();
}

template <std::string Options::* member>
Setting File(const char* name, const char* help, const char* example) {
  return {name,
          "FILE",
          kSecurity,
          help,
          example,
          Kind::kText,
          "",
          ReadFileName<member>,
          ShowText<member>};
}

std::vector<Setting> SecuritySettings() {
  return {
      File<&Options::tls_cert>("tls-cert",
                               "This node's certificate (PEM), which names it as "
                               "lockstep://node/ID; with it all ports speak TLS",
                               "/etc/lockstep/node.crt"),
      File<&Options::tls_key>("tls-key", "The certificate's private key (PEM, no password)",
                              "/etc/lockstep/node.key"),
      File<&Options::tls_ca>("tls-ca",
                             "Certificates (PEM) of the authorities that sign those of nodes and "
                             "clients",
                             "/etc/lockstep/ca.crt"),
      {"tls-client-auth", "required|optional|none", kSecurity,
       "Whether clients show certificates of their own, with TLS; nodes always do", "", Kind::kText,
       "", ReadClientAuth, ShowText<&Options::tls_client_auth>},
      File<&Options::access>("access",
                             "Who may do what (JSON): tokens and certificates, their roles and "
                             "keys; without it whoever connects may do everything",
                             "/etc/lockstep/access.json"),
      {"insecure", "on|off", kSecurity,
       "Plain text also on addresses that other machines can reach", "", Kind::kSwitch, "",
       ReadInsecure, ShowText<&Options::insecure>},
  };
}

std::vector<Setting> LogSettings() {
  return {
      {"log-level", "LEVEL", kLogging, "trace, debug, info, warn, error or off", "", Kind::kText,
       "", ReadLogLevel, ShowText<&Options::log_level>},
      {"log-levels", "PART=LEVEL,...", kLogging,
       "Levels of single parts: node, peer, grpc, http, storage, audit", "peer=debug", Kind::kList,
       ",", ReadLogLevels, [](const Options& options) { return ShowPairs(options.log_levels); }},
      {"slow-request-ms", "MS", kLogging,
       "Requests that take longer are logged, with where their time went; 0: none", "",
       Kind::kNumber, "", ReadUint<&Options::slow_request_ms, 0, 3'600'000>,
       ShowUint<&Options::slow_request_ms>},
      {"log-format", "text|json", kLogging, "Lines for people or for machines, on stderr", "",
       Kind::kText, "", ReadLogFormat, ShowText<&Options::log_format>},
  };
}

std::string TomlValue(const Setting& setting, const Values& values) {
  if (setting.kind == Kind::kNumber) return values.back();
  if (setting.kind == Kind::kText || setting.kind == Kind::kSwitch)
    return toml::Quote(values.back());
  return absl::StrCat("[",
                      absl::StrJoin(values, ", ",
                                    [](std::string* out, const std::string& value) {
                                      absl::StrAppend(out, toml::Quote(value));
                                    }),
                      "]");
}

}  // namespace

absl::Span<const Setting> Settings() {
  static const std::vector<Setting> settings = [] {
    std::vector<Setting> all;
    for (const std::vector<Setting>& part : {IdentitySettings(), ClusterSettings(), TimeSettings(),
                                             SecuritySettings(), LogSettings()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return settings;
}

std::string VariableOf(const Setting& setting) {
  return absl::StrCat("LOCKSTEP_",
                      absl::AsciiStrToUpper(absl::StrReplaceAll(setting.name, {{"-", "_"}})));
}

std::string ConfigToml(const Options& options, std::string (*note)(const Setting&, const void*),
                       const void* context) {
  std::string text;
  for (const Setting& setting : Settings()) {
    const Values values = setting.show(options);
    if (values.empty() && setting.kind != Kind::kList) continue;
    absl::StrAppend(&text, setting.name, " = ", TomlValue(setting, values), "  # ",
                    note(setting, context), "\n");
  }
  return text;
}

std::string ConfigTemplate() {
  std::string text =
      "# Settings of lockstepd. A flag comes before a variable (LOCKSTEP_LISTEN_PEER for\n"
      "# listen-peer), a variable before this file, this file before the default.\n"
      "# What is commented out is the default, or an example where the default is nothing.\n";
  const Options defaults;
  std::string group;
  for (const Setting& setting : Settings()) {
    if (group != setting.group) {
      group = setting.group;
      absl::StrAppend(&text, "\n# --- ", group, "\n");
    }
    Values values = setting.show(defaults);
    if (values.empty()) values.emplace_back(setting.example);
    absl::StrAppend(&text, "\n# ", setting.help, ".\n#", setting.name, " = ",
                    TomlValue(setting, values), "\n");
  }
  return text;
}

}  // namespace lockstep::lockstepd
