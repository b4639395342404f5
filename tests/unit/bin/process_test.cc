#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <string>

#include "bin/process_child.h"
#include "bin/process_ports.h"
#include "bin/process_usage.h"
#include "tests/unit/bin/support.h"

namespace lockstep {
namespace {

Child Start(const std::string& script, const std::string& output = "/dev/null") {
  absl::StatusOr<Child> child = Child::Start(
      {.program = "sh", .arguments = {"-c", script}, .variables = {}, .output = output});
  EXPECT_TRUE(child.ok()) << child.status();
  return *std::move(child);
}
constexpr Duration kPatience = std::chrono::seconds(60);

TEST(ChildTest, TellsHowItEnded) {
  Child child = Start("exit 3");
  const std::optional<ChildEnd> end = child.Wait(kPatience);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(Describe(*end), "exit code 3");
  EXPECT_EQ(child.Poll()->code, 3);
  child.Signal(SIGKILL);  // Its number may be somebody else's by now.

  Child killed = Start("kill -9 $$");
  EXPECT_EQ(Describe(*killed.Wait(kPatience)), "killed by SIGKILL");
}

TEST(ChildTest, IsStoppedOrElseKilled) {
  Child polite = Start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  EXPECT_FALSE(polite.Poll().has_value());
  EXPECT_FALSE(polite.Wait(std::chrono::milliseconds(1)).has_value());
  Child plain = Start("exec sleep 1000");
  EXPECT_EQ(plain.Stop(kPatience).signal, SIGTERM);
  Child stubborn = Start("trap '' TERM; while :; do sleep 0.01; done");
  const ChildEnd end = stubborn.Stop(std::chrono::milliseconds(100));
  // It may not have come to its trap yet.
  EXPECT_TRUE(end.signal == SIGKILL || end.signal == SIGTERM) << Describe(end);
}

TEST(ChildTest, GetsVariablesAndAFileForItsOutput) {
  const TemporaryDirectory directory;
  const ScopedVariable kept("LOCKSTEP_TEST_KEPT", "kept");
  const ScopedVariable replaced("LOCKSTEP_TEST_REPLACED", "old");
  absl::StatusOr<Child> child = Child::Start(
      {.program = "sh",
       .arguments = {"-c", "echo $LOCKSTEP_TEST_KEPT $LOCKSTEP_TEST_REPLACED; echo wrong >&2"},
       .variables = {{"LOCKSTEP_TEST_REPLACED", "new"}},
       .output = directory.path("out")});
  ASSERT_TRUE(child.ok()) << child.status();
  ASSERT_TRUE(child->Wait(kPatience).has_value());
  EXPECT_EQ(directory.Read("out"), "kept new\nwrong\n");
}

TEST(ChildTest, SaysWhatCannotBeStarted) {
  const absl::Status status =
      Child::Start({.program = "/no/such", .arguments = {}, .variables = {}, .output = ""})
          .status();
  EXPECT_EQ(status.message(), "/no/such cannot be started: No such file or directory");
}

TEST(ChildTest, DoesNotOutliveItsOwner) {
  pid_t pid = 0;
  {
    Child child = Start("exec sleep 1000");
    pid = child.pid();
    const Child moved = std::move(child);
    EXPECT_EQ(moved.pid(), pid);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(PortsTest, AreFreeAndDifferent) {
  const absl::StatusOr<std::vector<uint16_t>> ports = FreePorts(30);
  ASSERT_TRUE(ports.ok()) << ports.status();
  EXPECT_EQ(std::set<uint16_t>(ports->begin(), ports->end()).size(), 30u);
  EXPECT_TRUE(PortIsFree(ports->front()));
  EXPECT_FALSE(FreePorts(100'000).ok());
}

TEST(UsageTest, CountsTheTimeAndMemoryOfAProcess) {
  const absl::StatusOr<ProcessUsage> before = UsageOf(::getpid());
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_GT(before->resident_bytes, 100'000u);
  // Work until the clock of the kernel has noticed.
  absl::StatusOr<ProcessUsage> after = before;
  while (after->cpu_us == before->cpu_us) after = UsageOf(::getpid());
  EXPECT_GT(after->cpu_us, before->cpu_us);
  EXPECT_FALSE(UsageOf(999'999'999).ok());
}

TEST(UsageTest, ANameMayHoldAnything) {
  const absl::StatusOr<ProcessUsage> usage = ParseStat(
      "12 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 5 0 100 1000 7 18446744073709551615",
      100, 4096);
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_EQ(usage->cpu_us, 2'000'000u);
  EXPECT_EQ(usage->resident_bytes, 7u * 4096);
  EXPECT_FALSE(ParseStat("12 (a) S 1", 100, 4096).ok());
}

TEST(UsageTest, CountsWhatTheWholeMachineWorks) {
  const absl::StatusOr<uint64_t> busy =
      ParseMachineStat("cpu  100 10 20 5000 7 3 4 1 90 9\ncpu0 1 2 3\n", 100);
  ASSERT_TRUE(busy.ok()) << busy.status();
  EXPECT_EQ(*busy, 1'370'000u);
  EXPECT_GT(*MachineCpuUs(), 0u);
}

}  // namespace
}  // namespace lockstep
