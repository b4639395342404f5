// playground: a whole cluster on this machine, until Ctrl-C.
#include <stdlib.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bin/atomic_file.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_playground_cluster.h"
#include "bin/lockstep_signals.h"
#include "bin/lockstep_text.h"
#include "bin/lockstep_values.h"
#include "bin/process_ports.h"

namespace lockstep::bin {
namespace {

constexpr const char* kFooter =
    "Three nodes hold the controller and the groups 101 and 102. With --split nine do: three for\n"
    "the controller and three for each group. Nothing is started again by itself: kill a node and\n"
    "see. Ctrl-C or SIGTERM stops all of them; exit 6 when one did not come up, or not stop well.";

struct Options {
  std::string directory;
  std::string port;
  std::string lockstepd;
  std::string patience = "30s";
  std::vector<std::string> extras;
  bool split = false;
  bool quiet = false;
};

// A directory for the cluster: the given one, which stays, or one that goes with this.
class Place {
 public:
  absl::Status Make(const std::string& given) {
    if (!given.empty()) {
      path_ = given;
      std::error_code error;
      std::filesystem::create_directories(given, error);
      if (error) return absl::UnavailableError(absl::StrCat(given, ": ", error.message()));
      return absl::OkStatus();
    }
    std::error_code error;
    const std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
    std::string name = ((error ? "/tmp" : temporary) / "lockstep-playground-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      return absl::ErrnoToStatus(errno, absl::StrCat(name, " cannot be made"));
    }
    path_ = name;
    temporary_ = true;
    return absl::OkStatus();
  }
  ~Place() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  const std::string& path() const { return path_; }
  bool temporary() const { return temporary_; }
  void Keep() { temporary_ = false; }

 private:
  std::string path_;
  bool temporary_ = false;
};

// DIR/ports: those of the last time, so that a cluster that is kept keeps its addresses.
std::string PortsFile(const std::string& directory) { return absl::StrCat(directory, "/ports"); }

// Empty: there are none, or not all of them are free.
absl::StatusOr<std::vector<uint16_t>> RememberedPorts(const std::string& directory, size_t count) {
  const absl::StatusOr<std::string> text = ReadSmallFile(PortsFile(directory), 4096);
  std::vector<uint16_t> ports;
  if (!text.ok()) return ports;
  for (absl::string_view word : absl::StrSplit(*text, ' ', absl::SkipWhitespace())) {
    uint32_t port = 0;
    if (absl::SimpleAtoi(word, &port)) ports.push_back(static_cast<uint16_t>(port));
  }
  if (ports.size() != count) {
    return absl::FailedPreconditionError(absl::StrCat(
        directory, " holds a cluster of ", ports.size() / 3, " nodes: start it as it was made, ",
        ports.size() > count ? "with" : "without", " --split"));
  }
  if (!std::all_of(ports.begin(), ports.end(), PortIsFree)) ports.clear();
  return ports;
}

absl::StatusOr<std::vector<uint16_t>> Ports(const Options& options, const std::string& directory) {
  const size_t count = PortsNeeded(options.split);
  absl::StatusOr<std::vector<uint16_t>> ports = RememberedPorts(directory, count);
  if (!ports.ok()) return ports;
  if (options.port.empty()) return ports->empty() ? FreePorts(count) : ports;
  ports->clear();
  const uint64_t first = ParseNumber("--port", options.port, 1, 65535);
  for (size_t i = 0; i < count; ++i) {
    if (first + i > 65535 || !PortIsFree(static_cast<uint16_t>(first + i))) {
      return absl::UnavailableError(
          absl::StrCat("port ", first + i, " is not free: ", count, " are needed from --port on"));
    }
    ports->push_back(static_cast<uint16_t>(first + i));
  }
  return ports;
}

// Three are enough to find the others.
std::string Addresses(const PlaygroundPlan& plan) {
  std::vector<std::string> addresses = plan.grpc_addresses();
  addresses.resize(std::min<size_t>(addresses.size(), 3));
  return absl::StrJoin(addresses, ",");
}

void TellReady(Shell& shell, const PlaygroundPlan& plan, const Place& place) {
  if (shell.json()) {
    nlohmann::ordered_json json = {{"directory", place.path()}, {"nodes", nlohmann::json::array()}};
    for (const PlaygroundNode& node : plan.nodes) {
      json["nodes"].push_back(
          {{"node", node.id}, {"grpc", node.grpc}, {"http", node.http}, {"log", node.log}});
    }
    shell.out() << Line(json) << "\n" << std::flush;
    return;
  }
  Table table({"NODE", "GRPC", "HTTP", "HOLDS", "LOG"});
  for (const PlaygroundNode& node : plan.nodes) {
    table.Add({absl::StrCat(node.id), node.grpc, absl::StrCat("http://", node.http), node.holds,
               node.log});
  }
  shell.out() << "The cluster is ready, in " << place.path()
              << (place.temporary() ? " (removed at the end)" : "") << "\n\n"
              << table.Text() << "\nTry, in another terminal:\n"
              << "  export LOCKSTEP_SERVER=" << Addresses(plan) << "\n"
              << "  lockstep put greeting hello\n"
              << "  lockstep get greeting\n"
              << "  lockstep cluster status --shards\n"
              << "  lockstep bench --duration 5s\n"
              << "  curl http://" << plan.nodes.front().http << "/api/v1/kv/greeting\n"
              << "and in a browser, to see all of it:  http://" << plan.nodes.front().http
              << "/\n\n"
              << "Ctrl-C stops it.\n\n"
              << std::flush;
}

Exit Play(Shell& shell, const Options& options, PlaygroundCluster& cluster,
          const std::atomic<bool>& stop) {
  while (!stop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (!options.quiet) cluster.PrintLogs(shell.out());
    if (cluster.Watch() == 0) return shell.Fail(Exit::kFile, "playground: every node has ended");
  }
  return Exit::kOk;
}

Exit RunPlayground(Shell& shell, const Options& options) {
  const std::atomic<bool>& stop = StopRequested();
  Place place;
  absl::Status status = place.Make(options.directory);
  if (!status.ok()) return shell.Fail(Exit::kFile, std::string(status.message()));
  const absl::StatusOr<std::vector<uint16_t>> ports = Ports(options, place.path());
  if (!ports.ok()) return shell.Fail(Exit::kFile, std::string(ports.status().message()));
  status = WriteFileAtomically(PortsFile(place.path()), absl::StrJoin(*ports, " "));
  if (!status.ok()) return shell.Fail(Exit::kFile, std::string(status.message()));
  PlaygroundOptions how;
  how.directory = place.path();
  how.lockstepd = options.lockstepd.empty() ? ProgramBeside("lockstepd") : options.lockstepd;
  how.split = options.split;
  how.extras = options.extras;
  PlaygroundCluster cluster(MakePlan(how, *ports), shell.err());
  status = cluster.Start(ParseDuration("--patience", options.patience), stop);
  Exit exit = Exit::kOk;
  if (!status.ok() && !stop) {
    place.Keep();  // For whoever wants to know why.
    exit = shell.Fail(Exit::kFile, absl::StrCat("playground: ", Escaped(status.message())));
  } else if (!stop) {
    TellReady(shell, cluster.plan(), place);
    exit = Play(shell, options, cluster, stop);
  }
  const bool clean = cluster.Stop(std::chrono::seconds(15));
  if (!options.quiet) cluster.PrintLogs(shell.out());
  return clean || exit != Exit::kOk ? exit : Exit::kFile;
}

}  // namespace

void AddPlaygroundCommand(CLI::App& app, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = AddCommand(app, "playground", "Run a whole cluster here, until Ctrl-C");
  command.add_flag("--split", options->split, "Nine nodes instead of three");
  command.add_option("--dir", options->directory,
                     "Where the data and logs are, and stay (default: temporary)");
  command.add_option("--port", options->port, "The first port; the others follow (default: free)")
      ->option_text("PORT");
  command
      .add_option("--lockstepd", options->lockstepd,
                  "The program (default: beside this one, or on PATH)")
      ->option_text("FILE");
  command.add_option("--patience", options->patience, "For the cluster to come up (default 30s)")
      ->option_text("TIME");
  command.add_flag("--quiet,-q", options->quiet, "Do not follow the logs");
  command.add_option("FLAGS", options->extras, "More flags for every node, behind --");
  command.footer(kFooter);
  command.callback([&action, options] {
    if (!options->port.empty()) ParseNumber("--port", options->port, 1, 65535);
    ParseDuration("--patience", options->patience);
    action = [options](Shell& shell) { return RunPlayground(shell, *options); };
  });
}

}  // namespace lockstep::bin
