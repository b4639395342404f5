// The code that the documents show is code that is built and run: every C++ block of them stands in
// tests/examples, line by line.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace lockstep {
namespace {

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What stands between "```cpp" and "```".
std::vector<std::string> CodeBlocks(const std::string& document) {
  std::vector<std::string> blocks;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(document, '\n')) {
    if (line == "```cpp") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().append(line.data(), line.size()).append("\n");
    }
  }
  return blocks;
}

std::vector<std::string> Examples() {
  std::vector<std::string> sources;
  const std::filesystem::path root = std::string(LOCKSTEP_SOURCE_DIR) + "/tests/examples";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) sources.push_back("\n" + Read(entry.path()));
  }
  return sources;
}

TEST(Documents, ShowCodeThatIsBuiltAndRun) {
  const std::vector<std::string> sources = Examples();
  ASSERT_GE(sources.size(), 8u);
  for (const char* document : {"tutorial.md", "ci.md"}) {
    const std::string text = Read(std::string(LOCKSTEP_SOURCE_DIR) + "/docs/" + document);
    const std::vector<std::string> blocks = CodeBlocks(text);
    EXPECT_FALSE(blocks.empty()) << document;
    for (const std::string& block : blocks) {
      const bool found = std::any_of(
          sources.begin(), sources.end(),
          [&](const std::string& source) { return absl::StrContains(source, "\n" + block); });
      EXPECT_TRUE(found) << document << " shows what no file of tests/examples holds:\n" << block;
    }
  }
}

}  // namespace
}  // namespace lockstep
