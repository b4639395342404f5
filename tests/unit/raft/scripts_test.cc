// Runs the scripts of tests/testdata/raft: one rule of the paper each.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/datadriven.h"
#include "tests/support/raft_script.h"

namespace lockstep::test {
namespace {

const char kDirectory[] = LOCKSTEP_SOURCE_DIR "/tests/testdata/raft";

class RaftScripts : public testing::TestWithParam<std::string> {};

TEST_P(RaftScripts, SaysWhatItSays) {
  RaftScript script;
  RunScript(std::string(kDirectory) + "/" + GetParam() + ".txt",
            [&](Command& command) { return script.Run(command); });
}

INSTANTIATE_TEST_SUITE_P(All, RaftScripts, testing::ValuesIn(ScriptsIn(kDirectory)),
                         [](const auto& script) { return script.param; });

}  // namespace
}  // namespace lockstep::test
