// A directory on a real disk for what one test leaves behind. It is removed at the end of a test
// that has passed, and named and kept when the test has failed.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_WORKSPACE_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_WORKSPACE_H_

#include <cstdint>
#include <string>

namespace lockstep::system {

class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// All of a small file; empty when there is none.
std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& text);
// Its last lines.
std::string TailOf(const std::string& path, size_t lines);
// What the files below a directory occupy on the disk.
uint64_t BytesBelow(const std::string& directory);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_WORKSPACE_H_
