#include "net/client/cluster_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/client/failure.h"

namespace lockstep::client {
namespace {

// Another server may do better.
bool MayHelpElsewhere(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsCancelled(status) ||
         absl::IsUnknown(status) || absl::IsUnimplemented(status) || absl::IsAborted(status);
}

// An error that says what became of the call, also where the server could not.
absl::Status WithEffect(absl::Status status, Effect effect) {
  if (FailureOf(status).has_value()) return status;
  const bool late = absl::IsDeadlineExceeded(status);
  return FailureStatus(status.code(), effect, late ? "TIMEOUT" : "UNAVAILABLE", status.message());
}

}  // namespace

void ClusterCalls::Start(std::vector<std::string> servers, std::string method, Kind kind,
                         Bytes request, Instant deadline, Done done) {
  if (calls_.size() >= kClusterCallsMax) {
    return done(FailureStatus(
        absl::StatusCode::kResourceExhausted, Effect::kNone, "OVERLOADED",
        absl::StrCat(kClusterCallsMax, " calls to the cluster are under way: wait for some")));
  }
  const auto preferred = std::find(servers.begin(), servers.end(), preferred_);
  if (preferred != servers.end()) std::rotate(servers.begin(), preferred, preferred + 1);
  const uint64_t id = ++last_id_;
  calls_.emplace(id, Ongoing{.servers = std::move(servers),
                             .method = std::move(method),
                             .kind = kind,
                             .request = std::move(request),
                             .deadline = deadline,
                             .done = std::move(done),
                             .problems = {}});
  AskNext(id);
}

// What only reads leaves time for the other servers: one that hangs must not use all of it up.
Duration ClusterCalls::Patience(const Ongoing& call) const {
  const Duration left = call.deadline - Now();
  if (call.kind == Kind::kChanges) return left;
  return left / static_cast<int64_t>(call.servers.size() - call.next);
}

void ClusterCalls::AskNext(uint64_t id) {
  Ongoing& call = calls_.at(id);
  const Duration patience = Patience(call);
  const std::string server = call.servers[call.next++];
  carrier_->Call(server, call.method, call.request, patience, [this, id, server](CallEnd end) {
    if (end.status.ok()) preferred_ = server;
    OnEnd(id, std::move(end));
  });
}

void ClusterCalls::OnEnd(uint64_t id, CallEnd end) {
  Ongoing& call = calls_.at(id);
  if (end.status.ok()) return Finish(id, std::move(end.response));
  const bool harmless =
      call.kind == Kind::kReads || !end.sent || EffectOf(end.status) == Effect::kNone;
  absl::Status status =
      WithEffect(std::move(end.status), harmless ? Effect::kNone : Effect::kUnknown);
  if (!harmless || !MayHelpElsewhere(status)) return Finish(id, std::move(status));
  call.problems.emplace_back(status.message().data(), status.message().size());
  const bool more = call.next < call.servers.size() && Now() < call.deadline;
  if (more && !absl::IsCancelled(status)) return AskNext(id);
  GiveUp(id, std::move(status));
}

// Every server's own problem, not only the last one's.
void ClusterCalls::GiveUp(uint64_t id, absl::Status last) {
  const std::vector<std::string>& problems = calls_.at(id).problems;
  if (problems.size() == 1) return Finish(id, std::move(last));
  v1::Failure failure = FailureOf(last).value_or(v1::Failure());
  const std::string message =
      absl::StrCat("no server could do it: ", absl::StrJoin(problems, "; "));
  failure.set_message(message);
  Finish(id, WithFailure(absl::Status(last.code(), message), failure));
}

void ClusterCalls::Finish(uint64_t id, absl::StatusOr<Bytes> answer) {
  Done done = std::move(calls_.at(id).done);
  calls_.erase(id);
  done(std::move(answer));
}

}  // namespace lockstep::client
