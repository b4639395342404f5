// Random commands against a dumb twin, and the properties of a replicated machine: total, the same
// on every replica, the same after a reload.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/unit/kv/memory_table.h"

namespace lockstep::kv {
namespace {

// The rules once more, without any economy: every command that ever ran is remembered.
class Twin {
 public:
  explicit Twin(const KvOptions& options) : options_(options) {}

  proto::Code Apply(const proto::Command& command, uint64_t index,
                    std::optional<std::string>* value, bool* replayed) {
    value->reset();
    *replayed = false;
    if (command.has_register_session()) {
      while (sessions_.size() >= options_.sessions_max) {
        auto oldest = sessions_.begin();
        for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
          if (at->second.used < oldest->second.used) oldest = at;
        }
        sessions_.erase(oldest);
      }
      sessions_[index].used = index;
      return proto::OK;
    }
    if (command.has_close_session()) {
      return sessions_.erase(command.session()) == 1 ? proto::OK : proto::SESSION_UNKNOWN;
    }
    const auto found = sessions_.find(command.session());
    if (found == sessions_.end()) return proto::SESSION_UNKNOWN;
    Session& session = found->second;
    if (command.sequence() < session.first) return proto::SEQUENCE_STALE;
    if (session.done.contains(command.sequence())) {
      *replayed = true;
      *value = session.done[command.sequence()].second;
      return session.done[command.sequence()].first;
    }
    session.first = std::max(session.first, command.first_outstanding());
    session.used = index;
    const proto::Code code = Run(command, value);
    session.done[command.sequence()] = {code, *value};
    return code;
  }

  const std::map<std::string, std::string>& data() const { return data_; }

 private:
  struct Session {
    uint64_t first = 1;
    uint64_t used = 0;
    std::map<uint64_t, std::pair<proto::Code, std::optional<std::string>>> done;
  };

  proto::Code Run(const proto::Command& command, std::optional<std::string>* value) {
    if (!command.has_batch()) return RunOne(command, value);
    const std::map<std::string, std::string> before = data_;
    for (const proto::BatchOperation& operation : command.batch().operations()) {
      proto::Command one;
      if (operation.has_put()) *one.mutable_put() = operation.put();
      if (operation.has_append()) *one.mutable_append() = operation.append();
      if (operation.has_delete_()) *one.mutable_delete_() = operation.delete_();
      if (operation.has_compare_and_swap()) {
        *one.mutable_compare_and_swap() = operation.compare_and_swap();
      }
      const proto::Code code = RunOne(one, value);
      if (code == proto::OK) continue;
      data_ = before;
      return code;
    }
    return proto::OK;
  }

  proto::Code RunOne(const proto::Command& command, std::optional<std::string>* value) {
    if (command.has_put()) data_[command.put().key()] = command.put().value();
    if (command.has_delete_()) data_.erase(command.delete_().key());
    if (command.has_append()) {
      const auto found = data_.find(command.append().key());
      const std::string grown =
          (found == data_.end() ? "" : found->second) + command.append().value();
      if (grown.size() > options_.limits.value_bytes_max) return proto::TOO_LARGE;
      data_[command.append().key()] = grown;
    }
    if (!command.has_compare_and_swap()) return proto::OK;
    const proto::CompareAndSwap& swap = command.compare_and_swap();
    std::optional<std::string> current;
    if (data_.contains(swap.key())) current = data_[swap.key()];
    if (current != (swap.has_expected() ? std::optional(swap.expected()) : std::nullopt)) {
      *value = current;
      return proto::CONFLICT;
    }
    data_.erase(swap.key());
    if (swap.has_value()) data_[swap.key()] = swap.value();
    return proto::OK;
  }

  KvOptions options_;
  std::map<uint64_t, Session> sessions_;
  std::map<std::string, std::string> data_;
};

std::string RandomValue(Rng& rng) { return std::string(rng.Below(4), "ab"[rng.Below(2)]); }

proto::Command RandomOperation(Rng& rng, const std::string& key) {
  const std::string value = RandomValue(rng);
  switch (rng.Below(5)) {
    case 0:
      return MakePut(key, value);
    case 1:
      return MakeDelete(key);
    case 2: {
      const std::string expected = RandomValue(rng);
      const bool with_expected = rng.Chance({2, 3});
      const bool with_value = rng.Chance({2, 3});
      return MakeCompareAndSwap(
          key, with_expected ? std::optional<absl::string_view>(expected) : std::nullopt,
          with_value ? std::optional<absl::string_view>(value) : std::nullopt);
    }
    default:
      return MakeAppend(key, value);
  }
}

proto::Command RandomOperation(Rng& rng) {
  std::vector<std::string> keys = {"a", "b", "c"};
  std::vector<proto::Command> commands;
  const uint64_t count = rng.Chance({1, 4}) ? rng.Between(uint64_t{1}, uint64_t{3}) : 1;
  while (commands.size() < count) {
    const uint64_t at = rng.Below(keys.size());
    commands.push_back(RandomOperation(rng, keys[at]));
    keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const bool alone = rng.Chance({3, 4});
  return count == 1 && alone ? commands[0] : MakeBatch(commands);
}

// Sessions with commands in flight that arrive late, twice, out of order, or never.
class Traffic {
 public:
  Traffic(Rng rng, const KvOptions& options) : rng_(rng), options_(options) {}

  proto::Command Next() {
    if (sessions_.empty() || rng_.Chance({1, 30})) return MakeRegisterSession(0);
    if (rng_.Chance({1, 60})) return MakeCloseSession(sessions_[rng_.Below(sessions_.size())].id);
    if (!sent_.empty() && rng_.Chance({1, 3})) return sent_[rng_.Below(sent_.size())];
    Session& session = sessions_[rng_.Below(sessions_.size())];
    const uint64_t ahead = rng_.Below(options_.limits.session_window_max);
    const uint64_t sequence = session.first + ahead;
    const uint64_t first = session.first;
    session.first += rng_.Below(3);
    const proto::Command& known =
        session.commands
            .try_emplace(sequence, InSession(RandomOperation(rng_), session.id, sequence, first))
            .first->second;
    sent_.push_back(known);
    return known;
  }
  void Registered(SessionId id) { sessions_.push_back({.id = id}); }

 private:
  struct Session {
    SessionId id;
    uint64_t first = 1;
    std::map<uint64_t, proto::Command> commands = {};
  };
  Rng rng_;
  KvOptions options_;
  std::vector<Session> sessions_;
  std::vector<proto::Command> sent_;
};

KvOptions RandomOptions(Rng& rng) {
  KvOptions options;
  options.limits.value_bytes_max = rng.Between(uint64_t{3}, uint64_t{12});
  options.limits.session_window_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{6}));
  options.sessions_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{5}));
  options.session_value_bytes_max = rng.Below(6);
  options.session_reply_bytes_max = rng.Below(10);
  return options;
}

TEST(Machine, EqualsTwinAndItsOwnReload) {
  std::map<proto::Code, int> codes;
  int replays = 0;
  int omitted = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Rng rng(seed);
    const KvOptions options = RandomOptions(rng);
    Twin twin(options);
    Replica one(options);
    Replica two(options);
    Traffic traffic(rng.Split("traffic"), options);
    for (int i = 0; i < 400; ++i) {
      const proto::Command command = traffic.Next();
      const Bytes entry = Encode(command);
      const Bytes reply = one.ApplyBytes(entry);
      if (rng.Chance({1, 10})) two.Reload();
      ASSERT_EQ(reply, two.ApplyBytes(entry)) << "seed " << seed << " step " << i;
      ASSERT_EQ(one.dump(), two.dump()) << "seed " << seed << " step " << i;

      const proto::Result result = Replica::Parse(reply);
      std::optional<std::string> value;
      bool replayed = false;
      const proto::Code want = twin.Apply(command, one.index().value(), &value, &replayed);
      ASSERT_EQ(result.code(), want) << "seed " << seed << " step " << i;
      ASSERT_EQ(result.replayed(), replayed) << "seed " << seed << " step " << i;
      if (result.value_omitted()) {
        ASSERT_TRUE(replayed && value.has_value()) << "seed " << seed << " step " << i;
      } else {
        ASSERT_EQ(result.has_value() ? std::optional(result.value()) : std::nullopt, value);
      }
      if (result.session() != 0) traffic.Registered(SessionId(result.session()));
      ++codes[want];
      replays += replayed;
      omitted += result.value_omitted();
    }
    std::map<std::string, std::string> data;
    for (const auto& [key, text] : one.dump()) {
      if (key[0] == 'd') data[key.substr(1)] = text;
    }
    ASSERT_EQ(data, twin.data()) << "seed " << seed;
    ASSERT_LE(one.machine().sessions(), options.sessions_max);
    ASSERT_LE(one.dump().size(),
              data.size() + options.sessions_max * (1 + options.limits.session_window_max));
  }
  // A run in which nothing of a kind happened tests nothing.
  for (const proto::Code code : {proto::OK, proto::CONFLICT, proto::TOO_LARGE,
                                 proto::SESSION_UNKNOWN, proto::SEQUENCE_STALE}) {
    EXPECT_GT(codes[code], 100) << proto::Code_Name(code);
  }
  EXPECT_GT(replays, 100);
  EXPECT_GT(omitted, 100);
}

TEST(Machine, AnyBytesAreHarmless) {
  Rng rng(7);
  Replica replica;
  const SessionId session = replica.Register();
  const std::string valid =
      InSession(MakeCompareAndSwap("key", "value", "other"), session, 1, 1).SerializeAsString();
  std::set<proto::Code> codes;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes;
    if (rng.Chance({1, 2})) {
      for (uint64_t left = rng.Below(40); left > 0; --left) {
        bytes.push_back(static_cast<char>(rng.Next()));
      }
    } else {
      bytes = valid;
      const uint64_t at = rng.Below(bytes.size());
      bytes[at] = static_cast<char>(rng.Next());
      if (rng.Chance({1, 2})) bytes.resize(rng.Below(bytes.size()));
    }
    const auto dump = replica.dump();
    const proto::Result result = Replica::Parse(replica.ApplyBytes(Bytes::Copy(bytes)));
    codes.insert(result.code());
    ASSERT_NE(result.code(), proto::CODE_UNSPECIFIED);
    if (result.index() == 0) {
      ASSERT_FALSE(result.message().empty());
      ASSERT_EQ(replica.dump(), dump);
    }
    const proto::Result read = replica.QueryBytes(Bytes::Copy(bytes));
    ASSERT_NE(read.code(), proto::CODE_UNSPECIFIED);
  }
  EXPECT_TRUE(codes.contains(proto::INVALID_ARGUMENT));
  EXPECT_TRUE(codes.contains(proto::SESSION_UNKNOWN));
}

}  // namespace
}  // namespace lockstep::kv
