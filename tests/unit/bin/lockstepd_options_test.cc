#include "bin/lockstepd_options.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_settings.h"
#include "tests/unit/bin/support.h"

namespace lockstep::lockstepd {
namespace {

absl::StatusOr<Invocation> Parse(const std::vector<std::string>& arguments) {
  const Arguments argv("lockstepd", arguments);
  return ParseOptions(argv.count(), argv.values());
}

Options Accept(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Invocation> invocation = Parse(arguments);
  EXPECT_TRUE(invocation.ok()) << invocation.status();
  if (!invocation.ok()) return Options();
  EXPECT_EQ(invocation->action, Invocation::Action::kRun);
  return invocation->options;
}

TEST(LockstepdOptionsTest, ADirectoryIsEnough) {
  EXPECT_EQ(Accept({"here"}).data_dir, "here");
  EXPECT_EQ(Accept({"--data-dir", "here"}).data_dir, "here");
  EXPECT_EQ(Accept({"--data-dir=here"}).listen_peer, "127.0.0.1:7400");
}

TEST(LockstepdOptionsTest, ReadsEverySetting) {
  const Options options = Accept({"--data-dir",
                                  "d",
                                  "--node-id",
                                  "2",
                                  "--cluster",
                                  "shop",
                                  "--listen-peer",
                                  "[::1]:0",
                                  "--listen-grpc",
                                  "0.0.0.0:1",
                                  "--listen-http",
                                  "*:2",
                                  "--advertise-peer",
                                  "n2:3",
                                  "--advertise-grpc",
                                  "n2:4",
                                  "--advertise-http",
                                  "n2:5",
                                  "--peers",
                                  "1=n1:7400,3=n3:7400",
                                  "--join",
                                  "n1:7400,n3:7400",
                                  "--controller",
                                  "3,1,2",
                                  "--group",
                                  "102=2,3",
                                  "--group",
                                  "101=1,2",
                                  "--shards",
                                  "10",
                                  "--heartbeat-ms",
                                  "50",
                                  "--election-timeout-ms",
                                  "500",
                                  "--lease-reads",
                                  "on",
                                  "--clock-drift-max",
                                  "25",
                                  "--request-timeout-ms",
                                  "700",
                                  "--shutdown-timeout-ms",
                                  "0",
                                  "--space-soft-limit",
                                  "200000000",
                                  "--bulk-rate-max",
                                  "1000",
                                  "--leader-spread-ms",
                                  "0",
                                  "--http-body-bytes-max",
                                  "1048576",
                                  "--connections-per-address-max",
                                  "64",
                                  "--http-cors-origins",
                                  "https://a.example",
                                  "--http-cors-origins",
                                  "http://b.example:8080",
                                  "--tls-cert",
                                  "n.crt",
                                  "--tls-key",
                                  "n.key",
                                  "--tls-ca",
                                  "ca.crt",
                                  "--tls-client-auth",
                                  "optional",
                                  "--access",
                                  "a.json",
                                  "--insecure",
                                  "--log-level",
                                  "warn",
                                  "--log-levels",
                                  "peer=debug,http=off",
                                  "--log-format",
                                  "json"});
  EXPECT_EQ(options.node_id, 2u);
  EXPECT_EQ(options.cluster, "shop");
  EXPECT_EQ(options.listen_peer, "[::1]:0");
  EXPECT_EQ(options.advertise_http, "n2:5");
  EXPECT_EQ(options.peers, (std::map<uint64_t, std::string>{{1, "n1:7400"}, {3, "n3:7400"}}));
  EXPECT_EQ(options.join, (std::vector<std::string>{"n1:7400", "n3:7400"}));
  EXPECT_EQ(options.controller, (std::vector<uint64_t>{1, 2, 3}));
  ASSERT_EQ(options.groups.size(), 2u);
  EXPECT_EQ(options.groups[0], (GroupSpec{101, {1, 2}}));
  EXPECT_EQ(options.groups[1], (GroupSpec{102, {2, 3}}));
  EXPECT_EQ(options.shards, 10u);
  EXPECT_EQ(options.heartbeat_ms, 50u);
  EXPECT_EQ(options.election_timeout_ms, 500u);
  EXPECT_EQ(options.lease_reads, "on");
  EXPECT_EQ(options.clock_drift_max, 25u);
  EXPECT_EQ(options.request_timeout_ms, 700u);
  EXPECT_EQ(options.shutdown_timeout_ms, 0u);
  EXPECT_EQ(options.space_soft_limit, 200000000u);
  EXPECT_EQ(options.bulk_rate_max, 1000u);
  EXPECT_EQ(options.leader_spread_ms, 0u);
  EXPECT_EQ(options.http_body_bytes_max, 1048576u);
  EXPECT_EQ(options.connections_per_address_max, 64u);
  EXPECT_EQ(options.http_cors_origins,
            (std::vector<std::string>{"https://a.example", "http://b.example:8080"}));
  EXPECT_EQ(options.tls_cert, "n.crt");
  EXPECT_EQ(options.tls_key, "n.key");
  EXPECT_EQ(options.tls_ca, "ca.crt");
  EXPECT_EQ(options.tls_client_auth, "optional");
  EXPECT_EQ(options.access, "a.json");
  EXPECT_EQ(options.insecure, "on");
  EXPECT_EQ(options.log_level, "warn");
  EXPECT_EQ(options.log_levels,
            (std::map<std::string, std::string>{{"http", "off"}, {"peer", "debug"}}));
  EXPECT_EQ(options.log_format, "json");
}

TEST(LockstepdOptionsTest, FlagBeforeVariableBeforeFileBeforeDefault) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("c.toml",
                                           "heartbeat-ms = 30\n"
                                           "request-timeout-ms = 31  # a comment\n"
                                           "cluster = 'file'\n"
                                           "group = [\n  \"101=1,2,3\",\n  \"102=1\"\n]\n");
  const ScopedVariable heartbeat("LOCKSTEP_HEARTBEAT_MS", "20");
  const ScopedVariable cluster("LOCKSTEP_CLUSTER", "variable");
  const ScopedVariable groups("LOCKSTEP_GROUP", "7=1;8=1,2");
  const std::vector<std::string> arguments = {"d", "--config", file};
  Options options = Accept(arguments);
  EXPECT_EQ(options.heartbeat_ms, 20u);
  EXPECT_EQ(options.request_timeout_ms, 31u);
  EXPECT_EQ(options.cluster, "variable");
  EXPECT_EQ(options.election_timeout_ms, 1000u);
  ASSERT_EQ(options.groups.size(), 2u);
  EXPECT_EQ(options.groups[1], (GroupSpec{8, {1, 2}}));

  options = Accept({"d", "--config", file, "--heartbeat-ms", "10", "--group", "9=1"});
  EXPECT_EQ(options.heartbeat_ms, 10u);
  ASSERT_EQ(options.groups.size(), 1u);
  EXPECT_EQ(options.groups[0].gid, 9u);
}

TEST(LockstepdOptionsTest, TheFileMayBeNamedByAVariable) {
  const TemporaryDirectory directory;
  const ScopedVariable config("LOCKSTEP_CONFIG",
                              directory.Write("c.toml", "data-dir = \"/a#b\"\n"));
  EXPECT_EQ(Accept({}).data_dir, "/a#b");
  const ScopedVariable missing("LOCKSTEP_CONFIG", "/no/such.toml");
  EXPECT_TRUE(absl::StrContains(Parse({}).status().message(), "/no/such.toml"));
}

TEST(LockstepdOptionsTest, RefusesWithTheSettingItsValueAndWhatIsAllowed) {
  struct Row {
    std::vector<std::string> arguments;
    std::string want;
  };
  const Row rows[] = {
      {{}, "data-dir: say where the data lives"},
      {{"d", "--heartbeat-ms", "1"}, "--heartbeat-ms: \"1\" is out of range: 5 to 60000"},
      {{"d", "--heartbeat-ms=x"}, "--heartbeat-ms: \"x\" is not a number: 5 to 60000"},
      {{"d", "--node-id", "0"}, "--node-id: \"0\" is out of range: 1 to 9007199254740991"},
      {{"d", "--node-id", "99999999999999999999"}, "--node-id: \"99999999999999999999\" is not"},
      {{"d", "--cluster", "a b"}, "--cluster: \"a b\" is no name"},
      {{"d", "--listen-grpc", "7401"}, "--listen-grpc: \"7401\" is no address: write HOST:PORT"},
      {{"d", "--listen-grpc", "h:70000"}, "--listen-grpc: \"h:70000\" has no port"},
      {{"d", "--listen-grpc", "::1:7"}, "write an IPv6 number in brackets"},
      {{"d", "--advertise-peer", "h:0"}, "--advertise-peer: \"h:0\" has no port: HOST:PORT with"},
      {{"d", "--advertise-peer", "0.0.0.0:1"}, "cannot be connected to"},
      {{"d", "--listen-grpc", "h:1", "--listen-http", "h:1"}, "is also listen-grpc"},
      {{"d", "--peers", "1:h:1"}, "--peers: \"1:h:1\" is no peer: write NODE=HOST:PORT"},
      {{"d", "--peers", "1=h:1,1=g:1"}, "names node 1 a second time"},
      {{"d", "--controller", "1,2,2"}, "--controller: \"2\" is there twice"},
      {{"d", "--group", "0=1"}, "--group: \"0=1\" is no group"},
      {{"d", "--group", "101"}, "--group: \"101\" is no group: write GID=NODE,NODE"},
      {{"d", "--group", "101=1,x"}, "--group: \"101=1,x\" is no group: \"x\" is not a number"},
      {{"d", "--group", "101=1", "--group", "101=2"}, "--group: \"101\" is there twice"},
      {{"d", "--join", "h"}, "--join: \"h\" is no address"},
      {{"d", "--shards", "0"}, "--shards: \"0\" is out of range: 1 to 16384"},
      {{"d", "--election-timeout-ms", "100"}, "election-timeout-ms: 100 is below twice heartbeat"},
      {{"d", "--space-soft-limit", "33554432"}, "space-soft-limit: 33554432 is below 134217728"},
      {{"d", "--lease-reads", "yes"}, "--lease-reads: "},
      {{"d", "--clock-drift-max", "1000"}, "--clock-drift-max: \"1000\" is out of range: 0 to 999"},
      {{"d", "--lease-reads", "on", "--election-timeout-ms", "200", "--clock-drift-max", "400"},
       "clock-drift-max: with clocks that drift by up to 400 thousandths a lease lasts 85 ms, no "
       "longer than the time between heartbeats, 100 ms"},
      {{"d", "--listen-http", "0.0.0.0:7402"}, "listen-http: 0.0.0.0:7402 can be reached by other"},
      {{"d", "--listen-peer", "node1:7400"}, "listen-peer: node1:7400 can be reached by other"},
      {{"d", "--listen-grpc", "10.0.0.1:7401", "--insecure=off"}, "or say --insecure"},
      {{"d", "--insecure=maybe"}, "--insecure: \"maybe\" is none of on, off"},
      {{"d", "--tls-cert", "a"}, "tls-key: is missing"},
      {{"d", "--tls-cert", "a", "--tls-key", "b"}, "tls-ca: is missing"},
      {{"d", "--tls-client-auth", "yes"}, "--tls-client-auth: \"yes\" is none of required"},
      {{"d", "--http-cors-origins", "a.example"}, "is no origin"},
      {{"d", "--log-level", "loud"}, "--log-level: \"loud\" is none of trace, debug, info"},
      {{"d", "--log-levels", "disk=info"}, "--log-levels: \"disk=info\" is no PART=LEVEL"},
      {{"d", "--log-format", "xml"}, "--log-format: \"xml\" is none of text, json"},
      {{"d", "--data-dir", "e"}, "--data-dir: e is given, and DIR (d) too"},
      {{"d", "--nodeid", "1"}, "--nodeid"},
      {{"d", "--node-id"}, "--node-id"},
      {{"d", "--config", "/no/such.toml"}, "/no/such.toml"},
  };
  for (const Row& row : rows) {
    const absl::Status status = Parse(row.arguments).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << row.want;
    EXPECT_TRUE(absl::StrContains(status.message(), row.want)) << status << "\n  " << row.want;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  }
}

TEST(LockstepdOptionsTest, AnErrorNamesTheVariableOrTheLineOfTheFile) {
  const TemporaryDirectory directory;
  const auto message = [&](const std::string& text) {
    const std::string file = directory.Write("c.toml", text);
    return std::string(Parse({"d", "--config", file}).status().message());
  };
  const std::string file = directory.path("c.toml");
  EXPECT_EQ(message("\n# x\nshards = 0\n"),
            absl::StrCat(file, ":3: shards: \"0\" is out of range: 1 to 16384"));
  EXPECT_EQ(message("shard = 1\n"),
            absl::StrCat(file, ":1: \"shard\" is no setting (--generate-config shows all)"));
  EXPECT_EQ(message("shards = 1\nshards = 2\n"), absl::StrCat(file, ":2: shards is there twice"));
  EXPECT_EQ(message("[node]\n"),
            absl::StrCat(file, ":1: tables ([name]) are not used here: write key = value"));
  EXPECT_EQ(message("cluster = \"a\\nb\x1B\"\n"),
            absl::StrCat(file,
                         ":1: cluster: \"a\\nb\\x1b\" is no name: 1 to 64 letters, digits, "
                         "'.', '_' and '-'"))
      << "one line, whatever stands there";
  EXPECT_LT(message("join = \"" + std::string(100'000, 'h') + "\"\n").size(), 1000u);
  EXPECT_LT(message(std::string(100'000, 'k') + " = 1\n").size(), 1000u);
  const ScopedVariable shards("LOCKSTEP_SHARDS", "many");
  EXPECT_EQ(message("shards = 1\n"), "LOCKSTEP_SHARDS: \"many\" is not a number: 1 to 16384");
}

TEST(LockstepdOptionsTest, WhatIsPrintedReadsBackTheSame) {
  const TemporaryDirectory directory;
  const std::vector<std::string> arguments = {
      "--data-dir",   "a \"b\"\\#", "--group",   "101=1,2,3", "--group", "102=1",
      "--controller", "1,2,3",      "--node-id", "1",         "--peers", "2=h:1,3=h:2"};
  std::vector<std::string> printing = arguments;
  printing.emplace_back("--print-config");
  const absl::StatusOr<Invocation> first = Parse(printing);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->action, Invocation::Action::kPrint);
  EXPECT_TRUE(absl::StrContains(first->text, "node-id = 1  # --node-id\n")) << first->text;
  EXPECT_TRUE(absl::StrContains(first->text, "heartbeat-ms = 100  # default\n")) << first->text;
  EXPECT_TRUE(absl::StrContains(first->text, "group = [\"101=1,2,3\", \"102=1\"]  # --group\n"));

  const Options again = Accept({"--config", directory.Write("c.toml", first->text)});
  const Options want = Accept(arguments);
  for (const Setting& setting : Settings()) {
    EXPECT_EQ(setting.show(again), setting.show(want)) << setting.name;
  }
}

TEST(LockstepdOptionsTest, TheGeneratedFileIsTheDefaultsAndItsExamplesAreValid) {
  const TemporaryDirectory directory;
  const absl::StatusOr<Invocation> template_file = Parse({"--generate-config"});
  ASSERT_TRUE(template_file.ok()) << template_file.status();
  ASSERT_EQ(template_file->action, Invocation::Action::kPrint);
  EXPECT_EQ(template_file->file, "");
  const Options plain =
      Accept({"d", "--config", directory.Write("plain.toml", template_file->text)});
  Options defaults;
  defaults.data_dir = "d";
  for (const Setting& setting : Settings()) {
    EXPECT_EQ(setting.show(plain), setting.show(defaults)) << setting.name;
  }

  // "#key = value" without a space is a setting commented out.
  std::string examples;
  for (absl::string_view line : absl::StrSplit(template_file->text, '\n')) {
    const bool setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    absl::StrAppend(&examples, setting ? line.substr(1) : line, "\n");
  }
  const Options all = Accept({"--config", directory.Write("all.toml", examples)});
  EXPECT_EQ(all.data_dir, "/var/lib/lockstep");
  EXPECT_EQ(all.groups.size(), 1u);
}

TEST(LockstepdOptionsTest, GeneratingNeverOverwrites) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("new.toml");
  const absl::StatusOr<Invocation> invocation = Parse({"--generate-config", file});
  ASSERT_TRUE(invocation.ok()) << invocation.status();
  EXPECT_TRUE(Print(*invocation).ok());
  EXPECT_EQ(directory.Read("new.toml"), ConfigTemplate());
  const absl::Status again = Print(*invocation);
  EXPECT_EQ(ExitCodeOf(again), ExitCode::kUsage);
  EXPECT_TRUE(absl::StrContains(again.message(), "File exists")) << again;
}

TEST(LockstepdOptionsTest, HelpNamesEverySettingAndEveryExitCode) {
  const absl::StatusOr<Invocation> help = Parse({"--help"});
  ASSERT_TRUE(help.ok()) << help.status();
  for (const Setting& setting : Settings()) {
    EXPECT_TRUE(absl::StrContains(help->text, absl::StrCat("--", setting.name))) << setting.name;
  }
  for (int code = 0; code <= 7; ++code) {
    EXPECT_TRUE(absl::StrContains(help->text, absl::StrCat(code, " "))) << code;
  }
  const absl::StatusOr<Invocation> version = Parse({"--version"});
  ASSERT_TRUE(version.ok());
  EXPECT_TRUE(absl::StartsWith(version->text, "lockstepd 0."));
}

}  // namespace
}  // namespace lockstep::lockstepd
