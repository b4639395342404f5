// cluster join, leave, move, unpin, query, status, and leader transfer.
#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_status_text.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"
#include "core/base/address.h"

namespace lockstep::bin {
namespace {

struct ClusterOptions {
  std::vector<std::string> arguments;
  std::string num;
  bool force = false;
  bool shards = false;
};
using Options = std::shared_ptr<ClusterOptions>;

// Every answer as JSON: the message of lockstep.v1, with its fields' names.
void TellJson(Shell& shell, const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  shell.out() << (status.ok() ? json : "{}") << "\n";
}

template <class Response>
Exit TellConfiguration(Shell& shell, const std::string& what,
                       const absl::StatusOr<Response>& response) {
  if (!response.ok()) return shell.Fail(what, response.status());
  if (shell.json()) {
    TellJson(shell, *response);
  } else {
    shell.out() << "OK, configuration " << response->configuration() << "\n";
  }
  return Exit::kOk;
}

// "101", "101=1,2,3" or "101=1@host:port,...".
v1::Group ParseGroup(const std::string& text) {
  const std::pair<std::string, std::string> sides = absl::StrSplit(text, absl::MaxSplits('=', 1));
  v1::Group group;
  group.set_gid(ParseNumber("join", sides.first, 1, UINT64_MAX));
  if (text.find('=') == text.npos) return group;
  for (absl::string_view member : SplitList("join", sides.second)) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(member, absl::MaxSplits('@', 1));
    v1::Member* out = group.add_members();
    out->set_node(ParseNumber("join", parts.first, 1, UINT64_MAX));
    if (member.find('@') == member.npos) continue;
    const absl::StatusOr<Address> address = ParseAddress(parts.second, 1);
    if (!address.ok()) Refuse(absl::StrCat("join: ", address.status().message()));
    out->set_address(parts.second);
  }
  return group;
}

// Addresses that were not given are those by which the cluster knows the nodes.
Exit FillAddresses(Shell& shell, Api& api, v1::JoinRequest& request) {
  bool lacking = false;
  for (const v1::Group& group : request.groups()) {
    for (const v1::Member& member : group.members()) lacking = lacking || member.address().empty();
  }
  if (!lacking) return Exit::kOk;
  const absl::StatusOr<v1::StatusResponse> status = api.Status(v1::StatusRequest());
  if (!status.ok()) return shell.Fail("cluster join", status.status());
  std::map<uint64_t, std::string> addresses;
  for (const v1::NodeStatus& node : status->nodes()) addresses[node.node()] = node.peer_address();
  for (v1::Group& group : *request.mutable_groups()) {
    for (v1::Member& member : *group.mutable_members()) {
      if (!member.address().empty()) continue;
      const std::string& address = addresses[member.node()];
      if (address.empty()) {
        return shell.Fail(Exit::kUsage,
                          absl::StrCat("cluster join: nobody knows the address of node ",
                                       member.node(), ": write ", member.node(), "@HOST:PORT"));
      }
      member.set_address(address);
    }
  }
  return Exit::kOk;
}

Exit RunJoin(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::JoinRequest request;
  for (const std::string& text : options.arguments) *request.add_groups() = ParseGroup(text);
  exit = FillAddresses(shell, *api, request);
  if (exit != Exit::kOk) return exit;
  return TellConfiguration(shell, "cluster join", api->Join(request));
}

Exit RunLeave(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::LeaveRequest request;
  for (const std::string& text : options.arguments) {
    request.add_gids(ParseNumber("leave", text, 1, UINT64_MAX));
  }
  request.set_force(options.force);
  return TellConfiguration(shell, "cluster leave", api->Leave(request));
}

Exit RunMove(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::MoveRequest request;
  request.set_shard(
      static_cast<uint32_t>(ParseNumber("SHARD", options.arguments[0], 0, UINT32_MAX)));
  request.set_gid(ParseNumber("GID", options.arguments[1], 1, UINT64_MAX));
  return TellConfiguration(shell, "cluster move", api->Move(request));
}

Exit RunUnpin(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::UnpinRequest request;
  request.set_shard(
      static_cast<uint32_t>(ParseNumber("SHARD", options.arguments[0], 0, UINT32_MAX)));
  return TellConfiguration(shell, "cluster unpin", api->Unpin(request));
}

Exit RunQuery(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::QueryRequest request;
  if (!options.num.empty()) request.set_num(ParseNumber("NUM", options.num, 0, UINT64_MAX));
  const absl::StatusOr<v1::QueryResponse> response = api->Query(request);
  if (!response.ok()) return shell.Fail("cluster query", response.status());
  if (shell.json()) {
    TellJson(shell, response->configuration());
  } else {
    shell.out() << ConfigurationText(response->configuration(), shell.plain());
  }
  return Exit::kOk;
}

Exit RunStatus(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::StatusRequest request;
  request.set_shards(options.shards);
  const absl::StatusOr<v1::StatusResponse> response = api->Status(request);
  if (!response.ok()) return shell.Fail("cluster status", response.status());
  if (shell.json()) {
    TellJson(shell, *response);
  } else {
    shell.out() << StatusText(*response, options.shards, shell.plain());
  }
  return Exit::kOk;
}

Exit RunTransfer(Shell& shell, const ClusterOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::TransferLeaderRequest request;
  if (options.arguments[0] != "controller") {
    request.set_group(ParseNumber("GROUP", options.arguments[0], 0, UINT64_MAX));
  }
  if (options.arguments.size() > 1) {
    request.set_to(ParseNumber("NODE", options.arguments[1], 1, UINT64_MAX));
  }
  const auto response = api->TransferLeader(request);
  if (!response.ok()) return shell.Fail("leader transfer", response.status());
  if (shell.json()) {
    TellJson(shell, *response);
  } else {
    shell.out() << "OK, the leader has begun to hand over\n";
  }
  return Exit::kOk;
}

using Run = Exit (*)(Shell&, const ClusterOptions&);

// Declares a command whose arguments `check` looks at while parsing.
CLI::App& Add(CLI::App& app, Action& action, const Options& options, const std::string& name,
              const std::string& help, Run run, void (*check)(const ClusterOptions&)) {
  CLI::App& command = AddCommand(app, name, help);
  command.callback([&action, options, run, check] {
    check(*options);
    action = [options, run](Shell& shell) { return run(shell, *options); };
  });
  return command;
}

void AddArguments(CLI::App& command, const Options& options, const char* text, const char* help,
                  int low, int high) {
  command.add_option("ARGUMENTS", options->arguments, help)
      ->option_text(text)
      ->required()
      ->expected(low, high);
}

void CheckShard(const ClusterOptions& options) {
  ParseNumber("SHARD", options.arguments[0], 0, UINT32_MAX);
  if (options.arguments.size() > 1) ParseNumber("GID", options.arguments[1], 1, UINT64_MAX);
}

void AddMembership(CLI::App& cluster, Action& action) {
  constexpr int kMany = 4096;
  const auto join = std::make_shared<ClusterOptions>();
  AddArguments(Add(cluster, action, join, "join",
                   "Groups take their share of the shards; each has to be running", RunJoin,
                   [](const ClusterOptions& options) {
                     for (const std::string& text : options.arguments) ParseGroup(text);
                   }),
               join, "GID[=NODE[@HOST:PORT],...]...",
               "Groups; without members: those that nodes say they host it with", 1, kMany);

  const auto leave = std::make_shared<ClusterOptions>();
  CLI::App& leaving = Add(cluster, action, leave, "leave",
                          "Groups give their shards away; they serve what has not arrived yet",
                          RunLeave, [](const ClusterOptions& options) {
                            for (const std::string& text : options.arguments) {
                              ParseNumber("leave", text, 1, UINT64_MAX);
                            }
                          });
  AddArguments(leaving, leave, "GID...", "Groups", 1, kMany);
  leaving.add_flag("--force", leave->force, "Even the last group: nothing is served then");
}

void AddPlacement(CLI::App& cluster, Action& action) {
  const auto move = std::make_shared<ClusterOptions>();
  AddArguments(
      Add(cluster, action, move, "move",
          "Place one shard and pin it there: rebalancing leaves it alone", RunMove, CheckShard),
      move, "SHARD GID", "The shard and its group", 2, 2);
  const auto unpin = std::make_shared<ClusterOptions>();
  AddArguments(Add(cluster, action, unpin, "unpin", "Let rebalancing have the shard again",
                   RunUnpin, CheckShard),
               unpin, "SHARD", "The shard", 1, 1);
}

void AddQuestions(CLI::App& cluster, Action& action) {
  const auto query = std::make_shared<ClusterOptions>();
  Add(cluster, action, query, "query", "Which group owns which shard, now or earlier", RunQuery,
      [](const ClusterOptions& options) {
        if (!options.num.empty()) ParseNumber("NUM", options.num, 0, UINT64_MAX);
      })
      .add_option("NUM", query->num, "Of this configuration (default: the newest)");
  const auto status = std::make_shared<ClusterOptions>();
  Add(cluster, action, status, "status", "How every node and every replica is", RunStatus,
      [](const ClusterOptions&) {})
      .add_flag("--shards", status->shards, "Each shard's owner, state, keys and bytes too");
}

}  // namespace

void AddClusterCommands(CLI::App& app, Action& action) {
  CLI::App& cluster = AddCommand(app, "cluster", "Groups, shards and nodes");
  cluster.require_subcommand(1);
  AddMembership(cluster, action);
  AddPlacement(cluster, action);
  AddQuestions(cluster, action);

  CLI::App& leader = AddCommand(app, "leader", "Leaders of groups");
  leader.require_subcommand(1);
  const auto transfer = std::make_shared<ClusterOptions>();
  CLI::App& command = Add(leader, action, transfer, "transfer",
                          "Ask a group's leader to hand over; it may still come to nothing",
                          RunTransfer, [](const ClusterOptions& options) {
                            if (options.arguments[0] != "controller") {
                              ParseNumber("GROUP", options.arguments[0], 0, UINT64_MAX);
                            }
                            if (options.arguments.size() > 1) {
                              ParseNumber("NODE", options.arguments[1], 1, UINT64_MAX);
                            }
                          });
  AddArguments(command, transfer, "GROUP [NODE]",
               "A gid, or controller; and to whom (default: the best follower)", 1, 2);
}

}  // namespace lockstep::bin
