#include "net/uv_host.h"

#include <time.h>

#include <algorithm>

#include "core/base/check.h"

namespace lockstep::net {
namespace {

// Counts the time for which the machine was suspended: a leader that wakes must know that its lease
// is over (docs/decisions/0020).
Instant SinceBoot() {
  timespec now{};
  CheckEq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

UvHost::UvHost(const PeerTransportOptions& transport, AddressBook& book, Events events, LogSink log,
               Rng rng)
    : events_(std::move(events)),
      log_(log),
      now_(SinceBoot()),
      transport_(loop_.get(), transport, book,
                 {.message =
                      [this](NodeId from, Bytes message) {
                        Begin();
                        process_->OnMessage(from, message);
                      },
                  .link =
                      [this](NodeId peer, bool up) {
                        Begin();
                        process_->OnPeerLink(peer, up);
                      },
                  .refused = events_.refused},
                 log, rng.Split("transport")),
      arrived_(loop_.get(), [this] { TakeArrived(); }),
      alarm_(loop_.get(),
             [this] {
               Begin();
               process_->OnWake();
             }),
      hooks_(loop_.get(), [this] { EndTurn(); }) {}

UvHost::~UvHost() {
  // The lanes end before what their completions refer to.
  log_lane_.reset();
  table_lane_.reset();
  process_.reset();
  transport_.Stop();
}

void UvHost::Boot(StorageExecutor execute, Introduction introduction, const MakeProcess& make) {
  const auto done = [this](Lane lane) {
    return [this, lane](Ticket ticket, absl::StatusOr<StorageResult> result) {
      AddCompletion(lane, ticket, std::move(result));
    };
  };
  log_lane_ = std::make_unique<LaneThread>("lockstep-log", execute, done(Lane::kLog));
  table_lane_ = std::make_unique<LaneThread>("lockstep-table", execute, done(Lane::kTable));
  now_ = SinceBoot();
  process_ = make(Host{*this, transport_, *this, *this, *this});
  dirty_ = true;
  transport_.Start(std::move(introduction));
}

void UvHost::Run() {
  while (!stopping_) uv_run(loop_.get(), UV_RUN_ONCE);
}

void UvHost::Stop() {
  Post([this] { stopping_ = true; });
}

// --- From other threads

void UvHost::Post(std::function<void()> task) {
  bool raise;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
    raise = !std::exchange(raised_, true);
  }
  if (raise) arrived_.Raise();
}

void UvHost::TellSpace(const DiskSpace& space) {
  Post([this, space] {
    if (!failed_) process_->OnSpace(space);
  });
}

void UvHost::Call(Bytes request, Done done) {
  bool raise;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.emplace_back(std::move(request), std::move(done));
    raise = !std::exchange(raised_, true);
  }
  if (raise) arrived_.Raise();
}

void UvHost::CallAll(std::vector<std::pair<Bytes, Done>> calls) {
  bool raise;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& call : calls) calls_.push_back(std::move(call));
    raise = !std::exchange(raised_, true);
  }
  if (raise) arrived_.Raise();
}

void UvHost::AddCompletion(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) {
  bool raise;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    completions_.push_back({lane, ticket, std::move(result)});
    raise = !std::exchange(raised_, true);
  }
  if (raise) arrived_.Raise();
}

// --- On the loop thread

// An event begins. Time is constant within it.
void UvHost::Begin() {
  now_ = std::max(now_, SinceBoot());
  dirty_ = true;
  if (turn_began_ == 0) turn_began_ = uv_hrtime();
}

void UvHost::TakeArrived() {
  std::vector<Completion> completions;
  std::vector<std::pair<Bytes, Done>> calls;
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    completions.swap(completions_);
    calls.swap(calls_);
    tasks.swap(tasks_);
    raised_ = false;
  }
  for (Completion& completion : completions) OnCompletion(std::move(completion));
  for (auto& [request, done] : calls) {
    Begin();
    last_request_ = last_request_.Next();
    waiting_.emplace(last_request_.value(), Waiting{std::move(done), now_});
    ++counters_.calls;
    process_->OnRequest(last_request_, request);
  }
  for (const std::function<void()>& task : tasks) {
    Begin();
    task();
  }
}

void UvHost::OnCompletion(Completion completion) {
  if (failed_) return;
  Begin();
  if (completion.lane == Lane::kLog) ++counters_.log_writes;
  const absl::Status status = completion.result.status();
  process_->OnStorage(completion.lane, completion.ticket, std::move(completion.result));
  if (status.ok()) return;
  failed_ = true;
  events_.disk_failed(status);
}

void UvHost::EndTurn() {
  if (!std::exchange(dirty_, false)) return;
  Begin();
  do {
    dirty_ = false;
    if (!failed_) process_->OnTurnEnd();
    transport_.Flush();
  } while (dirty_);  // a connection broke when it was written to
  SubmitJobs();
  const auto took = std::chrono::nanoseconds(uv_hrtime() - turn_began_);
  counters_.turn_max = std::max(counters_.turn_max, took);
  turn_began_ = 0;
}

void UvHost::WakeAt(Instant when) {
  if (when == kNever) return alarm_.Stop();
  alarm_.Start(std::max(when - now_, Duration(0)));
}

Ticket UvHost::Submit(StorageJob job) {
  const bool log = LaneOf(job) == Lane::kLog;
  Ticket& last = log ? last_log_ticket_ : last_table_ticket_;
  last = last.Next();
  (log ? log_jobs_ : table_jobs_).push_back({last, std::move(job)});
  return last;
}

// To wake a thread costs more than to write to a socket, and takes a core from others: so what a
// client waits for longest begins first. Peers have the entries before this node's own log does
// (thesis §10.2.1), and the log has them before the table has what was committed earlier.
void UvHost::SubmitJobs() {
  log_lane_->Submit(log_jobs_);
  table_lane_->Submit(table_jobs_);
}

void UvHost::Reply(RequestId id, Bytes reply) {
  const auto found = waiting_.find(id.value());
  if (found == waiting_.end()) return;
  const Done done = std::move(found->second.done);
  counters_.calls_time += now_ - found->second.since;
  ++counters_.calls_answered;
  waiting_.erase(found);
  done(std::move(reply));
}

}  // namespace lockstep::net
