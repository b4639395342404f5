// The way from the fronts to the node: what a caller may not do does not get through.
//
// A request that is refused is answered as the node would answer one that it does not execute.
// Thread-safe.
#ifndef LOCKSTEP_NET_ACCESS_DOOR_H_
#define LOCKSTEP_NET_ACCESS_DOOR_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/bytes.h"
#include "net/access/guard.h"
#include "net/service.h"

namespace lockstep::net {

class Door {
 public:
  // `service` outlives it.
  Door(Service& service, std::shared_ptr<const Guard> guard)
      : service_(service), guard_(std::move(guard)) {}

  const Guard& guard() const { return *guard_; }

  // As Service's. A refusal comes within the call, on the calling thread. `who` is asked where it
  // matters who calls.
  using WhoCalls = absl::FunctionRef<Caller()>;
  void Call(WhoCalls who, Bytes request, Service::Done done);
  void CallAll(WhoCalls who, std::vector<std::pair<Bytes, Service::Done>> calls);
  // For the front's own questions.
  Service& service() { return service_; }

 private:
  // True: it was refused, and answered.
  bool Refuses(WhoCalls who, const Bytes& request, Service::Done* done) const;

  Service& service_;
  const std::shared_ptr<const Guard> guard_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_ACCESS_DOOR_H_
