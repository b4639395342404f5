#include "tests/system/support/workspace.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>

#include "core/base/check.h"

namespace lockstep::system {

namespace fs = std::filesystem;

Workspace::Workspace() {
  const char* const parent = std::getenv("TMPDIR");
  path_ = std::string(parent == nullptr ? "/tmp" : parent) + "/lockstep-system-XXXXXX";
  Check(::mkdtemp(path_.data()) != nullptr, "a test needs a directory");
}

Workspace::~Workspace() {
  if (::testing::Test::HasFailure()) {
    std::cerr << "What the nodes have left behind is kept in " << path_ << "\n";
    return;
  }
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  Check(out.flush().good(), "a test cannot write a file");
}

std::string TailOf(const std::string& path, size_t lines) {
  const std::string text = ReadFile(path);
  size_t begin = text.size();
  for (size_t i = 0; i <= lines && begin != std::string::npos && begin > 0; ++i) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

uint64_t BytesBelow(const std::string& directory) {
  constexpr uint64_t kBlock = 512;  // the unit of st_blocks, whatever the file system
  uint64_t bytes = 0;
  std::error_code gone;  // Files come and go while a node runs.
  for (fs::recursive_directory_iterator it(directory, gone), end; it != end; it.increment(gone)) {
    struct stat status = {};
    if (::lstat(it->path().c_str(), &status) == 0) {
      bytes += static_cast<uint64_t>(status.st_blocks) * kBlock;
    }
  }
  return bytes;
}

}  // namespace lockstep::system
