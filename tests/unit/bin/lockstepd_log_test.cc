#include "bin/lockstepd_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/unit/bin/support.h"

namespace lockstep::log {
namespace {

constexpr int64_t kTime = 1'700'000'000'123'456;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    Stop();
    if (file_ >= 0) ::close(file_);
  }
  void StartInFile(Settings settings) {
    file_ = ::open(directory_.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    settings.fd = file_;
    Start(settings);
  }
  std::string Written() {
    Stop();
    return directory_.Read("log");
  }
  const TemporaryDirectory directory_;
  int file_ = -1;
};

TEST(LogFormatTest, TextForPeople) {
  const Field fields[] = {{"node", 2},   {"address", "h:1"}, {"why", "no such thing"},
                          {"empty", ""}, {"up", true},       {"odd", "a=b\n"}};
  EXPECT_EQ(FormatLine(false, kTime, Level::kInfo, "peer", "connected", fields),
            "2023-11-14T22:13:20.123456Z info peer: connected node=2 address=h:1 "
            "why=\"no such thing\" empty=\"\" up=true odd=\"a=b\\n\"");
  EXPECT_EQ(FormatLine(false, kTime, Level::kError, "node", "two\nlines", {}),
            "2023-11-14T22:13:20.123456Z error node: two lines");
}

TEST(LogFormatTest, JsonForMachines) {
  const Field fields[] = {
      {"node", uint64_t{18446744073709551615u}}, {"quote", "\"\\\xFF"}, {"up", false}};
  const std::string line = FormatLine(true, kTime, Level::kWarn, "grpc", "a \"b\"", fields);
  const nlohmann::json json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(json["level"], "warn");
  EXPECT_EQ(json["part"], "grpc");
  EXPECT_EQ(json["message"], "a \"b\"");
  EXPECT_EQ(json["node"], 18446744073709551615u);
  EXPECT_EQ(json["quote"], "\"\\\xEF\xBF\xBD");
  EXPECT_EQ(json["up"], false);
}

TEST(LogFormatTest, ALineFitsIntoAPageAndStaysJson) {
  const std::string control(10'000, '\x01');
  const Field fields[] = {{"a", control}, {"b", control}, {"c", control}};
  const std::string line = FormatLine(true, kTime, Level::kInfo, "node", control, fields);
  EXPECT_LE(line.size() + 1, 4096u);
  EXPECT_TRUE(nlohmann::json::accept(line));
  EXPECT_LE(FormatLine(false, kTime, Level::kInfo, "node", control, fields).size() + 1, 4096u);
}

TEST_F(LogTest, WritesWhatThePartsLevelAllows) {
  Settings settings;
  settings.level = Level::kWarn;
  settings.levels = {{"peer", Level::kDebug}, {"http", Level::kOff}};
  StartInFile(settings);
  EXPECT_TRUE(Enabled(Level::kDebug, "peer"));
  EXPECT_FALSE(Enabled(Level::kTrace, "peer"));
  EXPECT_FALSE(Enabled(Level::kInfo, "node"));
  Info("node", "hidden");
  Warn("node", "one", {{"n", 1}});
  Debug("peer", "two");
  Error("http", "hidden");
  const std::string text = Written();
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  ASSERT_EQ(lines.size(), 3u) << text;
  EXPECT_TRUE(absl::EndsWith(lines[0], " warn node: one n=1")) << text;
  EXPECT_TRUE(absl::EndsWith(lines[1], " debug peer: two")) << text;
  Error("node", "after the end");
  EXPECT_FALSE(Enabled(Level::kError, "node"));
}

// Nobody reads the pipe: logging goes on, and what was lost is told when somebody reads again.
TEST_F(LogTest, NeverWaitsForAReaderAndCountsWhatIsLost) {
  int pipe[2] = {-1, -1};
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  Settings settings;
  settings.lines_max = 16;
  settings.fd = pipe[1];
  const uint64_t before = Dropped();
  Start(settings);
  constexpr int kLines = 20'000;
  const std::string text(100, 'x');
  for (int i = 0; i < kLines; ++i) Info("node", "line", {{"text", text}});
  EXPECT_GT(Dropped(), before) << "a pipe holds less than that";

  ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  std::string read;
  char buffer[65536];
  const auto drain = [&] {
    for (ssize_t got; (got = ::read(pipe[0], buffer, sizeof(buffer))) > 0;) {
      read.append(buffer, static_cast<size_t>(got));
    }
  };
  while (!absl::StrContains(read, "lines were dropped")) {
    drain();
    Info("node", "again");
  }
  Stop();
  drain();
  EXPECT_TRUE(absl::StrContains(read, " warn log: lines were dropped")) << read.substr(0, 500);
  EXPECT_TRUE(absl::StrContains(read, " dropped=")) << read.substr(0, 500);
  for (absl::string_view line : absl::StrSplit(read, '\n')) {
    EXPECT_TRUE(line.empty() || absl::StartsWith(line, "20")) << "not a whole line: " << line;
  }
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// The queue's thread must never be the one that ends the queue.
TEST_F(LogTest, StartsAndStopsWhileOthersLog) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) Info("node", "from another thread");
  });
  for (int i = 0; i < 300; ++i) {
    Settings settings;
    settings.lines_max = 64;
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    StartInFile(settings);
    Warn("node", "the last words", {{"i", i}});
    Stop();
  }
  done = true;
  other.join();
  const std::string text = directory_.Read("log");
  EXPECT_TRUE(absl::StrContains(text, " warn node: the last words i=299\n"));
}

TEST(LogLevelTest, NamesAreThoseOfTheSettings) {
  EXPECT_EQ(LevelOf("trace"), Level::kTrace);
  EXPECT_EQ(LevelOf("off"), Level::kOff);
  EXPECT_EQ(LevelOf("loud"), Level::kInfo);
}

}  // namespace
}  // namespace lockstep::log
