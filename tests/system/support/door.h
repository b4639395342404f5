// A client's way into a cluster, whichever it is: every call waits, ends by its time-out, and says
// what became of it.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_DOOR_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_DOOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bin/lockstep_api.h"
#include "core/base/types.h"

namespace lockstep::system {

enum class DoorKind : uint8_t {
  kLibrary,  // the client library: routes and retries itself, with sessions of its own
  kGrpc,     // lockstep.v1.KV at one node after the other, as any gRPC client would
  kHttp,     // the HTTP API
};
inline constexpr DoorKind kAllDoors[] = {DoorKind::kLibrary, DoorKind::kGrpc, DoorKind::kHttp};

// A comparison: whether it swapped, and if not, what was there.
struct Swap {
  bool swapped = false;
  std::optional<std::string> actual;
  bool actual_known = true;
};

// An error says in its status what became of the call (client::EffectOf).
class Door {
 public:
  virtual ~Door() = default;
  virtual absl::StatusOr<std::optional<std::string>> Get(const std::string& key) = 0;
  virtual absl::Status Put(const std::string& key, const std::string& value) = 0;
  virtual absl::Status Append(const std::string& key, const std::string& value) = 0;
  virtual absl::Status Delete(const std::string& key) = 0;
  virtual absl::StatusOr<Swap> CompareAndSwap(const std::string& key,
                                              const std::optional<std::string>& expected,
                                              const std::optional<std::string>& value) = 0;
};

// The addresses of the protocol's own ports. `first`: which server is asked first.
struct DoorOptions {
  DoorKind kind = DoorKind::kLibrary;
  std::vector<std::string> grpc = {};
  std::vector<std::string> http = {};
  size_t first = 0;
  Duration timeout;
};
std::unique_ptr<Door> OpenDoor(const DoorOptions& options);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_DOOR_H_
