// A cluster and its surroundings as a story sees them, whether they are simulated or real. Stories
// (stories.h) are written once and told in both worlds.
//
// Time is the world's own: Advance lets it pass. Clients use the product's client library, which
// retries until its patience is over. Everything that clients do is recorded; at its end a world
// heals, and then every client must be served again, all replicas must come to hold the same, and
// the history must be linearizable.
#ifndef LOCKSTEP_TESTS_SYSTEM_WORLDS_WORLD_H_
#define LOCKSTEP_TESTS_SYSTEM_WORLDS_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace lockstep::system {

inline constexpr uint64_t kControllerGroup = 0;

struct WorldSpec {
  uint16_t nodes = 3;  // all of them hold the controller's replicas
  // The members of groups 100, 101 and so on. At first the groups in `joined` serve.
  std::vector<std::vector<uint64_t>> groups = {{1, 2, 3}};
  std::vector<uint64_t> joined = {100};
  uint32_t shards = 8;
  uint16_t clients = 2;
  uint64_t seed = 1;
  bool cuts = false;  // whether the story cuts links
};

// What is known of an operation that a client did not wait for.
enum class Fate : uint8_t { kOpen, kExecuted, kNotExecuted, kUnknown };

class World {
 public:
  using Pairs = std::map<std::string, std::string>;
  using CallId = size_t;

  virtual ~World() = default;  // judges

  // --- Clients. Each call must succeed. ---
  virtual void Put(uint16_t client, const std::string& key, const std::string& value) = 0;
  virtual void Append(uint16_t client, const std::string& key, const std::string& value) = 0;
  virtual void Delete(uint16_t client, const std::string& key) = 0;
  virtual std::optional<std::string> Get(uint16_t client, const std::string& key) = 0;
  // Whether it swapped. Absent `expected`: the key must be missing; absent `value`: delete it.
  virtual bool Cas(uint16_t client, const std::string& key,
                   const std::optional<std::string>& expected,
                   const std::optional<std::string>& value) = 0;
  // All keys with the prefix.
  virtual Pairs List(uint16_t client, const std::string& prefix) = 0;
  // Do not wait.
  virtual CallId PutSoon(uint16_t client, const std::string& key, const std::string& value) = 0;
  virtual CallId AppendSoon(uint16_t client, const std::string& key, const std::string& value) = 0;
  virtual Fate FateOf(CallId call) = 0;

  // --- Time ---
  virtual void Advance(Duration span) = 0;
  // True as soon as the condition holds; false when it does not within the time.
  virtual bool Await(const std::function<bool()>& condition, Duration within) = 0;
  // Of this world: silence after which a leader is replaced is drawn from this to twice as much.
  virtual Duration election_timeout() const = 0;
  // Plenty for what is bound to happen.
  virtual Duration patience() const = 0;

  // --- Nodes ---
  virtual void Kill(uint64_t node) = 0;
  virtual void Restart(uint64_t node) = 0;
  virtual void Pause(uint64_t node) = 0;
  virtual void Resume(uint64_t node) = 0;

  // --- Network, between nodes; clients reach all of them ---
  virtual void CutOneWay(uint64_t from, uint64_t to) = 0;
  virtual void MendAll() = 0;

  // --- Groups ---
  // 0: nobody leads, as far as can be seen.
  virtual uint64_t LeaderOf(uint64_t group) = 0;
  // Asks; it may come to nothing.
  virtual void TransferLeader(uint64_t group, uint64_t to) = 0;
  virtual void Join(const std::vector<uint64_t>& gids) = 0;
  virtual void Leave(const std::vector<uint64_t>& gids) = 0;
  virtual void Move(uint32_t shard, uint64_t gid) = 0;
  // Fails unless every shard soon is where the newest configuration wants it.
  virtual void ExpectSettled() = 0;

  const WorldSpec& spec() const { return spec_; }

  // --- Said in the words above ---
  void KillAll();
  void RestartAll();
  // From all other nodes, both ways.
  void Isolate(uint64_t node);
  // Another leader than `but`; fails the test if there is none in time. Never 0.
  uint64_t AwaitLeader(uint64_t group, uint64_t but = 0);
  bool AwaitDone(CallId call);
  // A node of the group that does not lead it.
  uint64_t FollowerOf(uint64_t group);

 protected:
  explicit World(WorldSpec spec) : spec_(std::move(spec)) {}

 private:
  const WorldSpec spec_;
};

// Null where it is not allowed to cut links, which the spec wants; `why` says so.
std::unique_ptr<World> MakeSimWorld(const WorldSpec& spec, std::string* why);
std::unique_ptr<World> MakeRealWorld(const WorldSpec& spec, std::string* why);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_WORLDS_WORLD_H_
