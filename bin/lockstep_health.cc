// health and metrics.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_text.h"

namespace lockstep::bin {
namespace {

using nlohmann::ordered_json;

// Asks each server by itself: what one says, another cannot say for it.
Exit RunHealth(Shell& shell) {
  const absl::StatusOr<std::unique_ptr<Api>> api = shell.Open();
  if (!api.ok()) return shell.Fail(Exit::kUsage, std::string(api.status().message()));
  Table table({"SERVER", "STATE", "MS", "WHY"});
  ordered_json rows = ordered_json::array();
  bool healthy = true;
  for (const std::string& server : shell.servers()) {
    const auto begin = std::chrono::steady_clock::now();
    const absl::Status status = (*api)->Health(server);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    healthy = healthy && status.ok();
    table.Add({server, status.ok() ? "serving" : "NOT SERVING",
               absl::StrFormat("%.1f", took.count()), Escaped(status.message())});
    ordered_json row = {{"server", server}, {"serving", status.ok()}, {"ms", took.count()}};
    if (!status.ok()) row["why"] = std::string(status.message());
    rows.push_back(row);
  }
  if (shell.json()) {
    shell.out() << Line({{"healthy", healthy}, {"servers", rows}}) << "\n";
  } else {
    shell.out() << (shell.plain() ? table.Plain() : table.Text());
  }
  return healthy ? Exit::kOk : Exit::kUnhealthy;
}

// The servers that have metrics. By gRPC we hear from one node where the HTTP ports are.
Exit HttpServers(Shell& shell, std::vector<std::string>& servers) {
  if (shell.options().http) {
    servers = shell.servers();
    return Exit::kOk;
  }
  Exit exit;
  Api* api = shell.Connect(exit);
  if (api == nullptr) return exit;
  const absl::StatusOr<v1::StatusResponse> status = api->Status(v1::StatusRequest());
  if (!status.ok()) return shell.Fail("metrics", status.status());
  for (const v1::NodeStatus& node : status->nodes()) {
    if (node.online() && !node.http_address().empty()) servers.push_back(node.http_address());
  }
  return Exit::kOk;
}

Exit RunMetrics(Shell& shell) {
  std::vector<std::string> servers;
  const Exit exit = HttpServers(shell, servers);
  if (exit != Exit::kOk) return exit;
  if (servers.empty()) return shell.Fail(Exit::kUnreachable, "metrics: no node has an HTTP port");
  const absl::StatusOr<std::unique_ptr<Api>> api = shell.OpenHttp(servers);
  if (!api.ok()) return shell.Fail("metrics", api.status());
  Exit worst = Exit::kOk;
  ordered_json rows = ordered_json::array();
  for (const std::string& server : servers) {
    const absl::StatusOr<std::string> text = (*api)->Metrics(server);
    if (!text.ok()) {
      worst = Exit::kUnreachable;
      shell.Fail("metrics", text.status());
    } else if (shell.json()) {
      rows.push_back({{"server", server}, {"prometheus", *text}});
    } else {
      if (servers.size() > 1) shell.out() << "# --- " << server << "\n";
      shell.out() << *text;
    }
  }
  if (shell.json()) shell.out() << Line(rows) << "\n";
  return worst;
}

}  // namespace

void AddStatusCommands(CLI::App& app, Action& action) {
  AddCommand(app, "health", "Whether each server serves; exit 7 when one does not")
      .callback([&action] { action = RunHealth; });
  AddCommand(app, "metrics", "The servers' metrics, as Prometheus reads them").callback([&action] {
    action = RunMetrics;
  });
}

}  // namespace lockstep::bin
