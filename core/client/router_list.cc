// Lists: each group is asked for what it has, until all shards have been answered for.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/client/router.h"

namespace lockstep::client {

void Router::PlanList(Instant now, OperationId id, Output* out) {
  if (!routes_.has_groups()) return Wait(id);
  Operation& operation = operations_.at(id);
  auto& list = std::get<GatheredList>(operation.gathered);
  SetTimer(id, operation, operation.deadline);
  for (GatheredList::Asked& asked : list.Plan(routes_)) {
    const Slot slot = GroupLine(asked.group);
    proto::Query query = asked.query;
    list.Ask(last_part_.Next(), std::move(asked));
    Dispatch(now, slot, id, 0, std::move(query), out);
  }
}

void Router::OnListPart(Instant now, OperationId id, OperationId part, Outcome outcome,
                        Output* out) {
  Operation& operation = operations_.at(id);
  auto& list = std::get<GatheredList>(operation.gathered);
  if (outcome.kind == Outcome::Kind::kOk && list.Add(part, std::move(outcome.result))) {
    if (!list.complete()) return;
    Outcome whole;
    whole.kind = Outcome::Kind::kOk;
    whole.result = list.Finish();
    return Finish(id, std::move(whole), out);
  }
  operation.last_problem = "a group's page has no end";
  if (outcome.kind != Outcome::Kind::kOk) {
    list.Return(part);
    const proto::Code code = outcome.result.code();
    const bool elsewhere = code == proto::WRONG_GROUP || code == proto::UNKNOWN_GROUP;
    if (!elsewhere) return Finish(id, std::move(outcome), out);
    operation.last_problem = absl::StrCat(outcome.status.message());
    Output doubt;
    doubt.group_unknown = code == proto::UNKNOWN_GROUP;
    doubt.refused_at = outcome.result.configuration_num();
    Doubt(now, doubt);
  }
  const Duration pause = Pause(operation.backoffs);
  ++operation.backoffs;
  SetTimer(id, operation, now + pause);
}

// What is asked where it is not any more need not wait for that answer.
void Router::AbandonMisplaced(OperationId id) {
  auto& list = std::get<GatheredList>(operations_.at(id).gathered);
  for (const OperationId part : list.Misplaced(routes_)) {
    Abandon(part);
    list.Return(part);
  }
}

void Router::Abandon(OperationId part) { parts_.at(part).operation = OperationId(); }

}  // namespace lockstep::client
