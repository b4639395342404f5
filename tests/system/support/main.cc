// Tests with real processes run in namespaces of their own where that is allowed: entered before
// any thread exists.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/system/support/isolation.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  lockstep::system::IsolateThisProcess();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
