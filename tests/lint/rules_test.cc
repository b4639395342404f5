// Planted sins: each rule must find its own, and must leave alone what only looks like it.
#include "tests/lint/rules.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace lockstep::lint {
namespace {

using Rule = void (*)(const SourceText&, Findings&);

struct Row {
  std::string path;
  std::string text;
  std::string want;  // the one rule that is broken; empty: none is
};

std::set<std::string> BrokenRules(Rule rule, const Row& row) {
  Findings findings;
  rule(MakeSourceText(row.path, row.text), findings);
  std::set<std::string> rules;
  for (const Finding& finding : findings) rules.insert(finding.rule);
  return rules;
}

void ExpectRows(Rule rule, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const std::set<std::string> want =
        row.want.empty() ? std::set<std::string>{} : std::set<std::string>{row.want};
    EXPECT_EQ(BrokenRules(rule, row), want) << row.path << ":\n" << row.text;
  }
}

std::string Include(const std::string& header) {
  return absl::StrCat("#include \"", header, "\"\n");
}

TEST(Layers, WhoMayIncludeWhom) {
  ExpectRows(
      CheckLayers,
      {
          {"core/base/a.h", Include("core/base/b.h"), ""},
          {"core/base/a.h", Include("core/runtime/log.h"), "layers"},
          {"core/base/a.h", Include("core/proto/peer.pb.h"), "layers"},
          {"core/runtime/a.h", Include("core/base/b.h"), ""},
          {"core/runtime/a.h", Include("core/proto/peer.pb.h"), "layers"},
          {"core/proto/peer.pb.cc", Include("proto/peer.pb.h"), ""},
          {"core/raft/a.cc", Include("core/proto/peer.pb.h"), ""},
          {"core/raft/a.cc", Include("core/runtime/log.h"), ""},
          {"core/raft/a.cc", Include("core/kv/kv.h"), "layers"},
          {"core/kv/a.cc", Include("core/raft/raft.h"), "layers"},
          {"core/kv/a.cc", Include("core/node/node.h"), "layers"},
          {"core/controller/a.cc", Include("core/kv/kv.h"), ""},
          {"core/controller/a.cc", Include("core/raft/raft.h"), "layers"},
          {"core/shardkv/a.cc", Include("core/kv/kv.h"), ""},
          {"core/client/a.cc", Include("core/proto/client.pb.h"), ""},
          {"core/client/a.cc", Include("core/kv/continuation.h"), ""},
          {"core/client/a.cc", Include("core/raft/raft.h"), "layers"},
          {"core/client/a.cc", Include("core/shardkv/shard_machine.h"), "layers"},
          {"core/node/a.cc", Include("core/raft/raft.h"), ""},
          {"core/node/a.cc", Include("core/kv/kv.h"), ""},
          {"core/node/a.cc", Include("core/client/router.h"), "layers"},
          {"core/node/a.cc", Include("storage/engine.h"), "layers"},
          {"core/raft/a.cc", Include("sim/world/world.h"), "layers"},
          {"storage/a.cc", Include("core/runtime/log.h"), ""},
          {"storage/a.cc", Include("core/raft/raft.h"), "layers"},
          {"storage/a.cc", Include("sim/disk/disk.h"), "layers"},
          {"sim/world/a.cc", Include("core/node/roles.h"), ""},
          {"sim/world/a.cc", Include("storage/engine.h"), ""},
          {"sim/world/a.cc", Include("sim/check/linearizability/history.h"), ""},
          {"sim/world/a.cc", Include("net/host.h"), "layers"},
          {"sim/check/a.cc", Include("core/raft/raft.h"), ""},
          {"sim/check/linearizability/a.cc", Include("core/base/types.h"), ""},
          {"sim/check/linearizability/a.cc", Include("core/runtime/log.h"), "layers"},
          {"sim/check/linearizability/a.cc", Include("sim/world/world.h"), "layers"},
          {"net/a.cc", Include("core/node/roles.h"), ""},
          {"net/a.cc", Include("sim/world/world.h"), "layers"},
          {"net/a.cc", Include("storage/engine.h"), "layers"},
          {"bin/a.cc", Include("sim/world/world.h") + Include("net/host.h"), ""},
          {"tests/unit/raft/a.cc", Include("core/raft/raft.h") + Include("storage/engine.h"), ""},
          {"core/a.cc", Include("tests/support/a.h"), "layers"},
          {"elsewhere/a.cc", "", "layers"},
      });
}

TEST(Layers, Libraries) {
  ExpectRows(CheckLayers,
             {
                 {"core/raft/a.cc", "#include <vector>\n", ""},
                 {"core/raft/a.cc", Include("absl/status/status.h"), ""},
                 {"core/raft/a.cc", Include("leveldb/db.h"), "layers"},
                 {"core/raft/a.cc", "#include <unistd.h>\n", "layers"},
                 {"core/raft/a.cc", "#include <sys/socket.h>\n", "layers"},
                 {"core/base/a.cc", "#include <xxhash.h>\n", "layers"},
                 {"core/base/hash.cc", "#include <xxhash.h>\n", ""},
                 {"core/base/a.cc", "#include \"google/protobuf/message.h\"\n", "layers"},
                 {"sim/world/a.cc", "#  include <uv.h>\n", "layers"},
                 {"storage/a.cc", "#include <fcntl.h>\n" + Include("leveldb/db.h"), ""},
                 {"core/raft/a.cc", Include("quorum.h"), "layers"},
                 {"core/raft/a.cc", "#include <core/base/types.h>\n", "layers"},
                 {"core/raft/a.cc", "// #include <uv.h>\n", ""},
             });
}

TEST(Bans, Time) {
  ExpectRows(CheckBans, {
                            {"core/a.cc", "auto t = std::chrono::steady_clock::now();", "clock"},
                            {"sim/a.cc", "using Real = std::chrono::system_clock;", "clock"},
                            {"core/a.cc", "long t = time(nullptr);", "clock"},
                            {"core/a.cc", "long t = std::time (nullptr);", "clock"},
                            {"core/a.cc", "absl::Time t = absl::Now();", "clock"},
                            {"core/a.cc", "usleep(3);", "clock"},
                            {"core/a.cc", "Instant t = event.time();", ""},
                            {"core/a.cc", "Instant t = clock.Now();", ""},
                            {"core/a.cc", "std::chrono::nanoseconds wait{3};", ""},
                            {"core/a.cc", "int lifetime(0); // time(nullptr)", ""},
                            {"core/a.cc", "const char* text = \"time(\";", ""},
                            {"bin/a.cc", "auto t = std::chrono::steady_clock::now();", ""},
                        });
}

TEST(Bans, ChanceAndOrder) {
  ExpectRows(CheckBans,
             {
                 {"core/a.cc", "int i = rand();", "entropy"},
                 {"core/a.cc", "std::mt19937_64 engine(seed);", "entropy"},
                 {"sim/a.cc", "std::uniform_int_distribution<int> d(1, 6);", "entropy"},
                 {"sim/a.cc", "std::shuffle(v.begin(), v.end(), e);", "entropy"},
                 {"sim/a.cc", "absl::BitGen gen;", "entropy"},
                 {"core/a.cc", "int operand(3);", ""},
                 {"core/a.cc", "std::unordered_map<int, int> m;", "hash_order"},
                 {"core/a.cc", "absl::flat_hash_map<int, int> m;", "hash_order"},
                 {"core/a.cc", "std::hash<int>()(3);", "hash_order"},
                 {"core/a.cc", "uint64_t h = StableHash(key);", ""},
                 {"core/a.cc", "std::map<Node*, int> m;", "address_order"},
                 {"core/a.cc", "absl::btree_set<const Node*> s;", "address_order"},
                 {"core/a.cc", "absl::btree_map<NodeId, Node*> m;", ""},
                 {"core/a.cc", "absl::StrFormat(\"%p\", this);", "address_order"},
                 {"core/a.cc", "auto a = reinterpret_cast<uintptr_t>(p);", "address_order"},
                 {"core/a.cc", "double share = 0;", "floating_point"},
                 {"core/a.cc", "int redouble = 0;", ""},
                 {"tests/unit/a.cc", "double share = 0;", ""},
             });
}

TEST(Draws, OnePerStatement) {
  ExpectRows(CheckDraws,
             {
                 {"sim/a.cc", "Use(rng.Below(3), rng.Below(4));", "one_draw"},
                 {"sim/a.cc", "Use(rng_->Chance({1, 2}),\n    other.Chance({1, 2}));", "one_draw"},
                 {"sim/a.cc", "Use(rng.Between(1, 2), Id{rng.Below(4)});", "one_draw"},
                 {"sim/a.cc", "if (Use(rng.Below(3), rng.Below(4))) return;", "one_draw"},
                 {"sim/a.cc", "int i = rng.Below(3);\nint k = rng.Below(4);", ""},
                 {"sim/a.cc", "if (rng.Chance(often)) i = rng.Below(3);", ""},
                 {"sim/a.cc", "while (rng.Chance(often)) { i = rng.Below(3); }", ""},
                 {"sim/a.cc", "Each([&] { i = rng.Below(3); }, rng.Below(4));", ""},
                 {"sim/a.cc", "Use(IsBelow(3), Below(4), set.Beneath(3));", ""},
                 {"tests/unit/base/a.cc", "Use(rng.Below(3), rng.Below(4));", ""},
             });
}

TEST(Bans, WorldAndState) {
  ExpectRows(CheckBans,
             {
                 {"core/a.h", "std::mutex mutex_;", "threads"},
                 {"core/a.h", "thread_local int depth = 0;", "threads"},
                 {"core/a.h", "std::atomic<int> count;", "threads"},
                 {"core/base/bytes.h", "std::atomic<int> count;", ""},
                 {"storage/a.h", "std::mutex mutex_;", ""},
                 {"core/a.cc", "std::ifstream file(path);", "world"},
                 {"core/a.cc", "std::fprintf(stderr, \"x\");", "world"},
                 {"core/a.cc", "std::snprintf(b, 3, \"x\");", ""},
                 {"core/a.cc", "const char* home = getenv(\"HOME\");", "world"},
                 {"core/a.cc", "std::ostringstream text;", ""},
                 {"core/a.cc", "static int calls = 0;", "mutable_static"},
                 {"core/a.cc", "  static std::map<int, int> cache;", "mutable_static"},
                 {"core/a.cc", "  static const int kCalls = 0;", ""},
                 {"core/a.cc", "  static constexpr int kCalls = 0;", ""},
                 {"core/a.cc", "  static Bytes Copy(View text) {", ""},
                 {"core/a.cc", "static_assert(sizeof(int) == 4);", ""},
                 {"core/a.cc", "#ifdef __linux__\n#endif\n", "preprocessor"},
                 {"core/a.cc", "#define SQUARE(x) ((x) * (x))\n", "preprocessor"},
                 {"core/a.h", "#ifndef LOCKSTEP_CORE_A_H_\n#define LOCKSTEP_CORE_A_H_\n", ""},
                 {"core/a.cc", "throw 3;", "exceptions"},
                 {"core/a.cc", "// throw the rest away; try later\n", ""},
                 {"core/a.cc", "std::shared_ptr<int> p;", "shared_ownership"},
             });
}

TEST(Bans, House) {
  ExpectRows(CheckBans, {
                            {"bin/a.cc", "void F(std::string_view text);", "string_view"},
                            {"bin/a.cc", "#include <string_view>\n", "string_view"},
                            {"bin/a.cc", "void F(absl::string_view text);", ""},
                            {"bin/a.cc", "message.ShortDebugString();", "debug_string"},
                            {"core/proto/a.proto", "map<string, int32> m = 1;", "proto"},
                            {"core/proto/a.proto", "double share = 1;", "proto"},
                            {"core/proto/a.proto", "// no map<> here\nbytes bitmap = 1;", ""},
                        });
}

TEST(Form, Files) {
  const std::string guard = "#ifndef LOCKSTEP_CORE_A_B_H_\n#define LOCKSTEP_CORE_A_B_H_\n#endif\n";
  const auto lines = [](size_t count) {
    std::string text = "// For.\n";
    for (size_t i = 1; i < count; ++i) text += "\n";
    return text;
  };
  const std::string todo = absl::StrCat("TO", "DO");
  ExpectRows(CheckForm, {
                            {"core/a/b.h", "// For.\n" + guard, ""},
                            {"core/a/c.h", "// For.\n" + guard, "guard"},
                            {"core/a/b.h", "// For.\n#pragma once\n" + guard, "guard"},
                            {"core/a/b.h", guard, "opening"},
                            {"core/a/b.proto", "syntax = \"proto3\";\n", "opening"},
                            {"core/a/b.cc", "#include <vector>\n", ""},
                            {"core/a/b.cc", lines(400), ""},
                            {"core/a/b.cc", lines(401), "length"},
                            {"core/a/b.cc", "// " + todo + ": later\n", "issue"},
                            {"core/a/b.cc", "// " + todo + "(somebody): later\n", "issue"},
                            {"core/a/b.cc", "// " + todo + "(#12): later\n", ""},
                            {"core/a/b.cc", "auto s = \"" + todo + "\";\n", ""},
                            {"core/a/b.cc", "int\ti;\n", "whitespace"},
                            {"core/a/b.cc", "int i;", "whitespace"},
                        });
}

TEST(Form, LengthWarnsBeforeItStops) {
  const auto fatal = [](size_t lines) {
    Findings findings;
    CheckForm(MakeSourceText("core/a.cc", std::string(lines, '\n')), findings);
    return findings.size() == 1 && findings[0].fatal;
  };
  EXPECT_FALSE(fatal(600));
  EXPECT_TRUE(fatal(601));
}

TEST(SourceText, KeepsCodeCommentsAndStringsApart) {
  // Blanks are shown as dots.
  const auto dotted = [](const std::string& view) {
    return absl::StrReplaceAll(view, {{" ", "."}});
  };
  const SourceText source = MakeSourceText("a.cc", R"x(f("a\"//b");//c"q
/*d
e*/g('\'',1'000,R"(r")");)x");
  EXPECT_EQ(dotted(source.code), R"x(f("......");.....
...
...g('..',1'000,R"....");)x");
  EXPECT_EQ(dotted(source.with_strings), R"x(f("a\"//b");.....
...
...g('\'',1'000,R"(r")");)x");
  EXPECT_EQ(dotted(source.with_comments), R"x(f("......");//c"q
/*d
e*/g('..',1'000,R"....");)x");
}

TEST(SourceText, Lines) {
  EXPECT_EQ(Lines("").size(), 0u);
  EXPECT_EQ(Lines("a\n\nb").size(), 3u);
  EXPECT_EQ(Lines("a\n").size(), 1u);
  EXPECT_EQ(LineOf("a\nb\nc", 4), 3u);
}

}  // namespace
}  // namespace lockstep::lint
