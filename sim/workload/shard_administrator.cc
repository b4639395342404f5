#include "sim/workload/shard_administrator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/controller/admin.h"
#include "sim/network/latency.h"

namespace lockstep::sim {
namespace {

using controller::Configuration;
using controller::Group;

bool IsRefusal(proto::Code code) {
  return code == proto::ALREADY_EXISTS || code == proto::NOT_FOUND ||
         code == proto::FAILED_PRECONDITION;
}

}  // namespace

ShardAdministrator::ShardAdministrator(const ShardAdministration& options, MembersOfId members,
                                       const ControllerMirror& mirror, Findings& findings, Rng rng)
    : options_(options),
      mirror_(mirror),
      findings_(findings),
      rng_(rng),
      router_(options.client, rng.Split("router")),
      inquirer_(options.inquiries, options.groups, std::move(members), mirror, findings,
                rng.Split("inquiries")) {}

// --- Time

void ShardAdministrator::Start() {
  lockstep::Check(port_ != nullptr, "bind the administrator first");
  DrawJoin(port_->Now());
  Sleep();
}

void ShardAdministrator::OnReply(uint64_t attempt, const Bytes& reply) {
  if (attempt >= ClusterInquirer::kFirstAttempt) {
    if (inquirer_.OnReply(attempt, reply)) OnInquired();
    return Sleep();
  }
  Step(client::Reply{.attempt = client::AttemptId(attempt), .reply = reply});
  Sleep();
}

void ShardAdministrator::OnWake() {
  const Instant now = port_->Now();
  if (now >= router_wake_) Step(client::Wake{});
  if (inquirer_.OnTime(now)) OnInquired();
  if (!deed_.has_value() && !inquirer_.under_way() && now >= deed_at_) Draw(now);
  Sleep();
}

void ShardAdministrator::Sleep() {
  const Instant next = inquirer_.under_way() ? inquirer_.patience_ends()
                       : deed_.has_value()   ? kNever
                                             : deed_at_;
  port_->WakeAt(std::min(router_wake_, next));
}

void ShardAdministrator::BeginFinalRound() {
  final_round_ = true;
  if (!deed_.has_value()) deed_at_ = port_->Now();
  statuses_before_ = inquirer_.statuses();
  Sleep();
}

bool ShardAdministrator::Done() const { return final_done_; }

std::string ShardAdministrator::WaitingFor() const {
  if (final_done_) return "";
  return absl::StrCat("administrator: ", inquirer_.under_way() ? "an inquiry"
                                         : deed_.has_value()   ? deed_->name
                                                               : "its turn");
}

// --- Deeds

void ShardAdministrator::Draw(Instant now) {
  deed_at_ = kNever;
  if (final_round_) return EnsureMembers(now);
  if (inquirer_.WantsTurn()) return Inquire(inquirer_.Begin(now, Absent()));
  if (mirror_.newest().groups.empty()) return DrawJoin(now);
  switch (rng_.Below(10)) {
    case 0:
    case 1:
      return DrawJoin(now);
    case 2:
    case 3:
      return DrawLeave(now);
    case 4:
      return DrawNonsense(now);
    case 5:
      return DrawQuery(now);
    default:
      return DrawMove(now);
  }
}

void ShardAdministrator::Begin(Instant now, Deed deed,
                               std::variant<proto::Command, proto::Query> operation) {
  deed_ = std::move(deed);
  deed_->query = std::holds_alternative<proto::Query>(operation);
  constexpr Duration kPatience = std::chrono::hours(24);  // The world bounds the run.
  Step(client::Invoke{.id = client::OperationId(++last_operation_),
                      .operation = std::move(operation),
                      .deadline = now + kPatience});
}

std::vector<Group> ShardAdministrator::Absent() const {
  std::vector<Group> absent;
  for (const Group& group : options_.groups) {
    if (mirror_.newest().Find(group.gid) == nullptr) absent.push_back(group);
  }
  return absent;
}

void ShardAdministrator::DrawJoin(Instant now) {
  std::vector<Group> joining;
  for (const Group& group : Absent()) {
    if (rng_.Chance({1, 2})) joining.push_back(group);
  }
  if (joining.empty()) joining = Absent();
  if (joining.empty()) return DrawMove(now);
  Begin(now, {.name = "join"}, controller::MakeJoin(joining, options_.shards));
}

void ShardAdministrator::DrawLeave(Instant now) {
  const std::vector<Group>& members = mirror_.newest().groups;
  std::vector<GroupId> leaving;
  for (const Group& group : members) {
    if (rng_.Chance({1, 3})) leaving.push_back(group.gid);
  }
  if (leaving.empty()) leaving.push_back(members[rng_.Below(members.size())].gid);
  const bool all = leaving.size() == members.size();
  Deed deed{.name = "leave"};
  // As of now; others do not change it, unless a gateway does so late.
  deed.nonsense = all && !options_.force && !inquirer_.join_is_open();
  Begin(now, std::move(deed), controller::MakeLeave(leaving, /*force=*/all && options_.force));
}

void ShardAdministrator::DrawMove(Instant now) {
  const Configuration& newest = mirror_.newest();
  if (!newest.pins.empty() && rng_.Chance({1, 3})) {
    const uint64_t which = rng_.Below(newest.pins.size());
    return Begin(now, {.name = "unpin"}, controller::MakeUnpin(newest.pins[which].shard));
  }
  const uint64_t shard = rng_.Below(options_.shards);
  const uint64_t to = rng_.Below(newest.groups.size());
  Begin(now, {.name = "move"}, controller::MakeMove(ShardId(shard), newest.groups[to].gid));
}

void ShardAdministrator::DrawNonsense(Instant now) {
  const Configuration& newest = mirror_.newest();
  const GroupId nobody(options_.groups.size() + 100);
  Deed deed{.name = "nonsense", .nonsense = true};
  switch (rng_.Below(6)) {
    case 0:
      return Begin(now, deed, controller::MakeLeave({nobody}, /*force=*/false));
    case 1:
      return Begin(now, deed, controller::MakeMove(ShardId(0), nobody));
    case 2:
      return Begin(now, deed,
                   controller::MakeMove(ShardId(options_.shards), newest.groups.front().gid));
    case 3:
      return Begin(now, deed, controller::MakeJoin({newest.groups.front()}, options_.shards));
    case 4:
      return Begin(now, deed, controller::MakeJoin({{.gid = nobody}}, options_.shards));
    default:
      return Begin(now, deed, controller::MakeUnpin(ShardId(options_.shards)));
  }
}

void ShardAdministrator::DrawQuery(Instant now) {
  Deed deed{.name = "query"};
  const bool newest = rng_.Chance({1, 3});
  const uint64_t num = rng_.Below(mirror_.newest().num.value() + 2);
  deed.asked_num = newest ? 0 : num;
  if (deed.asked_num == 0) deed.least_num = mirror_.newest().num.value();
  Begin(now, deed, controller::MakeGetConfiguration(controller::ConfigurationNum(deed.asked_num)));
}

void ShardAdministrator::EnsureMembers(Instant now) {
  if (!mirror_.newest().groups.empty()) {
    // However many servers are dead, somebody tells how everybody is.
    const bool told = inquirer_.statuses() > statuses_before_;
    if (told || options_.inquiries.servers.empty()) {
      final_done_ = true;
      return;
    }
    return Inquire(inquirer_.BeginStatus(now));
  }
  Begin(now, {.name = "join of all"}, controller::MakeJoin(options_.groups, options_.shards));
}

void ShardAdministrator::Inquire(const ClusterInquirer::Call& call) {
  port_->SendRequest(call.to, call.attempt, call.request);
}

void ShardAdministrator::OnInquired() { deed_at_ = NextDeedAt(); }

Instant ShardAdministrator::NextDeedAt() {
  if (final_round_) return port_->Now() + Duration(1);
  return port_->Now() + Duration(ExponentialTail(rng_, options_.gap_mean.count()) + 1);
}

// --- Answers

void ShardAdministrator::Step(client::Input input) {
  client::Output out;
  router_.Step(port_->Now(), std::move(input), &out);
  router_wake_ = out.wake_at;
  for (client::Send& send : out.sends) {
    if (deed_.has_value() && send.operation && !deed_->query) {
      deed_->identity = IdentifyRequest(send.request);
    }
    port_->SendRequest(send.to, send.attempt.value(), std::move(send.request));
  }
  for (const client::Completion& completion : out.completions) OnCompletion(completion.outcome);
}

void ShardAdministrator::OnCompletion(const client::Outcome& outcome) {
  lockstep::Check(deed_.has_value(), "a completion of nothing");
  using Kind = client::Outcome::Kind;
  if (outcome.kind == Kind::kUnknown) ++unknown_;
  if (outcome.kind == Kind::kNotExecuted) ++refusals_;
  if (outcome.kind == Kind::kOk) CheckAnswer(outcome.result);
  deed_.reset();
  deed_at_ = NextDeedAt();
}

void ShardAdministrator::CheckAnswer(const proto::Result& result) {
  if (deed_->query) {
    ++queries_;
    if (!result.has_configuration()) return;
    const uint64_t num = result.configuration().num();
    if (deed_->asked_num != 0 && num != deed_->asked_num) {
      return Report(absl::StrCat("was given configuration ", num, ", not ", deed_->asked_num));
    }
    if (num < deed_->least_num) {
      return Report(absl::StrCat("was given configuration ", num, " as the newest, after ",
                                 deed_->least_num, " had been made"));
    }
    const Configuration* known = mirror_.At(num);
    const bool same = known != nullptr && controller::ToProto(*known).SerializeAsString() ==
                                              result.configuration().SerializeAsString();
    if (!same) Report(absl::StrCat("was given a configuration ", num, " that was never made"));
    return;
  }
  executed_.push_back({deed_->name, deed_->identity, Index(result.index())});
  IsRefusal(result.code()) ? ++refusals_ : ++changes_;
  if (deed_->nonsense && !IsRefusal(result.code())) {
    Report(absl::StrCat("asked for nonsense and was told ", proto::Code_Name(result.code())));
  }
}

void ShardAdministrator::Report(const std::string& what) {
  findings_.Report("Administration",
                   absl::StrCat("the administrator's ", deed_->name, ": it ", what));
}

void ShardAdministrator::Check(ClusterCheckers& checkers, Findings& findings) const {
  const SessionModel& sessions = checkers.sessions(kControllerGroup);
  for (const Executed& one : executed_) {
    const Index first = sessions.FirstOf(one.identity);
    if (first && first == one.index) continue;
    return findings.Report(
        "Exactly-Once",
        absl::StrCat("the administrator was told that its ", one.name, ", command ",
                     one.identity.sequence, " of session ", one.identity.session.value(),
                     ", was executed at index ", one.index.value(),
                     "\nin the controller's log it is first at index ", first.value()));
  }
}

void ShardAdministrator::AppendCounters(Counters* counters) const {
  auto& values = counters->values;
  values.emplace_back("shard changes confirmed", changes_);
  values.emplace_back("shard changes refused", refusals_);
  values.emplace_back("configurations read", queries_);
  if (!options_.inquiries.servers.empty()) inquirer_.AppendCounters(counters);
}

}  // namespace lockstep::sim
