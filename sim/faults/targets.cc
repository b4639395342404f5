#include "sim/faults/targets.h"

#include "core/base/check.h"

namespace lockstep::sim {
namespace {

void CutBoth(uint16_t a, uint16_t b, std::vector<Direction>& links) {
  links.push_back({.from = a, .to = b});
  links.push_back({.from = b, .to = a});
}

}  // namespace

uint16_t DrawServer(Rng& rng, const Cast& cast) {
  return static_cast<uint16_t>(1 + rng.Below(cast.servers));
}

uint64_t DrawPart(Rng& rng, const Cast& cast) {
  if (cast.servers < 2) return 0;
  return (1 + rng.Below((uint64_t{1} << cast.servers) - 2)) << 1;
}

std::vector<Direction> Between(Rng& rng, const Cast& cast, uint64_t left, uint64_t right,
                               bool clients) {
  Check((left & right) == 0, "nobody is on both sides");
  std::vector<Direction> links;
  for (uint16_t a = 1; a <= cast.servers; ++a) {
    for (uint16_t b = static_cast<uint16_t>(a + 1); b <= cast.servers; ++b) {
      const bool rightwards = Contains(left, a) && Contains(right, b);
      const bool leftwards = Contains(right, a) && Contains(left, b);
      if (rightwards || leftwards) CutBoth(a, b, links);
    }
  }
  if (!clients) return links;
  for (uint16_t client = static_cast<uint16_t>(cast.servers + 1); client <= cast.actors();
       ++client) {
    const bool on_the_left = rng.Chance({1, 2});
    const uint64_t other_side = on_the_left ? right : left;
    for (uint16_t server = 1; server <= cast.servers; ++server) {
      if (Contains(other_side, server)) CutBoth(client, server, links);
    }
  }
  return links;
}

std::vector<Direction> Split(Rng& rng, const Cast& cast, uint64_t part, bool clients) {
  return Between(rng, cast, part, Everybody(cast) & ~part, clients);
}

std::vector<Direction> Bridge(Rng& rng, const Cast& cast) {
  const uint16_t bridge = DrawServer(rng, cast);
  const uint64_t part = DrawPart(rng, cast);
  std::vector<Direction> links;
  for (uint16_t a = 1; a <= cast.servers; ++a) {
    for (uint16_t b = static_cast<uint16_t>(a + 1); b <= cast.servers; ++b) {
      if (a == bridge || b == bridge) continue;
      if (Contains(part, a) != Contains(part, b)) CutBoth(a, b, links);
    }
  }
  return links;
}

std::vector<Direction> OneWay(Rng& rng, const Cast& cast) {
  const uint64_t shape = rng.Below(3);
  if (shape < 2) {
    const uint16_t server = DrawServer(rng, cast);
    return Around(server, cast, /*in=*/shape == 0, /*out=*/shape == 1, /*clients=*/false);
  }
  std::vector<Direction> links;
  for (uint16_t from = 1; from <= cast.servers; ++from) {
    for (uint16_t to = 1; to <= cast.servers; ++to) {
      if (from != to && rng.Chance({1, 3})) links.push_back({.from = from, .to = to});
    }
  }
  return links;
}

std::vector<Direction> Some(Rng& rng, const Cast& cast, bool clients) {
  const uint64_t shape = rng.Below(3);
  if (shape == 0) {
    const uint16_t server = DrawServer(rng, cast);
    return Around(server, cast, /*in=*/true, /*out=*/true, clients);
  }
  std::vector<Direction> links;
  for (uint16_t from = 1; from <= cast.actors(); ++from) {
    for (uint16_t to = 1; to <= cast.actors(); ++to) {
      const bool of_client = from > cast.servers || to > cast.servers;
      if (from == to || (of_client && !clients)) continue;
      if (from > cast.servers && to > cast.servers) continue;  // They never speak.
      if (shape == 2 && !rng.Chance({1, 3})) continue;
      links.push_back({.from = from, .to = to});
    }
  }
  return links;
}

std::vector<Direction> Around(uint16_t server, const Cast& cast, bool in, bool out, bool clients) {
  std::vector<Direction> links;
  const uint16_t last = clients ? cast.actors() : cast.servers;
  for (uint16_t other = 1; other <= last; ++other) {
    if (other == server) continue;
    if (in) links.push_back({.from = other, .to = server});
    if (out) links.push_back({.from = server, .to = other});
  }
  return links;
}

uint64_t DrawCompany(Rng& rng, uint64_t others, const std::function<bool(uint64_t)>& may_join) {
  uint64_t company = 0;
  for (uint64_t left = others; left != 0; left &= left - 1) {
    const uint64_t next = left & ~(left - 1);
    if (rng.Chance({1, 2}) && may_join(company | next)) company |= next;
  }
  return company;
}

}  // namespace lockstep::sim
