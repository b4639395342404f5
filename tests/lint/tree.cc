// Finds the sources of the tree and runs every rule on them.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/lint/rules.h"

namespace lockstep::lint {

Findings CheckAll(const SourceText& source) {
  Findings findings;
  CheckLayers(source, findings);
  CheckBans(source, findings);
  CheckDraws(source, findings);
  CheckForm(source, findings);
  return findings;
}

std::vector<std::string> SourcesUnder(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<std::string> sources;
  for (fs::recursive_directory_iterator it(root), end; it != end; ++it) {
    const std::string name = it->path().filename().string();
    if (it->is_directory()) {
      if (absl::StartsWith(name, ".") || absl::StartsWith(name, "build")) {
        it.disable_recursion_pending();
      }
      continue;
    }
    const std::string path = it->path().lexically_relative(root).generic_string();
    if (IsCpp(path) || absl::EndsWith(path, ".proto")) sources.push_back(path);
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

}  // namespace lockstep::lint
