// node add, remove, replace, list: the members of groups.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_node_text.h"
#include "bin/lockstep_node_watch.h"
#include "bin/lockstep_status_text.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"
#include "core/base/address.h"

namespace lockstep::bin {
namespace {

struct NodeOptions {
  std::vector<std::string> nodes;
  std::string address;
  std::vector<std::string> groups;
  bool learner = false;
  bool wait = true;
};
using Options = std::shared_ptr<NodeOptions>;

constexpr const char* kFooter =
    "A group changes by itself: whoever joins receives its log and votes once it has caught up, "
    "and\n"
    "nobody has to wait for that. --wait tells how far it is, until all groups have settled, or\n"
    "nothing has moved for --timeout; then the exit code is 4, and the change still goes on.\n"
    "\"node remove\" of a node that still catches up calls the change off.\n"
    "\n"
    "Exit codes: 0 done, or nothing had to change; 2 refused by the state of a group, or changed\n"
    "again by somebody; 3 certainly not begun, try again; 4 not settled yet, or nobody knows.";

uint64_t ParseGroupName(const std::string& text) {
  return text == "controller" ? 0 : ParseNumber("--group", text, 0, UINT64_MAX);
}

uint64_t NodeOf(const NodeOptions& options, size_t which) {
  return ParseNumber("NODE", options.nodes[which], 1, UINT64_MAX);
}

template <class Request>
void SetGroups(const NodeOptions& options, Request* request) {
  for (const std::string& text : options.groups) {
    for (const absl::string_view name : SplitList("--group", text)) {
      request->add_groups(ParseGroupName(std::string(name)));
    }
  }
}

// While the command line is parsed: what is wrong is one line.
void CheckNodes(const NodeOptions& options) {
  for (size_t i = 0; i < options.nodes.size(); ++i) NodeOf(options, i);
  if (options.nodes.size() == 2 && NodeOf(options, 0) == NodeOf(options, 1)) {
    Refuse(absl::StrCat("NODE: ", options.nodes[0],
                        " cannot be replaced by itself: name another node"));
  }
  v1::RemoveNodeRequest scratch;
  SetGroups(options, &scratch);
  if (options.address.empty()) return;
  const absl::StatusOr<Address> address = ParseAddress(options.address, 1);
  if (!address.ok()) Refuse(absl::StrCat("--address: ", address.status().message()));
}

std::vector<GroupEnd> EndsOf(const google::protobuf::RepeatedPtrField<v1::GroupChange>& changes) {
  std::vector<GroupEnd> ends;
  for (const v1::GroupChange& change : changes) {
    GroupEnd end{.group = change.group(),
                 .outcome = absl::AsciiStrToLower(v1::GroupChange::Outcome_Name(change.outcome())),
                 .membership_id = change.membership_id()};
    if (change.reason() != v1::GroupChange::NONE) {
      end.reason = v1::GroupChange::Reason_Name(change.reason());
    }
    end.message = change.message();
    ends.push_back(std::move(end));
  }
  return ends;
}

// What may be gone at the next try is not executed; all else is for a person to decide.
Exit ExitOf(const GroupEnd& end) {
  if (end.outcome == "unknown" || end.outcome == "waiting") return Exit::kUnknown;
  if (end.outcome == "superseded") return Exit::kConflict;
  if (end.outcome != "refused") return Exit::kOk;
  for (const char* passing : {"CONFIGURATION_MOVED", "LEADER_TOO_NEW", "NO_LEADER", "OVERLOADED"}) {
    if (end.reason == passing) return Exit::kNotExecuted;
  }
  return Exit::kConflict;
}

// How to go on where groups have not settled.
std::string Advice(const std::vector<GroupEnd>& ends, const NodeWish& wish) {
  std::vector<std::string> names;
  for (const GroupEnd& end : ends) {
    if (end.outcome == "waiting") names.push_back(GroupName(end.group));
  }
  if (names.empty()) return "";
  const std::string groups = absl::StrJoin(names, ",");
  std::string advice =
      absl::StrCat("not settled yet in ", groups,
                   ", and going on by itself: ", "look again with lockstep node list");
  if (wish.comes != 0) {
    absl::StrAppend(&advice, ", or call it off while it catches up with lockstep node remove ",
                    wish.comes, " --group ", groups);
  }
  return advice;
}

Exit TellEnds(Shell& shell, const std::string& what, const std::vector<GroupEnd>& ends,
              const NodeWish& wish) {
  Exit exit = Exit::kOk;
  for (const GroupEnd& end : ends) exit = Worse(exit, ExitOf(end));
  if (shell.json()) {
    shell.out() << Line(EndsJson(ends)) << "\n";
  } else if (ends.empty() && !shell.plain()) {
    shell.out() << "nothing to change: no group has node " << wish.goes << "\n";
  } else {
    shell.out() << EndsText(ends, shell.plain());
  }
  const std::string advice = Advice(ends, wish);
  if (!advice.empty()) shell.Fail(exit, absl::StrCat(what, ": ", advice));
  return exit;
}

template <class Response>
Exit Finish(Shell& shell, Api& api, const std::string& what, const NodeOptions& options,
            const NodeWish& wish, const absl::StatusOr<Response>& response) {
  if (!response.ok()) return shell.Fail(what, response.status());
  std::vector<GroupEnd> ends = EndsOf(response->groups());
  if (options.wait) NodeWatch(shell, api, wish).Run(ends);
  return TellEnds(shell, what, ends, wish);
}

Exit RunAdd(Shell& shell, const NodeOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::AddNodeRequest request;
  request.set_node(NodeOf(options, 0));
  request.set_address(options.address);
  request.set_learner(options.learner);
  SetGroups(options, &request);
  const NodeWish wish{.comes = request.node(), .goes = 0, .learner = options.learner};
  return Finish(shell, *api, "node add", options, wish, api->AddNode(request));
}

Exit RunRemove(Shell& shell, const NodeOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::RemoveNodeRequest request;
  request.set_node(NodeOf(options, 0));
  SetGroups(options, &request);
  const NodeWish wish{.comes = 0, .goes = request.node()};
  return Finish(shell, *api, "node remove", options, wish, api->RemoveNode(request));
}

Exit RunReplace(Shell& shell, const NodeOptions& options) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  v1::ReplaceNodeRequest request;
  request.set_replaces(NodeOf(options, 0));
  request.set_node(NodeOf(options, 1));
  request.set_address(options.address);
  SetGroups(options, &request);
  const NodeWish wish{.comes = request.node(), .goes = request.replaces()};
  return Finish(shell, *api, "node replace", options, wish, api->ReplaceNode(request));
}

Exit RunList(Shell& shell) {
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  const absl::StatusOr<v1::StatusResponse> status = api->Status(v1::StatusRequest());
  if (!status.ok()) return shell.Fail("node list", status.status());
  if (shell.json()) {
    shell.out() << Line(NodesJson(*status)) << "\n";
  } else {
    shell.out() << NodesText(*status, shell.plain());
  }
  return Exit::kOk;
}

CLI::App& AddChange(CLI::App& node, Action& action, const std::string& name,
                    const std::string& help, const Options& options,
                    Exit (*run)(Shell&, const NodeOptions&)) {
  CLI::App& command = AddCommand(node, name, help);
  command.footer(kFooter);
  command.callback([&action, options, run] {
    CheckNodes(*options);
    action = [options, run](Shell& shell) { return run(shell, *options); };
  });
  command.add_option("--group,-g", options->groups, "These groups alone; controller or 0 is one")
      ->option_text("GROUP,...");
  command.add_flag("--wait,!--no-wait", options->wait,
                   "Tell how far it is until it is done (default)");
  return command;
}

void AddArguments(CLI::App& command, const Options& options, const char* text, const char* help,
                  int count) {
  command.add_option("ARGUMENTS", options->nodes, help)
      ->option_text(text)
      ->required()
      ->expected(count);
}

void AddAddress(CLI::App& command, const Options& options) {
  command
      .add_option("--address", options->address,
                  "Where the new node's peers reach it (default: as the cluster knows it)")
      ->option_text("HOST:PORT");
}

}  // namespace

void AddNodeCommands(CLI::App& app, Action& action) {
  CLI::App& node = AddCommand(app, "node", "The nodes that hold a group's replicas");
  node.require_subcommand(1);
  const auto add = std::make_shared<NodeOptions>();
  CLI::App& adding =
      AddChange(node, action, "add",
                "A running node joins groups (default: all, and the controller)", add, RunAdd);
  AddArguments(adding, add, "NODE",
               "Its id; start it with lockstepd --join HOST:PORT --node-id NODE", 1);
  AddAddress(adding, add);
  adding.add_flag("--learner", add->learner, "It receives the log, and decides nothing");

  const auto remove = std::make_shared<NodeOptions>();
  AddArguments(AddChange(node, action, "remove", "A node leaves groups (default: all that have it)",
                         remove, RunRemove),
               remove, "NODE", "Its id; it need not be alive", 1);

  const auto replace = std::make_shared<NodeOptions>();
  CLI::App& replacing =
      AddChange(node, action, "replace", "One node for another, in one change of each group",
                replace, RunReplace);
  AddArguments(replacing, replace, "OLD NEW", "Who goes, dead or alive, and who comes", 2);
  AddAddress(replacing, replace);

  AddCommand(node, "list", "All nodes, and the members of every group").callback([&action] {
    action = RunList;
  });
}

}  // namespace lockstep::bin
