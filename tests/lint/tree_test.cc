// Runs every rule over the whole tree, and keeps the tables of exceptions honest.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/lint/rules.h"

namespace lockstep::lint {
namespace {

SourceText Load(const std::string& path) {
  std::ifstream file(absl::StrCat(LOCKSTEP_SOURCE_DIR, "/", path), std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return MakeSourceText(path, text.str());
}

TEST(Tree, KeepsTheRules) {
  const std::vector<std::string> sources = SourcesUnder(LOCKSTEP_SOURCE_DIR);
  EXPECT_GT(sources.size(), 20u) << "the walk found too little under " << LOCKSTEP_SOURCE_DIR;
  for (const std::string& path : sources) {
    for (const Finding& finding : CheckAll(Load(path))) {
      if (finding.fatal) {
        ADD_FAILURE() << finding;
      } else {
        std::cout << finding << "\n";
      }
    }
  }
}

TEST(Tree, NeedsEveryException) {
  for (const BanException& row : BanExceptions()) {
    Findings findings;
    FindBanned(Load(std::string(row.path)), findings);
    EXPECT_TRUE(std::any_of(findings.begin(), findings.end(),
                            [&](const Finding& finding) { return finding.rule == row.rule; }))
        << row.path << " does not need its exception from \"" << row.rule << "\" any more";
  }
}

}  // namespace
}  // namespace lockstep::lint
