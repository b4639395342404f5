// docs/http.md: its lines are run by a shell, in their order, against the front.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "net/http/http_server.h"
#include "tests/unit/net/http_fake_service.h"

namespace lockstep::net {
namespace {

// What stands between ```sh and ```.
std::string ShellBlocks(const std::string& text) {
  std::string script;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line == "```sh" || line == "```") {
      inside = line == "```sh";
    } else if (inside) {
      absl::StrAppend(&script, line, "\n");
    }
  }
  return script;
}

TEST(HttpDocs, SayWhatWorks) {
  if (std::system("command -v curl bash >/dev/null") != 0) GTEST_SKIP() << "needs curl and bash";
  std::ifstream file(LOCKSTEP_SOURCE_DIR "/docs/http.md");
  std::stringstream text;
  text << file.rdbuf();

  http_test::FakeService service;
  service.With([](http_test::FakeStore& store) {
    store.node.set_disk_free_bytes(uint64_t{1} << 40);
    store.node.mutable_counters()->set_peers_connected(1);
  });
  HttpServer server(HttpOptions(), service);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  std::string script = ShellBlocks(text.str());
  ASSERT_TRUE(absl::StrContains(script, "curl"));
  script = absl::StrReplaceAll(script, {{"127.0.0.1:7402", server.address()}});

  std::string directory = (std::filesystem::temp_directory_path() / "lockstep-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  // Makes a status of 400 and above an exit code.
  std::ofstream(directory + "/.curlrc") << "fail-with-body\nsilent\nshow-error\nmax-time = 20\n";
  std::ofstream(directory + "/script") << "set -euo pipefail\n" << script;
  const std::string command = absl::StrCat("CURL_HOME=", directory, " bash ", directory,
                                           "/script >", directory, "/out 2>&1");
  const int status = std::system(command.c_str());
  std::stringstream output;
  output << std::ifstream(directory + "/out").rdbuf();
  std::filesystem::remove_all(directory);
  EXPECT_EQ(status, 0) << script << output.str();

  service.With([](http_test::FakeStore& store) {
    EXPECT_EQ(store.pairs["greeting"], "hello world!");
    EXPECT_EQ(store.pairs["leader"], "you");
    EXPECT_EQ(store.pairs["{user1}name"], "Ada");
    EXPECT_EQ(store.pairs["journal"], "entry;") << "sent twice, executed once";
  });
}

}  // namespace
}  // namespace lockstep::net
