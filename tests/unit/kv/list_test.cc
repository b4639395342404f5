// Lists: order, bounds, and going on where an answer ended whatever happens in between.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/kv/continuation.h"
#include "core/kv/table_layout.h"
#include "tests/unit/kv/memory_table.h"

namespace lockstep::kv {
namespace {

class Store {
 public:
  explicit Store(const KvLimits& limits = {})
      : replica_({.limits = limits}), session_(replica_.Register()) {}
  void Put(absl::string_view key, absl::string_view value) { Run(MakePut(key, value)); }
  void Delete(absl::string_view key) { Run(MakeDelete(key)); }
  std::string Keys(const proto::Query& query, std::string* continuation = nullptr) {
    const proto::Result result = replica_.Query(query);
    std::string keys;
    for (const proto::Pair& pair : result.pairs()) absl::StrAppend(&keys, pair.key(), " ");
    if (result.code() != proto::OK) keys = proto::Code_Name(result.code());
    if (continuation != nullptr) *continuation = result.continuation();
    return keys;
  }
  const Replica& replica() const { return replica_; }

 private:
  void Run(const proto::Command& command) {
    ++sequence_;
    const auto result = replica_.Apply(InSession(command, session_, sequence_, sequence_));
    ASSERT_EQ(result.code(), proto::OK);
  }
  Replica replica_;
  SessionId session_;
  uint64_t sequence_ = 0;
};

TEST(List, PrefixStartAndLimit) {
  Store store;
  for (const char* key : {"b", "a", "ab", "ac", "aca", "c"}) store.Put(key, "v");
  EXPECT_EQ(store.Keys(MakeList("")), "a ab ac aca b c ");
  EXPECT_EQ(store.Keys(MakeList("a")), "a ab ac aca ");
  EXPECT_EQ(store.Keys(MakeList("ac")), "ac aca ");
  EXPECT_EQ(store.Keys(MakeList("x")), "");
  EXPECT_EQ(store.Keys(MakeList("", "ab")), "ab ac aca b c ");
  EXPECT_EQ(store.Keys(MakeList("a", "abb")), "ac aca ");
  EXPECT_EQ(store.Keys(MakeList("a", "0")), "a ab ac aca ");  // start before the prefix
  EXPECT_EQ(store.Keys(MakeList("a", "b")), "");              // start after it
  std::string token;
  EXPECT_EQ(store.Keys(MakeList("a", "", 4), &token), "a ab ac aca ");
  EXPECT_EQ(token, "") << "b is no more of this list";
  EXPECT_EQ(store.Keys(MakeList("a", "", 3), &token), "a ab ac ");
  EXPECT_NE(token, "");
  EXPECT_EQ(store.Keys(MakeList("a", "", 3, token), &token), "aca ");
  EXPECT_EQ(token, "");
}

TEST(List, SessionsAndOtherKindsAreNotListed) {
  Store store;
  EXPECT_EQ(store.Keys(MakeList("")), "");
  store.Put("\xff", "v");
  EXPECT_EQ(store.Keys(MakeList("")), "\xff ");
}

TEST(List, BoundedByBytesButAlwaysProgresses) {
  KvLimits limits;
  limits.list_bytes_max = 10;
  Store store(limits);
  store.Put("a", "1234");
  store.Put("b", "1234");
  store.Put("c", std::string(100, 'x'));
  store.Put("d", "");
  std::string token;
  EXPECT_EQ(store.Keys(MakeList(""), &token), "a b ");
  EXPECT_EQ(store.Keys(MakeList("", "", 0, token), &token), "c ");
  EXPECT_EQ(store.Keys(MakeList("", "", 0, token), &token), "d ");
  EXPECT_EQ(token, "");
}

TEST(List, LimitIsCappedByTheServers) {
  KvLimits limits;
  limits.list_pairs_max = 2;
  Store store(limits);
  for (const char* key : {"a", "b", "c"}) store.Put(key, "v");
  EXPECT_EQ(store.Keys(MakeList("")), "a b ");
  EXPECT_EQ(store.Keys(MakeList("", "", 1000)), "a b ");
}

TEST(List, TokenSurvivesWrites) {
  Store store;
  for (const char* key : {"a", "b", "c", "d"}) store.Put(key, "v");
  std::string token;
  EXPECT_EQ(store.Keys(MakeList("", "", 2), &token), "a b ");
  store.Delete("b");  // the very key that the token names
  store.Delete("c");
  store.Put("aa", "v");  // behind
  std::string next("b");
  next.push_back('\0');
  store.Put(next, "v");  // directly ahead
  store.Put("e", "v");
  EXPECT_EQ(store.Keys(MakeList("", "", 0, token)), absl::StrCat(next, " d e "));
}

TEST(List, ForeignTokensAreRefused) {
  Store store;
  store.Put("ab", "v");
  const KvLimits limits;
  const std::string token = MakeContinuation("a", "ab");
  EXPECT_EQ(store.Keys(MakeList("a", "", 0, token)), "");
  EXPECT_EQ(store.Keys(MakeList("", "", 0, token)), "INVALID_ARGUMENT");
  EXPECT_EQ(store.Keys(MakeList("ab", "", 0, token)), "INVALID_ARGUMENT");
  EXPECT_EQ(store.Keys(MakeList("a", "", 0, "nonsense")), "INVALID_ARGUMENT");
  EXPECT_EQ(store.Keys(MakeList("a", "", 0, std::string(10000, 'x'))), "INVALID_ARGUMENT");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string bad = token;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(ReadContinuation("a", bad, limits).ok()) << i;
    EXPECT_FALSE(ReadContinuation("a", absl::string_view(token).substr(0, i), limits).ok()) << i;
  }
  EXPECT_EQ(store.Keys(MakeList(std::string(5000, 'x'))), "TOO_LARGE");
  EXPECT_EQ(store.Keys(MakeList("", std::string(5000, 'x'))), "TOO_LARGE");
}

// Paging under writes that stay behind the cursor equals a twin read in one go.
TEST(List, PagesEqualTwin) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed);
    KvLimits limits;
    limits.list_pairs_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{5}));
    limits.list_bytes_max = rng.Between(uint64_t{1}, uint64_t{30});
    Store store(limits);
    std::map<std::string, std::string> twin;
    for (int i = 0; i < 40; ++i) {
      std::string key;
      for (uint64_t left = rng.Between(uint64_t{1}, uint64_t{4}); left > 0; --left) {
        key.push_back("\0ab\xff"[rng.Below(4)]);
      }
      twin[key] = std::string(rng.Below(8), 'v');
      store.Put(key, twin[key]);
    }
    const std::string prefix(rng.Below(3), 'a');
    std::map<std::string, std::string> want;
    for (const auto& [key, value] : twin) {
      if (absl::StartsWith(key, prefix)) want[key] = value;
    }
    std::map<std::string, std::string> got;
    std::string token;
    do {
      const proto::Result result = store.replica().Query(MakeList(prefix, "", 0, token));
      ASSERT_EQ(result.code(), proto::OK);
      for (const proto::Pair& pair : result.pairs()) {
        ASSERT_TRUE(got.empty() || got.rbegin()->first < pair.key());
        got[pair.key()] = pair.value();
      }
      token = result.continuation();
      if (!got.empty()) store.Delete(got.begin()->first);  // behind the cursor
    } while (!token.empty());
    EXPECT_EQ(got, want) << "seed " << seed;
  }
}

}  // namespace
}  // namespace lockstep::kv
