// lockstep::core and nothing else.
#include <cstdio>

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/runtime/record_log.h"

int main() {
  lockstep::Rng rng(1);
  const uint64_t die = rng.Between(uint64_t{1}, uint64_t{6});
  lockstep::ReplicaImage image;
  lockstep::RecordLog log(image);
  log.Append(lockstep::Bytes::Copy("first"));
  std::printf("die %d, last %d\n", static_cast<int>(die), static_cast<int>(log.last().value()));
  return die >= 1 && die <= 6 && log.last() == lockstep::Index(1) ? 0 : 1;
}
