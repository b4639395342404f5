// The one place where it is decided whether a caller may do what it asks for.
#ifndef LOCKSTEP_NET_ACCESS_GUARD_H_
#define LOCKSTEP_NET_ACCESS_GUARD_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "net/access/access_policy.h"
#include "net/access/need.h"
#include "net/log.h"

namespace lockstep::net {

// Who calls, as far as it has shown. A value: it holds no rights, those are looked up each time, so
// what a policy takes away is gone at once, also for connections that are open.
struct Caller {
  std::string certificate = {};   // the common name of its verified certificate; empty: none
  std::string token_digest = {};  // of the token that it has shown; empty: none
  std::string address = {};       // where it calls from
};

// Of what an Authorization field says: "Bearer TOKEN", or "Basic ..." with the token as password.
// Empty: neither.
std::string TokenIn(absl::string_view authorization);

// Thread-safe.
class Guard {
 public:
  // No policy: whoever can connect may do everything. `audit`: is told of everything that needs
  // kAdmin.
  explicit Guard(std::shared_ptr<const AccessPolicy> policy = nullptr, LogSink audit = {});

  void Replace(std::shared_ptr<const AccessPolicy> policy);
  // Whether anybody may be refused.
  bool has_policy() const { return Policy() != nullptr; }

  // OK; Unauthenticated: nobody is known by what the caller has shown; PermissionDenied: it may
  // not. A refusal says who, what and what is lacking, and nothing of the store.
  absl::Status Judge(const Caller& caller, const Need& need) const;

  // For the audit: what was asked, and what became of it.
  void Note(const Caller& caller, const std::string& action, absl::string_view outcome) const;

 private:
  std::shared_ptr<const AccessPolicy> Policy() const;

  const LogSink audit_;
  mutable std::mutex mutex_;
  std::shared_ptr<const AccessPolicy> policy_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_ACCESS_GUARD_H_
