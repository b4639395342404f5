// The phases of a trial: when one is over, what the next one begins with, and what it may fail by.
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/framework/trial_run.h"

namespace lockstep::sim {

void TrialRun::Start() {
  if (world_.tracer().on()) {
    const std::string climate = DescribeClimate();
    for (const absl::string_view line : absl::StrSplit(climate, '\n')) {
      world_.tracer().Add(TraceKind::kRun, 0, 0, [&] { return std::string(line); });
    }
  }
  for (uint16_t i = 0; i < options_.clients; ++i) {
    const Rng rng = Rng(options_.seed).Split("client", i);
    clients_.push_back(system_.MakeClient(i, world_.client(i), rng));
    Check(clients_.back() != nullptr, "System::MakeClient made none");
    world_.client(i).Attach(*clients_.back());
  }
  world_.BootAll(options_.unit.count());
  plan_.Start();
  for (const std::unique_ptr<Client>& client : clients_) client->Start();
  world_.timeline().Schedule(options_.storm.count(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kStorm));
}

void TrialRun::Enter(Phase phase, const std::string& why) {
  phase_ = phase;
  static constexpr const char* kNames[] = {"storm", "calm", "verdict"};
  world_.timeline().hash().Add(static_cast<uint64_t>(phase));
  world_.tracer().Add(TraceKind::kRun, 0, 0, [&] {
    return absl::StrCat("phase ", kNames[static_cast<size_t>(phase)], ": ", why);
  });
}

void TrialRun::LookAtPhase() {
  switch (phase_) {
    case Phase::kStorm:
      // Without clients there is nothing to be done with: the storm takes its time.
      if (!clients_.empty() && ClientsDone()) BeginCalm();
      return;
    case Phase::kCalm:
      if (ClientsDone() && WaitingFor().empty()) ReachVerdict();
      return;
    case Phase::kVerdict:
      return;
  }
}

void TrialRun::OnDeadline() {
  if (phase_ == Phase::kStorm) return BeginCalm();
  const std::string waiting = WaitingFor();
  if (waiting.empty()) return ReachVerdict();
  FailLiveness("Progress", absl::StrCat(options_.calm_max.count() / 1'000'000,
                                        " ms without faults were not enough"));
}

// --- Calm ---

void TrialRun::BeginCalm() {
  Enter(Phase::kCalm, ClientsDone() ? "all clients are done" : "the time is over");
  plan_.Stop();
  world_.schedule().End();
  const uint64_t abandoned = DrawAbandoned();
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (Contains(abandoned, id)) continue;
    const uint64_t delay = phase_rng_.Below(static_cast<uint64_t>(options_.unit.count()));
    world_.server(id).BootAt(world_.timeline().now() + static_cast<int64_t>(delay));
  }
  for (const std::unique_ptr<Client>& client : clients_) client->Finish();
  world_.timeline().Schedule(world_.timeline().now() + options_.calm_max.count(), EventKind::kPhase,
                             0, static_cast<uint32_t>(Phase::kCalm));
}

// In half of the runs that may lose servers some are lost: nobody repairs them.
uint64_t TrialRun::DrawAbandoned() {
  if (options_.survivors_min == 0 || options_.survivors_min == options_.servers) return 0;
  const bool lose = phase_rng_.Chance({1, 2});
  uint64_t count = phase_rng_.Between(1, uint64_t{options_.servers} - options_.survivors_min);
  if (!lose) return 0;
  uint64_t abandoned = 0;
  while (count > 0) {
    const uint16_t id = static_cast<uint16_t>(1 + phase_rng_.Below(options_.servers));
    if (Contains(abandoned, id)) continue;
    --count;
    abandoned |= One(id);
    plan_.Abandon(id, static_cast<Abandonment>(phase_rng_.Below(kAbandonments)));
  }
  return abandoned;
}

bool TrialRun::ClientsDone() const {
  for (const std::unique_ptr<Client>& client : clients_) {
    if (!client->Done()) return false;
  }
  return true;
}

// A line each; empty: for nothing.
std::string TrialRun::WaitingFor() const {
  constexpr size_t kShownMax = 5;
  std::string text;
  size_t waiting = 0;
  for (size_t i = 0; i < clients_.size(); ++i) {
    if (clients_[i]->Done() || ++waiting > kShownMax) continue;
    absl::StrAppend(&text, "client ", i, " waits for ", clients_[i]->WaitingFor(), "\n");
  }
  if (waiting > kShownMax) {
    absl::StrAppend(&text, "and ", waiting - kShownMax, " other clients wait\n");
  }
  const std::string system = system_.WaitingFor(servers_);
  if (!system.empty()) absl::StrAppend(&text, "the system waits for ", system, "\n");
  return text;
}

void TrialRun::ReachVerdict() {
  Enter(Phase::kVerdict, "everybody was served");
  system_.CheckAtEnd(servers_, findings_);
  stopped_ = true;
}

// --- Failure ---

void TrialRun::FailLiveness(std::string property, const std::string& what) {
  std::string evidence = what;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    const NodeHost& host = world_.server(id);
    absl::StrAppend(&evidence, "\nserver ", id, ": ", host.up() ? "up" : "down", ", life ",
                    host.incarnation(), ", storage jobs ", host.lane(Lane::kLog).size(), " + ",
                    host.lane(Lane::kTable).size());
  }
  absl::StrAppend(&evidence, "\n", WaitingFor());
  absl::StripTrailingAsciiWhitespace(&evidence);
  findings_.Report(Violation{.kind = ViolationKind::kLiveness,
                             .property = std::move(property),
                             .evidence = std::move(evidence)});
  stopped_ = true;
}

}  // namespace lockstep::sim
