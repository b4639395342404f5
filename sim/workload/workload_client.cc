#include "sim/workload/workload_client.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/check/evidence.h"

namespace lockstep::sim {
namespace {

// An attempt's number on the network: answers to an earlier life must not be taken for answers to
// this one.
constexpr int kLifeShift = 40;

// After a refusal in the final round, which must not become a busy loop.
constexpr Duration kFinalPause = std::chrono::milliseconds(100);

std::string DescribeBody(const std::variant<proto::Command, proto::Query>& body) {
  if (const auto* query = std::get_if<proto::Query>(&body)) {
    if (query->has_get_many()) {
      const absl::string_view pair = PairOf(query->get_many().keys(0));
      return pair.empty() ? std::string("get several") : absl::StrCat("get both of ", pair);
    }
    return query->has_get() ? absl::StrCat("get ", query->get().key()) : std::string("list");
  }
  const auto& command = std::get<proto::Command>(body);
  switch (command.operation_case()) {
    case proto::Command::kPut:
      return absl::StrCat("put ", command.put().key());
    case proto::Command::kAppend:
      return absl::StrCat("append ", command.append().key());
    case proto::Command::kDelete:
      return absl::StrCat("delete ", command.delete_().key());
    case proto::Command::kBatch:
      return absl::StrCat("batch on ", PairOf(command.batch().operations(1).put().key()));
    default:
      return absl::StrCat("cas ", command.compare_and_swap().key());
  }
}

client::Input InputFor(client::OperationId id, const PlannedOperation& planned, Instant deadline) {
  if (!planned.bulk) {
    return client::Invoke{.id = id, .operation = planned.body, .deadline = deadline};
  }
  const auto& operations = std::get<proto::Command>(planned.body).batch().operations();
  return client::InvokeBulk{
      .id = id, .operations = {operations.begin(), operations.end()}, .deadline = deadline};
}

}  // namespace

WorkloadClient::WorkloadClient(uint64_t number, MakeCaller make, uint32_t processes, Rng rng,
                               OperationSource& source, Recorder& recorder)
    : number_(number), make_(std::move(make)), rng_(rng), source_(source), recorder_(recorder) {
  CheckLe(1u, processes);
  processes_.resize(processes);
  for (Process& process : processes_) process.number = recorder_.NewProcess();
  client_ = make_(NodeId(), rng_.Split("life", life_));
}

void WorkloadClient::Start() {
  Check(port_ != nullptr, "bind the client first");
  const Instant now = port_->Now();
  for (Process& process : processes_) process.next_at = now + source_.ThinkTime(now);
  Turn();
}

void WorkloadClient::OnReply(uint64_t attempt, const Bytes& reply) {
  if (attempt >> kLifeShift != life_) return;
  const uint64_t number = attempt & ((uint64_t{1} << kLifeShift) - 1);
  Step(client::Reply{.attempt = client::AttemptId(number), .reply = reply});
  Turn();
}

void WorkloadClient::OnWake() {
  const Instant now = port_->Now();
  if (now >= forget_at_) Forget(now);
  if (now >= client_wake_) Step(client::Wake{});
  Turn();
}

void WorkloadClient::Hurry(Instant until, const std::vector<NodeId>& cut_off) {
  const Instant now = port_->Now();
  // Some begin anew meanwhile, and ask a server of their own choice who leads.
  const bool begins_anew = rng_.Chance({1, 2});
  const Duration after = rng_.Between(Duration(0), until - now);
  if (begins_anew && !source_.only_reads(number_)) forget_at_ = std::min(forget_at_, now + after);
  const bool joins = !cut_off.empty() && rng_.Chance({1, 2});
  if (joins) {
    next_near_ = cut_off[rng_.Below(cut_off.size())];
    forget_at_ = std::min(forget_at_, now + rng_.Between(Duration(0), (until - now) / 16));
  }
  for (Process& process : processes_) {
    process.next_at = std::min(process.next_at, now + source_.ThinkTime(now));
  }
  Turn();
}

void WorkloadClient::BeginFinalRound() {
  final_round_ = true;
  forget_at_ = kNever;
  // Reads come first: they must be served although nobody has written anything yet.
  for (const std::string& key : source_.keys()) final_tasks_.push_back(source_.FinalRead(key));
  for (size_t pair = 0; pair < source_.pairs(); ++pair) {
    final_tasks_.push_back(source_.FinalPairRead(pair));
  }
  PlannedOperation write = source_.FinalWrite(number_);
  PlannedOperation read_back = source_.FinalRead(std::get<proto::Command>(write.body).put().key());
  final_tasks_.push_back(std::move(write));
  final_tasks_.push_back(std::move(read_back));
  for (Process& process : processes_) {
    process.next_at = std::min(process.next_at, port_->Now());
    process.page.reset();
  }
  Turn();
}

bool WorkloadClient::Done() const {
  const bool idle = std::all_of(processes_.begin(), processes_.end(), [](const Process& process) {
    return !process.open.has_value() && !process.final_task.has_value();
  });
  return idle && source_.exhausted() && final_tasks_.empty();
}

std::string WorkloadClient::WaitingFor() const {
  std::string text;
  for (const Process& process : processes_) {
    if (process.open.has_value()) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", DescribeBody(process.open->planned.body),
                      " (since ", Seconds(process.open->invoked), ")");
    } else if (process.final_task.has_value()) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", DescribeBody(process.final_task->body),
                      " (refused, again at ", Seconds(process.next_at), ")");
    }
  }
  if (!final_tasks_.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", final_tasks_.size(),
                    " operations of the final round to come");
  }
  if (text.empty() && !Done()) text = "its turn to issue";
  return text.empty() ? text : absl::StrCat("client ", number_, ": ", text);
}

void WorkloadClient::Turn() {
  const Instant now = port_->Now();
  while (IssueOne(now)) {
  }
  SetAlarm();
}

bool WorkloadClient::IssueOne(Instant now) {
  for (Process& process : processes_) {
    if (process.open.has_value() || process.next_at > now) continue;
    std::optional<PlannedOperation> planned = Plan(process);
    if (!planned.has_value()) continue;
    const Instant deadline = now + planned->deadline;
    process.current = client::OperationId(++last_operation_);
    client::Input input = InputFor(process.current, *planned, deadline);
    process.open = recorder_.Invoke(now, process.number, *std::move(planned));
    if (!final_round_) {
      const std::optional<Duration> forget = source_.RestartAfter();
      if (forget.has_value()) forget_at_ = std::min(forget_at_, now + *forget);
    }
    Step(std::move(input));
    return true;
  }
  return false;
}

std::optional<PlannedOperation> WorkloadClient::Plan(Process& process) {
  if (!final_round_) {
    std::optional<PlannedOperation> planned = source_.Next(number_, process.page);
    if (planned.has_value()) source_.MaybeStale(number_, &*planned);
    if (planned.has_value()) source_.MaybeAnyReplica(near_cut_off_, &*planned);
    return planned;
  }
  if (!process.final_task.has_value() && !final_tasks_.empty()) {
    process.final_task = std::move(final_tasks_.front());
    final_tasks_.pop_front();
  }
  return process.final_task;
}

void WorkloadClient::Step(client::Input input) {
  const Instant now = port_->Now();
  client::Output out;
  client_->Step(now, std::move(input), &out);
  client_wake_ = out.wake_at;
  for (client::Send& send : out.sends) {
    CheckLt(send.attempt.value(), uint64_t{1} << kLifeShift);
    NoteName(send);
    port_->SendRequest(send.to, life_ << kLifeShift | send.attempt.value(),
                       std::move(send.request));
  }
  for (const client::Completion& completion : out.completions) OnCompletion(now, completion);
}

// A write that ends without an answer is found again in the committed log by its name.
void WorkloadClient::NoteName(const client::Send& send) {
  if (!send.operation) return;
  for (Process& process : processes_) {
    if (process.current != send.operation) continue;
    if (std::holds_alternative<proto::Command>(process.open->planned.body)) {
      recorder_.NoteName(send.request, &*process.open);
    }
    return;
  }
}

void WorkloadClient::OnCompletion(Instant now, const client::Completion& completion) {
  const auto found =
      std::find_if(processes_.begin(), processes_.end(),
                   [&](const Process& process) { return process.current == completion.id; });
  Check(found != processes_.end(), "a completion of nothing");
  Process& process = *found;
  recorder_.Return(now, *process.open, completion.outcome);
  Learn(process, completion.outcome);
  if (completion.outcome.kind == client::Outcome::Kind::kUnknown) {
    process.number = recorder_.NewProcess();
  }
  process.open.reset();
  process.current = client::OperationId();
  if (!final_round_) {
    process.next_at = now + source_.ThinkTime(now);
  } else if (completion.outcome.kind == client::Outcome::Kind::kOk) {
    process.next_at = now;
    process.final_task.reset();
  } else {
    // It must succeed in the end: a session that expired, for one, is a good reason to ask again.
    process.next_at = now + kFinalPause;
  }
}

// What the answer teaches the client for its next operations.
void WorkloadClient::Learn(Process& process, const client::Outcome& outcome) {
  process.page.reset();
  if (outcome.kind != client::Outcome::Kind::kOk) return;
  const proto::Result& result = outcome.result;
  const PlannedOperation& planned = process.open->planned;
  if (const auto* query = std::get_if<proto::Query>(&planned.body)) {
    if (query->has_get()) {
      std::optional<std::string> value;
      if (result.has_value()) value = result.value();
      return source_.OnValueSeen(query->get().key(), std::move(value));
    }
    if (query->has_get_many() && !PairOf(query->get_many().keys(0)).empty()) {
      std::optional<std::string> value;
      if (result.pairs_size() > 0) value = result.pairs(0).value();
      const absl::string_view pair = PairOf(query->get_many().keys(0));
      return source_.OnPairSeen(std::string(pair), std::move(value));
    }
    for (const proto::Pair& pair : result.pairs()) source_.OnValueSeen(pair.key(), pair.value());
    if (!query->has_list()) return;
    if (result.continuation().empty() || result.pairs().empty()) return;
    process.page = ListPosition{.prefix = query->list().prefix(),
                                .after = result.pairs(result.pairs_size() - 1).key(),
                                .continuation = result.continuation()};
  } else if (result.code() == proto::CONFLICT && !result.value_omitted()) {
    const auto& command = std::get<proto::Command>(planned.body);
    std::optional<std::string> value;
    if (result.has_value()) value = result.value();
    if (planned.bulk) return;
    if (command.has_batch()) {
      const absl::string_view pair = PairOf(command.batch().operations(1).put().key());
      return source_.OnPairSeen(std::string(pair), std::move(value));
    }
    const auto& swap = command.compare_and_swap();
    source_.OnValueSeen(swap.key(), std::move(value));
  }
}

void WorkloadClient::AppendOpen(linearizability::History* history) const {
  for (const Process& process : processes_) {
    if (process.open.has_value()) recorder_.AppendOpen(*process.open, history);
  }
}

void WorkloadClient::Forget(Instant now) {
  forget_at_ = kNever;
  recorder_.CountRestart();
  ++life_;
  client_ = make_(next_near_, rng_.Split("life", life_));
  near_cut_off_ = next_near_ != NodeId();
  next_near_ = NodeId();
  client_wake_ = kNever;
  last_operation_ = 0;
  for (Process& process : processes_) {
    process.page.reset();
    if (!process.open.has_value()) continue;
    recorder_.Abandon(*process.open);
    process.open.reset();
    process.current = client::OperationId();
    process.number = recorder_.NewProcess();
    process.next_at = now;
  }
}

void WorkloadClient::SetAlarm() {
  Instant wake = std::min(client_wake_, forget_at_);
  const bool more = final_round_ ? !final_tasks_.empty() : !source_.exhausted();
  for (const Process& process : processes_) {
    if (process.open.has_value()) continue;
    if (more || process.final_task.has_value()) wake = std::min(wake, process.next_at);
  }
  port_->WakeAt(wake);
}

}  // namespace lockstep::sim
