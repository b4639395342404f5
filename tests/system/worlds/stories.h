// Stories of clusters that are told in both worlds.
#ifndef LOCKSTEP_TESTS_SYSTEM_WORLDS_STORIES_H_
#define LOCKSTEP_TESTS_SYSTEM_WORLDS_STORIES_H_

#include "absl/types/span.h"
#include "tests/system/worlds/world.h"

namespace lockstep::system {

struct Story {
  const char* name;
  WorldSpec spec;
  void (*tell)(World& world);
};

absl::Span<const Story> Stories();

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_WORLDS_STORIES_H_
