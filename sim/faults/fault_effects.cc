// What each kind of fault does to the world, and how it is taken back.
#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "sim/faults/fault_plan.h"

namespace lockstep::sim {
namespace {

// Ascending.
std::vector<uint16_t> Members(uint64_t set) {
  std::vector<uint16_t> members;
  for (; set != 0; set &= set - 1) members.push_back(static_cast<uint16_t>(std::countr_zero(set)));
  return members;
}

}  // namespace

// --- Links ---

void FaultPlan::AttemptOnLinks(FaultKind kind) {
  FaultInterval interval = MakeInterval(kind);
  switch (kind) {
    case FaultKind::kLoss:
      interval.severity = rng_.Magnitude(128, 20'000);  // of 65536: 0.2 % to 30 %
      break;
    case FaultKind::kDuplication:
      interval.severity = rng_.Magnitude(256, 32'000);  // of 65536: 0.4 % to 49 %
      break;
    case FaultKind::kDelay:
      interval.severity = rng_.Magnitude(1, 40);  // times the ordinary
      break;
    case FaultKind::kQueueLimit:
      interval.severity = rng_.Between(1, 16);  // packets
      break;
    default:
      break;  // kClog has no degree
  }
  const bool clients = kind != FaultKind::kClog || options_.clients_take_part;
  interval.links = Some(rng_, cast_, clients);
  if (!interval.links.empty()) Add(std::move(interval));
}

void FaultPlan::AttemptPartition(FaultKind kind) {
  FaultInterval interval = MakeInterval(kind);
  switch (kind) {
    case FaultKind::kPartition:
      interval.servers = DrawPart(rng_, cast_);
      interval.links = Split(rng_, cast_, interval.servers, options_.clients_take_part);
      break;
    case FaultKind::kIsolation:
      interval.servers = One(DrawServer(rng_, cast_));
      interval.links = Split(rng_, cast_, interval.servers, options_.clients_take_part);
      break;
    case FaultKind::kOneWay:
      interval.links = OneWay(rng_, cast_);
      break;
    default:
      interval.links = Bridge(rng_, cast_);
      break;
  }
  if (!interval.links.empty()) Add(std::move(interval));
}

// What makes groups that work with each other find each other gone, while each works on. Servers
// that are in both groups see both sides.
void FaultPlan::AttemptGroupPartition() {
  std::vector<uint64_t> sets;
  for (const auto& [group, members] : quorums_.groups()) sets.push_back(members);
  const uint64_t which = rng_.Below(sets.size());
  const uint64_t further = 1 + rng_.Below(sets.size() - 1);
  const bool from_all = rng_.Chance({1, 2});
  const uint64_t one = sets[which];
  const uint64_t other = from_all ? Everybody(cast_) : sets[(which + further) % sets.size()];
  FaultInterval interval = MakeInterval(FaultKind::kGroupPartition);
  interval.servers = from_all ? one : one & ~other;
  interval.links = Between(rng_, cast_, interval.servers, other & ~one, options_.clients_take_part);
  if (!interval.links.empty()) Add(std::move(interval));
}

// Swizzle-clogging (FoundationDB): each chosen server is clogged somewhere in the first half of the
// time and released somewhere in the second, in another order.
void FaultPlan::AttemptSwizzle() {
  const int64_t half = DrawLength(FaultKind::kSwizzle) / 2 + 1;
  for (uint16_t id = 1; id <= cast_.servers; ++id) {
    if (!rng_.Chance({1, 2})) continue;
    FaultInterval interval;
    interval.kind = FaultKind::kSwizzle;
    interval.servers = One(id);
    const uint64_t after = rng_.Below(static_cast<uint64_t>(half));
    interval.begin = world_.timeline().now() + static_cast<int64_t>(after);
    const uint64_t until = rng_.Below(static_cast<uint64_t>(half));
    interval.end = world_.timeline().now() + half + static_cast<int64_t>(until);
    interval.links = Around(id, cast_, /*in=*/true, /*out=*/true, options_.clients_take_part);
    Add(std::move(interval));
  }
}

void FaultPlan::CutOffNow(FaultKind kind, uint16_t server, bool clients) {
  FaultInterval interval = MakeInterval(kind);
  interval.servers = One(server);
  interval.links = Around(server, cast_, /*in=*/true, /*out=*/true, clients);
  if (!interval.links.empty()) Add(std::move(interval));
}

// The leader loses its peers and keeps its clients. Half of the time it hears nothing from now on.
// Otherwise answers that its peers had given still come, so late that it takes itself for the
// leader when they have long had another: only then does a read that asks nobody show what it is.
// In half of the cases followers are lost with it, too few to decide anything: what they are asked,
// they ask a leader that is none any more. In some others, what it has said last to some followers
// reaches them when they have followed another for a while.
void FaultPlan::AttemptLeaderIsolation() {
  const std::optional<Leadership> leadership = leaders.Any(rng_);
  if (!leadership.has_value()) return;
  const uint16_t leader = leadership->server;
  FaultInterval silence = MakeInterval(FaultKind::kLeaderIsolation);
  silence.servers = One(leader);
  const bool in_company = rng_.Chance({1, 2});
  const bool late_words = !in_company && rng_.Chance({1, 3});
  const bool late_answers = !late_words && rng_.Chance({1, 2});
  uint64_t company = 0;
  if (in_company) company = DrawMinority(*leadership, /*with=*/silence.servers);
  if (late_words) company = DrawMinority(*leadership, /*with=*/0);
  if (in_company) silence.servers |= company;
  if (late_answers) DelayAnswers(*leadership, silence);
  if (late_words) DelayWords(leader, company, silence);
  if (in_company && company != 0) OutlastElection(silence);
  for (const Direction& link :
       Between(rng_, cast_, silence.servers, Everybody(cast_) & ~silence.servers, false)) {
    const bool held =
        (late_answers && link.to == leader) || (late_words && Contains(company, link.to));
    if (!held) silence.links.push_back(link);
  }
  const int64_t end = silence.end;
  if (!silence.links.empty()) Add(std::move(silence));
  const bool busy = rng_.Chance({3, 4});
  if (busy && leader_isolated) leader_isolated(end, company);
}

// Followers that the group can spare together `with` others, perhaps none.
uint64_t FaultPlan::DrawMinority(const Leadership& leadership, uint64_t with) {
  const uint64_t followers = quorums_.members(leadership.group) & ~One(leadership.server);
  return DrawCompany(rng_, followers, [&](uint64_t company) {
    return quorums_.CanSpare(leadership.group, company | with);
  });
}

// What the peers send to the leader is held from now on. The answers of as many of them as make a
// majority with it come after a step shorter than its patience, those of the others after another.
void FaultPlan::DelayAnswers(const Leadership& leadership, FaultInterval& silence) {
  const int64_t begin = silence.begin;
  const int64_t step =
      rng_.Between(Duration(options_.unit / 8), Duration(options_.unit / 2)).count();
  // Then they trickle in, as behind a full buffer.
  const int64_t spacing = rng_.Between(Duration(0), Duration(options_.unit / 4)).count();
  const std::vector<uint16_t> members = Members(quorums_.members(leadership.group));
  const size_t company = static_cast<size_t>(std::popcount(silence.servers)) - 1;
  const size_t needed = std::max(members.size() / 2, company + 1) - company;
  const uint64_t first = rng_.Below(members.size());
  size_t place = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    const uint16_t peer = members[(first + i) % members.size()];
    if (Contains(silence.servers, peer)) continue;
    FaultInterval late;
    late.kind = silence.kind;
    late.begin = begin;
    late.end = begin + step * static_cast<int64_t>(1 + place / needed);
    late.links = {Direction{.from = peer, .to = leadership.server}};
    late.holds = true;
    late.severity = static_cast<uint64_t>(spacing);
    Add(std::move(late));
    ++place;
  }
  // A little later, so that there are answers to hold; long enough to outlast them.
  const uint64_t after = rng_.Below(static_cast<uint64_t>(step) + 1);
  silence.begin = begin + static_cast<int64_t>(after);
  OutlastElection(silence);
}

// A leader waits for its successor for its shortest patience, which is a third of the unit at
// least. If it holds a lease again when it loses its peers, the request must find it revoked for
// good.
void FaultPlan::SpoilTransfer(uint16_t leader, uint16_t successor) {
  const int64_t now = world_.timeline().now();
  const int64_t heard = rng_.Between(Duration(options_.unit / 3), Duration(options_.unit)).count();
  const int64_t lost = rng_.Between(Duration(0), Duration(options_.unit / 3)).count();
  FaultInterval late = MakeInterval(FaultKind::kTransferStrike);
  late.end = now + heard;
  late.holds = true;
  late.links = {Direction{.from = leader, .to = successor}};
  FaultInterval silence = MakeInterval(FaultKind::kTransferStrike);
  silence.begin = std::max(now, late.end - lost);
  silence.servers = One(leader);
  OutlastElection(silence);
  for (const Direction& link :
       Around(leader, cast_, /*in=*/true, /*out=*/true, /*clients=*/false)) {
    if (link.to != successor) silence.links.push_back(link);
  }
  const int64_t end = silence.end;
  Add(std::move(late));
  if (!silence.links.empty()) Add(std::move(silence));
  if (leader_isolated) leader_isolated(end, /*company=*/0);
}

// What the leader sends to these is held from now on. The others hear it for a little while. When
// they have lost it, too, some of them may die, and remember nothing of what they have just
// promised.
void FaultPlan::DelayWords(uint16_t leader, uint64_t to, FaultInterval& silence) {
  FaultInterval late;
  late.kind = silence.kind;
  late.begin = silence.begin;
  silence.begin +=
      rng_.Between(Duration(options_.unit / 4), Duration(options_.unit * 3 / 4)).count();
  OutlastElection(silence);
  const bool forget = rng_.Chance({1, 2});
  const uint64_t hearers = Everybody(cast_) & ~to & ~One(leader);
  if (forget) silence.killed = DrawCompany(rng_, hearers, [](uint64_t) { return true; });
  late.end =
      silence.begin + rng_.Between(Duration(options_.unit), Duration(4 * options_.unit)).count();
  late.holds = true;
  late.severity =
      static_cast<uint64_t>(rng_.Between(Duration(0), Duration(options_.unit / 4)).count());
  for (const uint16_t peer : Members(to)) late.links.push_back({.from = leader, .to = peer});
  if (!late.links.empty()) Add(std::move(late));
}

void FaultPlan::OutlastElection(FaultInterval& interval) {
  const int64_t units = static_cast<int64_t>(rng_.Between(2, 5));
  interval.end = std::max(interval.end, interval.begin + units * options_.unit);
}

// --- Servers ---

CrashKind FaultPlan::DrawCrashKind() {
  return rng_.Chance(options_.kill) ? CrashKind::kKill : CrashKind::kPower;
}

bool FaultPlan::CrashNow(FaultKind kind, uint16_t server) {
  if (!world_.server(server).up()) return false;
  FaultInterval interval = MakeInterval(kind);
  interval.servers = One(server);
  interval.instant = true;
  const int64_t downtime = interval.end - interval.begin;
  const uint32_t fault = Add(std::move(interval));
  const CrashKind how = DrawCrashKind();
  Check(world_.server(server).Crash(how, downtime));
  world_.ledger().Effect(fault);
  for (uint16_t peer = 1; peer <= cast_.servers; ++peer) {
    if (peer == server || !rng_.Chance(options_.hint)) continue;
    const uint64_t after = rng_.Magnitude(1'000, 10'000'000);
    world_.Hint(peer, server, /*up=*/false, static_cast<int64_t>(after));
    const uint64_t again = rng_.Magnitude(1'000, 10'000'000);
    world_.Hint(peer, server, /*up=*/true, downtime + static_cast<int64_t>(again));
  }
  return true;
}

void FaultPlan::AttemptCrash() { CrashNow(FaultKind::kCrash, DrawServer(rng_, cast_)); }

void FaultPlan::AttemptCrashLoop() {
  const uint16_t server = DrawServer(rng_, cast_);
  const uint64_t deaths = rng_.Between(1, 4);
  const uint64_t age = rng_.Magnitude(static_cast<uint64_t>(options_.unit / 32),
                                      static_cast<uint64_t>(options_.unit * 2));
  if (!CrashNow(FaultKind::kCrashLoop, server)) return;
  loops_[server] = {.deaths = deaths, .age = static_cast<int64_t>(age)};
}

// Each life counts from the beginning. So what the life before asked for bears the names of what
// this one asks for, if it is as old; and from somewhere in its life on, what is sent to it is held
// until the next has begun.
std::optional<int64_t> FaultPlan::NextDeath(uint16_t server) {
  CrashLoop& loop = loops_[server];
  if (loop.deaths == 0 || stopped_) return std::nullopt;
  --loop.deaths;
  const int64_t age =
      loop.age - loop.age / 8 + rng_.Between(Duration(0), Duration(loop.age / 4)).count();
  FaultInterval late = MakeInterval(FaultKind::kCrashLoop);
  const int64_t downtime = late.end - late.begin;
  late.begin += rng_.Between(Duration(0), Duration(age)).count();
  late.end = late.begin + age + downtime;
  late.servers = One(server);
  late.links = Around(server, cast_, /*in=*/true, /*out=*/false, /*clients=*/false);
  late.holds = true;
  if (!late.links.empty()) Add(std::move(late));
  return age;
}

// A rack or a site loses power: everybody, or a majority, at the same moment.
void FaultPlan::AttemptMajorityCrash() {
  const bool everybody = rng_.Chance({1, 2});
  uint16_t spared = everybody ? 0 : static_cast<uint16_t>((cast_.servers - 1) / 2);
  const uint16_t first = DrawServer(rng_, cast_);
  for (uint16_t i = 0; i < cast_.servers; ++i) {
    const uint16_t id = static_cast<uint16_t>(1 + (first - 1 + i) % cast_.servers);
    if (spared > 0) {
      --spared;
      continue;
    }
    CrashNow(FaultKind::kMajorityCrash, id);
  }
}

void FaultPlan::AttemptOnServer(FaultKind kind) {
  FaultInterval interval = MakeInterval(kind);
  const uint16_t anybody = DrawServer(rng_, cast_);
  // Nothing shows when a server stands still whom nobody needs.
  const bool aimed = rng_.Chance({1, 2});
  const std::optional<Leadership> leadership = aimed ? leaders.Any(rng_) : std::nullopt;
  const uint16_t server = leadership.has_value() ? leadership->server : anybody;
  interval.servers = One(server);
  if (leadership.has_value() && kind == FaultKind::kPause && leader_isolated)
    leader_isolated(interval.end, /*company=*/0);
  if (kind == FaultKind::kDiskSlow) interval.severity = rng_.Magnitude(1, 50);
  if (world_.server(server).up()) Add(std::move(interval));
}

// One disk, some, or all of them: then there is nobody else to turn to. What is left is next to
// nothing, or so much that nobody need care.
void FaultPlan::AttemptDiskFull() {
  FaultInterval interval = MakeInterval(FaultKind::kDiskFull);
  const bool one = rng_.Chance({1, 2});
  const bool some = rng_.Chance({1, 2});
  interval.servers = Everybody(cast_);
  if (one) {
    interval.servers = One(DrawServer(rng_, cast_));
  } else if (some && cast_.servers > 1) {
    interval.servers = DrawPart(rng_, cast_);
  }
  const uint64_t scale = options_.space_bytes;
  interval.severity = rng_.Magnitude(scale / 16 + 1, scale * 2);
  Add(std::move(interval));
}

// --- Beginning and end ---

void FaultPlan::Disturb(const FaultInterval& interval, uint32_t fault) {
  const uint32_t severity = static_cast<uint32_t>(interval.severity);
  for (const Direction& direction : interval.links) {
    Link& link = world_.network().link(direction.from, direction.to);
    switch (interval.kind) {
      case FaultKind::kLoss:
        link.loss.Add(severity, fault);
        break;
      case FaultKind::kDuplication:
        link.duplication.Add(severity, fault);
        break;
      case FaultKind::kDelay:
        link.delay.Add(severity, fault);
        break;
      case FaultKind::kClog:
      case FaultKind::kSwizzle:
        link.clogs.Add(1, fault);
        break;
      case FaultKind::kQueueLimit:
        link.limits.Add(1, fault);
        link.capacity = severity;
        break;
      default:
        (interval.holds ? link.clogs : link.cuts).Add(1, fault);
        break;
    }
  }
  for (uint16_t id = 1; id <= cast_.servers; ++id) {
    if (!Contains(interval.servers, id)) continue;
    NodeHost& host = world_.server(id);
    if (interval.kind == FaultKind::kPause) host.PauseUntil(interval.end, fault);
    if (interval.kind == FaultKind::kDiskStall) {
      // Severity: 0 is the whole disk, else 1 + the lane.
      const bool whole = interval.severity == 0;
      for (const Lane lane : {Lane::kLog, Lane::kTable}) {
        const bool hit = whole || interval.severity == 1 + static_cast<uint64_t>(lane);
        if (hit) host.StallDiskUntil(lane, interval.end, fault);
      }
    }
    if (interval.kind == FaultKind::kDiskSlow) host.slow_disk.Add(severity, fault);
    if (interval.kind == FaultKind::kDiskFull) {
      host.FillDisk(interval.severity, interval.end - interval.begin, fault);
    }
  }
  for (const uint16_t id : Members(interval.killed)) {
    const uint64_t downtime = 1 + rng_.Below(static_cast<uint64_t>(options_.unit / 8));
    if (!world_.server(id).up()) continue;
    Check(world_.server(id).Crash(CrashKind::kKill, static_cast<int64_t>(downtime)));
  }
  HintAbout(interval, /*up=*/false);
}

void FaultPlan::Undisturb(const FaultInterval& interval) {
  const uint32_t severity = static_cast<uint32_t>(interval.severity);
  for (const Direction& direction : interval.links) {
    Link& link = world_.network().link(direction.from, direction.to);
    switch (interval.kind) {
      case FaultKind::kLoss:
        link.loss.amount -= severity;
        break;
      case FaultKind::kDuplication:
        link.duplication.amount -= severity;
        break;
      case FaultKind::kDelay:
        link.delay.amount -= severity;
        break;
      case FaultKind::kClog:
      case FaultKind::kSwizzle:
        --link.clogs.amount;
        world_.network().Unclog(direction.from, direction.to);
        break;
      case FaultKind::kQueueLimit:
        --link.limits.amount;
        break;
      default:
        --(interval.holds ? link.clogs : link.cuts).amount;
        if (interval.holds) {
          const int64_t spacing = stopped_ ? 0 : static_cast<int64_t>(interval.severity);
          world_.network().Unclog(direction.from, direction.to, spacing);
        }
        break;
    }
  }
  for (uint16_t id = 1; id <= cast_.servers; ++id) {
    if (!Contains(interval.servers, id)) continue;
    if (interval.kind == FaultKind::kDiskSlow) world_.server(id).slow_disk.amount -= severity;
    if (interval.kind == FaultKind::kDiskFull) world_.server(id).EmptyDisk();
  }
  HintAbout(interval, /*up=*/true);
}

// A connection that carries nothing is noticed at times, sooner or later.
void FaultPlan::HintAbout(const FaultInterval& interval, bool up) {
  switch (interval.kind) {
    case FaultKind::kLoss:
    case FaultKind::kDuplication:
    case FaultKind::kDelay:
    case FaultKind::kQueueLimit:
      return;
    default:
      break;
  }
  for (const Direction& direction : interval.links) {
    if (direction.from > cast_.servers || direction.to > cast_.servers) continue;
    if (!rng_.Chance(options_.hint)) continue;
    const uint64_t after = rng_.Magnitude(1'000, 50'000'000);
    world_.Hint(direction.to, direction.from, up, static_cast<int64_t>(after));
  }
}

}  // namespace lockstep::sim
