// A node under a service manager: it says when it serves, and that it stops (sd_notify(3)).
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/process_child.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

// The service manager's end.
class Manager {
 public:
  explicit Manager(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) ADD_FAILURE() << path << ": too long";
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int bound = ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    EXPECT_EQ(bound, 0) << path << ": " << std::strerror(errno);
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // The next message; none: there is none in time.
  std::optional<std::string> Next(Duration patience) {
    pollfd waits{.fd = socket_, .events = POLLIN, .revents = 0};
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
    if (::poll(&waits, 1, static_cast<int>(wait.count())) != 1) return std::nullopt;
    char text[1024];
    const ssize_t size = ::recv(socket_, text, sizeof(text), 0);
    if (size < 0) return std::nullopt;
    return std::string(text, static_cast<size_t>(size));
  }

 private:
  const int socket_;
};

TEST(Service, SaysWhenItServesAndThatItStops) {
  Workspace workspace;
  const std::string path = workspace / "notify";
  Manager manager(path);
  ChildOptions options;
  options.program = LOCKSTEP_SYSTEM_LAUNCHER;
  options.arguments = {absl::StrCat(::getpid()),
                       "-",
                       LOCKSTEPD,
                       "--data-dir",
                       workspace / "data",
                       "--listen-peer",
                       "127.0.0.1:0",
                       "--listen-grpc",
                       "127.0.0.1:0",
                       "--listen-http",
                       "127.0.0.1:0"};
  options.variables = {{"NOTIFY_SOCKET", path}};
  options.output = workspace / "out";
  absl::StatusOr<Child> child = Child::Start(options);
  ASSERT_TRUE(child.ok()) << child.status();

  const std::optional<std::string> serving = manager.Next(kProcessPatience);
  ASSERT_TRUE(serving.has_value()) << ReadFile(options.output);
  EXPECT_TRUE(absl::StartsWith(*serving, "READY=1\n")) << *serving;
  EXPECT_TRUE(absl::StrContains(*serving, "STATUS=serving as node 1")) << *serving;
  EXPECT_EQ(manager.Next(std::chrono::milliseconds(100)), std::nullopt);

  child->Signal(SIGTERM);
  const std::optional<std::string> stopping = manager.Next(kProcessPatience);
  ASSERT_TRUE(stopping.has_value()) << ReadFile(options.output);
  EXPECT_TRUE(absl::StartsWith(*stopping, "STOPPING=1\n")) << *stopping;
  const std::optional<ChildEnd> end = child->Wait(kProcessPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 0) << ReadFile(options.output);
}

}  // namespace
}  // namespace lockstep::system
