#include "core/raft/io.h"

namespace lockstep::raft {

void Output::Clear() {
  log_full = false;
  notes.clear();
  send.clear();
  accepted.clear();
  refused.clear();
  reads.clear();
  roles.clear();
  snapshot_reads.clear();
  snapshot_writes.clear();
  snapshot_closes.clear();
}

}  // namespace lockstep::raft
