// What may not be written where. Most rows guard determinism: the same seed must give the same run
// in every build, so core and sim know no time but the one they are given, no chance but Rng and no
// container whose order is nobody's decision. `ci/symbols` sees what hides from text; this sees
// what leaves no symbol.
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/lint/rules.h"

namespace lockstep::lint {
namespace {

using Words = std::vector<absl::string_view>;

struct Ban {
  absl::string_view rule;
  absl::string_view instead;
  Words words;  // as FindWord takes them
};

// For core/ and sim/: what would make two runs of one seed differ.
const std::vector<Ban>& DeterminismBans() {
  static const std::vector<Ban> bans = {
      {"clock",
       "time is an argument: Instant now",
       {"system_clock",
        "steady_clock",
        "high_resolution_clock",
        "utc_clock",
        "file_clock",
        "absl::Now",
        "absl::Time",
        "absl::GetCurrentTimeNanos",
        "clock_gettime",
        "gettimeofday",
        "time(",
        "std::clock",
        "localtime*",
        "gmtime*",
        "sleep(",
        "usleep",
        "nanosleep",
        "sleep_for",
        "sleep_until",
        "absl::SleepFor",
        "<ctime>",
        "<time.h>"}},
      {"entropy",
       "chance is a value: Rng",
       {"rand(",
        "srand(",
        "random(",
        "rand_r",
        "drand48",
        "mt19937*",
        "minstd_rand*",
        "ranlux*",
        "knuth_b",
        "random_device",
        "default_random_engine",
        "uniform_int_distribution",
        "uniform_real_distribution",
        "bernoulli_distribution",
        "normal_distribution",
        "poisson_distribution",
        "exponential_distribution",
        "geometric_distribution",
        "discrete_distribution",
        "std::shuffle",
        "std::sample",
        "std::ranges::shuffle",
        "absl::BitGen*",
        "absl::InsecureBitGen",
        "absl::Uniform*",
        "getrandom",
        "getentropy",
        "<random>"}},
      {"hash_order",
       "iteration order must be defined: absl::btree_map, btree_set, StableHash",
       {"unordered_map", "unordered_set", "unordered_multimap", "unordered_multiset",
        "flat_hash_map", "flat_hash_set", "node_hash_map", "node_hash_set", "std::hash",
        "absl::Hash", "absl::HashOf", "AbslHashValue"}},
      {"address_order",
       "addresses differ from run to run: key by an Id",
       {"uintptr_t", "intptr_t"}},
      {"floating_point",
       "rounding differs between builds: Ratio or integers",
       {"float", "double", "<cmath>"}},
  };
  return bans;
}

// For core/ and sim/: nothing of the outside, and no second thread of control.
const std::vector<Ban>& SeamBans() {
  static const std::vector<Ban> bans = {
      {"threads", "nothing: there is one thread", {"std::thread",       "std::jthread",
                                                   "std::this_thread*", "std::mutex",
                                                   "std::shared_mutex", "std::recursive_mutex",
                                                   "std::timed_mutex",  "std::lock_guard",
                                                   "std::unique_lock",  "std::scoped_lock",
                                                   "std::shared_lock",  "std::condition_variable*",
                                                   "std::atomic*",      "std::memory_order*",
                                                   "std::future",       "std::promise",
                                                   "std::async",        "std::call_once",
                                                   "std::once_flag",    "std::counting_semaphore",
                                                   "std::latch",        "std::barrier",
                                                   "thread_local",      "absl::Mutex*",
                                                   "absl::CondVar",     "absl::Notification",
                                                   "absl::call_once",   "pthread_*"}},
      {"world",
       "the outside is reached through a seam (core/runtime/host.h, storage)",
       {"std::filesystem*", "std::ifstream", "std::ofstream", "std::fstream", "std::cout",
        "std::cerr", "std::clog", "std::cin", "fopen(", "printf(", "fprintf(", "std::getenv",
        "getenv", "socket(", "<filesystem>", "<fstream>", "<iostream>", "<cstdio>"}},
      {"exceptions",
       "core and sim have none: absl::Status, or Check for our own mistakes",
       {"throw", "try", "catch("}},
      {"shared_ownership",
       "unique_ptr owns, references borrow",
       {"std::shared_ptr", "std::weak_ptr"}},
  };
  return bans;
}

// For every C++ file.
const std::vector<Ban>& HouseBans() {
  static const std::vector<Ban> bans = {
      {"string_view",
       "absl::string_view: Debian's Abseil does not take the other one",
       {"std::string_view", "<string_view>"}},
      {"debug_string",
       "Describe: stable and short",
       {"DebugString", "ShortDebugString", "Utf8DebugString"}},
      {"using_namespace", "write the names out", {"using namespace std"}},
  };
  return bans;
}

constexpr BanException kExceptions[] = {
    {"core/base/bytes.h", "threads", "a reference count that production's storage threads share"},
    {"core/base/check.cc", "world", "the last words before the abort go to stderr"},
    {"core/base/hash.cc", "preprocessor", "xxHash's own switch for inlining"},
    {"sim/testing/seed_environment.h", "world", "a test is told from outside which seeds to run"},
    {"sim/testing/trial.h", "world", "a test is told from outside whether to print its trace"},
    {"sim/world/simulation.cc", "world", "the last words of a failed Check name the seed"},
};

bool IsPure(absl::string_view path) {
  return absl::StartsWith(path, "core/") || absl::StartsWith(path, "sim/");
}

void Report(const SourceText& source, size_t line, absl::string_view rule,
            const std::string& message, Findings& out) {
  out.push_back({source.path, line, std::string(rule), message});
}

void CheckWords(const SourceText& source, const std::vector<Ban>& bans, Findings& out) {
  for (const Ban& ban : bans) {
    for (absl::string_view word : ban.words) {
      for (size_t at = FindWord(source.code, word); at != absl::string_view::npos;
           at = FindWord(source.code, word, at + 1)) {
        Report(source, LineOf(source.code, at), ban.rule,
               absl::StrCat("no ", word, " here; ", ban.instead), out);
      }
    }
  }
}

// Containers ordered by address, and "%p".
void CheckAddresses(const SourceText& source, size_t number, const std::string& line,
                    Findings& out) {
  static const std::regex keyed_by_pointer(
      R"(\b(map|set|multimap|multiset|btree_map|btree_set)<\s*(const\s+)?[\w:]+(\s+const)?\s*\*)");
  if (std::regex_search(line, keyed_by_pointer)) {
    Report(source, number, "address_order",
           "a container ordered by address differs from run to run: key by an Id", out);
  }
  if (absl::StrContains(line, "%p")) {
    Report(source, number, "address_order", "no %p: an address differs from run to run", out);
  }
}

// Mutable state that outlives its owner: two runs in one process would see each other.
void CheckStatics(const SourceText& source, size_t number, const std::string& line, Findings& out) {
  static const std::regex mutable_static(
      R"(^\s*(inline\s+)?static\s+(?!(inline\s+)?(const|constexpr)\b)[\w:<>,&*\s]+(=|;|\{))");
  if (std::regex_search(line, mutable_static)) {
    Report(source, number, "mutable_static", "no mutable static: make it a member", out);
  }
}

// Conditional code is code that some build does not test. Guards are form.cc's.
void CheckPreprocessor(const SourceText& source, size_t number, absl::string_view line,
                       Findings& out) {
  line = absl::StripLeadingAsciiWhitespace(line);
  const bool conditional = absl::StartsWith(line, "#if") || absl::StartsWith(line, "#el");
  const bool define = absl::StartsWith(line, "#define");
  if (!conditional && !define) return;
  if (absl::StrContains(line, "LOCKSTEP_") && absl::EndsWith(line, "_H_")) return;
  Report(source, number, "preprocessor", "no macros and no conditional code: a type or a function",
         out);
}

void CheckProto(const SourceText& source, Findings& out) {
  static const std::vector<Ban> bans = {
      {"proto", "a field that repeats: a map has no defined order on the wire", {"map<", "map <"}},
      {"proto", "integers: floating point is not exact", {"float", "double"}},
      {"proto", "a oneof: an Any hides what it carries", {"google.protobuf.Any"}},
  };
  CheckWords(source, bans, out);
}

}  // namespace

absl::Span<const BanException> BanExceptions() { return kExceptions; }

void FindBanned(const SourceText& source, Findings& out) {
  if (absl::EndsWith(source.path, ".proto")) return CheckProto(source, out);
  if (!IsCpp(source.path)) return;
  CheckWords(source, HouseBans(), out);
  if (!IsPure(source.path)) return;
  CheckWords(source, DeterminismBans(), out);
  CheckWords(source, SeamBans(), out);
  size_t number = 0;
  for (absl::string_view line : Lines(source.with_strings)) {
    ++number;
    CheckAddresses(source, number, std::string(line), out);
    CheckStatics(source, number, std::string(line), out);
    CheckPreprocessor(source, number, line, out);
  }
}

void CheckBans(const SourceText& source, Findings& out) {
  Findings found;
  FindBanned(source, found);
  for (Finding& finding : found) {
    const bool excepted =
        std::any_of(std::begin(kExceptions), std::end(kExceptions), [&](const BanException& row) {
          return row.path == finding.path && row.rule == finding.rule;
        });
    if (!excepted) out.push_back(std::move(finding));
  }
}

}  // namespace lockstep::lint
