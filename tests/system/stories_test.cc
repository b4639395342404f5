// Each story twice: Sim.NAME and Real.NAME.
#include "tests/system/worlds/stories.h"

#include <gtest/gtest.h>

#include <string>

namespace lockstep::system {
namespace {

using MakeWorld = std::unique_ptr<World> (*)(const WorldSpec& spec, std::string* why);

class Telling : public ::testing::Test {
 public:
  Telling(const Story& story, MakeWorld make) : story_(story), make_(make) {}

  void TestBody() override {
    std::string why;
    const std::unique_ptr<World> world = make_(story_.spec, &why);
    if (world == nullptr) GTEST_SKIP() << why;
    story_.tell(*world);
  }

 private:
  const Story story_;
  const MakeWorld make_;
};

void Register(const char* suite, MakeWorld make) {
  for (const Story& story : Stories()) {
    ::testing::RegisterTest(suite, story.name, nullptr, nullptr, __FILE__, __LINE__,
                            [story, make]() -> Telling* { return new Telling(story, make); });
  }
}

// Before main asks for the tests.
[[maybe_unused]] const bool kRegistered = [] {
  Register("Sim", MakeSimWorld);
  Register("Real", MakeRealWorld);
  return true;
}();

}  // namespace
}  // namespace lockstep::system
