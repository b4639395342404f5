// Runs the scripts of tests/testdata/node: what the shell promises, one promise each.
#include <string>

#include "gtest/gtest.h"
#include "tests/support/datadriven.h"
#include "tests/support/node_script.h"

namespace lockstep::test {
namespace {

const char kDirectory[] = LOCKSTEP_SOURCE_DIR "/tests/testdata/node";

class NodeScripts : public testing::TestWithParam<std::string> {};

TEST_P(NodeScripts, SaysWhatItSays) {
  NodeScript script;
  RunScript(std::string(kDirectory) + "/" + GetParam() + ".txt",
            [&](Command& command) { return script.Run(command); });
}

INSTANTIATE_TEST_SUITE_P(All, NodeScripts, testing::ValuesIn(ScriptsIn(kDirectory)),
                         [](const auto& script) { return script.param; });

}  // namespace
}  // namespace lockstep::test
