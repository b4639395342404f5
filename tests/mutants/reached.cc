#include "tests/mutants/reached.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

void MutantReached() {
  // Worker processes share the mark through the file system.
  static bool marked = false;
  if (marked) return;
  marked = true;
  const char* path = std::getenv("LOCKSTEP_MUTANT_REACHED");
  if (path == nullptr) return;
  const int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (file >= 0) close(file);
}
