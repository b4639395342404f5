#include "bin/lockstepd_identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstepd_exit.h"
#include "tests/unit/bin/support.h"

namespace lockstep::lockstepd {
namespace {

Identity SomeIdentity() {
  Identity identity;
  identity.cluster = "lockstep";
  identity.node_id = 2;
  identity.incarnation = 0xFEDCBA9876543210;
  identity.shards = 64;
  identity.controller = {1, 2, 3};
  identity.groups = {{101, {1, 2, 3}}, {102, {2}}};
  return identity;
}

std::unique_ptr<DataDirectory> Open(const std::string& path) {
  absl::StatusOr<std::unique_ptr<DataDirectory>> directory = DataDirectory::Open(path);
  EXPECT_TRUE(directory.ok()) << directory.status();
  return directory.ok() ? *std::move(directory) : nullptr;
}

void ExpectRefused(const absl::Status& status, ExitCode code, const std::string& message) {
  EXPECT_EQ(ExitCodeOf(status), code) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), message)) << status << "\n  want " << message;
  EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
}

TEST(DataDirectoryTest, IsMadeClaimedAndFoundAgain) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path("a/b/c");
  {
    const auto directory = Open(path);
    ASSERT_NE(directory, nullptr);
    EXPECT_FALSE(directory->identity().has_value());
    EXPECT_TRUE(directory->Claim(SomeIdentity()).ok());
    EXPECT_TRUE(directory->Claim(SomeIdentity()).ok());
  }
  const auto directory = Open(path);
  ASSERT_NE(directory, nullptr);
  EXPECT_EQ(directory->identity(), SomeIdentity());
  EXPECT_FALSE(std::filesystem::exists(path + "/identity.json.tmp"));
}

TEST(DataDirectoryTest, RefusesWhatIsNotOurs) {
  const TemporaryDirectory temporary;
  temporary.Write("holiday.jpg", "x");
  ExpectRefused(DataDirectory::Open(temporary.path()).status(), ExitCode::kDataDirectory,
                "is not a data directory: it holds \"holiday.jpg\"");
  EXPECT_FALSE(std::filesystem::exists(temporary.path("LOCK"))) << "a foreign directory is changed";
  ExpectRefused(DataDirectory::Open(temporary.path("holiday.jpg")).status(),
                ExitCode::kDataDirectory, "is not a directory");
  ExpectRefused(DataDirectory::Open(temporary.path("holiday.jpg/x")).status(),
                ExitCode::kDataDirectory, "cannot be made: Not a directory");
}

TEST(DataDirectoryTest, ACrashBeforeTheFirstIdentityLeavesAnEmptyDirectory) {
  const TemporaryDirectory temporary;
  temporary.Write("LOCK", "123\n");
  temporary.Write("identity.json.tmp", "{\"form");
  const auto directory = Open(temporary.path());
  ASSERT_NE(directory, nullptr);
  EXPECT_FALSE(directory->identity().has_value());
}

TEST(DataDirectoryTest, IsLockedAgainstOthersWhoAreToldByWhom) {
  const TemporaryDirectory temporary;
  auto first = Open(temporary.path());
  ExpectRefused(DataDirectory::Open(temporary.path()).status(), ExitCode::kDataDirectory,
                absl::StrCat("is in use by process ", ::getpid(), ": stop it first"));
  first.reset();
  EXPECT_NE(Open(temporary.path()), nullptr);
}

TEST(DataDirectoryTest, RefusesToBecomeSomebodyElse) {
  const TemporaryDirectory temporary;
  const auto directory = Open(temporary.path());
  ASSERT_TRUE(directory->Claim(SomeIdentity()).ok());
  Identity other = SomeIdentity();
  other.cluster = "shop";
  ExpectRefused(directory->Claim(other), ExitCode::kDataDirectory,
                "belongs to cluster \"lockstep\", not \"shop\"");
  other = SomeIdentity();
  other.node_id = 3;
  ExpectRefused(directory->Claim(other), ExitCode::kDataDirectory, "belongs to node 2, not 3");
  other = SomeIdentity();
  other.incarnation = 1;
  ExpectRefused(directory->Claim(other), ExitCode::kDataDirectory,
                "is incarnation fedcba9876543210, not 0000000000000001");
  EXPECT_EQ(directory->identity(), SomeIdentity());
}

TEST(DataDirectoryTest, RefusesANewerFormatAndSaysWhatIsDamaged) {
  const TemporaryDirectory temporary;
  const auto refusal = [&](const std::string& text) {
    temporary.Write("identity.json", text);
    return DataDirectory::Open(temporary.path()).status();
  };
  ExpectRefused(refusal("{\"format\": 2, \"unknown\": true}"), ExitCode::kDataDirectory,
                "is of format 2, and this build knows up to 1: run the newer version");
  for (const char* damaged :
       {"", "{", "[]", "{\"format\": \"1\"}", "{\"format\": 1}",
        "{\"format\": 1, \"cluster\": \"c\", \"node_id\": 1, \"incarnation\": \"x\", "
        "\"shards\": 1, \"controller\": [], \"groups\": []}"}) {
    ExpectRefused(refusal(damaged), ExitCode::kDamaged, "identity.json is damaged");
  }
  // A conversion would make some other number of each.
  for (const char* number : {"1.5", "-1", "4294967296", "6e94", "true", "\"1\""}) {
    const std::string text = absl::StrCat(
        "{\"format\": 1, \"cluster\": \"c\", \"node_id\": 1, \"incarnation\": \"7\", \"shards\": ",
        number, ", \"controller\": [], \"groups\": []}");
    ExpectRefused(refusal(text), ExitCode::kDamaged, "identity.json is damaged");
  }
  // What nests without end would overflow the stack of whoever sums it up.
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  ExpectRefused(refusal("{\"format\": 1, \"checksum\": \"0\", \"a\": " + deep + "}"),
                ExitCode::kDamaged, "identity.json is damaged");
  std::filesystem::remove(temporary.path("identity.json"));
  std::filesystem::create_directory(temporary.path("identity.json"));
  ExpectRefused(DataDirectory::Open(temporary.path()).status(), ExitCode::kDataDirectory,
                "identity.json cannot be read");
}

// A checksum may be digits alone, and a space is one bit away from a zero.
TEST(SealedNumberTest, ASpaceThatRotsMakesNoOtherNumber) {
  const TemporaryDirectory temporary;
  const std::string path = temporary.path("lives");
  bool of_digits = false;
  for (uint64_t number = 1; number <= 200; ++number) {
    ASSERT_TRUE(WriteSealedNumber(path, number).ok());
    std::string text = temporary.Read("lives");
    EXPECT_EQ(*ReadSealedNumber(path, nullptr), number);
    text[text.find(' ')] = '0';
    of_digits |= text.find_first_not_of("0123456789\n") == text.npos;
    temporary.Write("lives", text);
    EXPECT_EQ(ExitCodeOf(ReadSealedNumber(path, nullptr).status()), ExitCode::kDamaged) << text;
  }
  EXPECT_TRUE(of_digits) << "otherwise this tests nothing";
  temporary.Write("lives", "17\n");
  EXPECT_EQ(*ReadSealedNumber(path, nullptr), 17u) << "of a first build";
}

TEST(IncarnationTest, IsNeverZeroAndNeverTheSame) {
  const uint64_t first = NewIncarnation();
  EXPECT_NE(first, 0u);
  EXPECT_NE(first, NewIncarnation());
}

TEST(PeerBookTest, RemembersOverRestartsAndWritesOnlyNews) {
  const TemporaryDirectory temporary;
  absl::StatusOr<PeerBook> book = PeerBook::Load(temporary.path());
  ASSERT_TRUE(book.ok()) << book.status();
  EXPECT_TRUE(book->peers().empty());
  const Peer peer = {2, 0xABCDEF, "h:1", "h:2", "h:3"};
  ASSERT_TRUE(book->Remember(peer).ok());
  ASSERT_TRUE(book->Remember({3, 0, "g:1", "", ""}).ok());

  std::filesystem::remove(temporary.path("peers.json"));
  ASSERT_TRUE(book->Remember(peer).ok());
  ASSERT_TRUE(book->Remember({2, 0, "", "", ""}).ok());
  EXPECT_FALSE(std::filesystem::exists(temporary.path("peers.json"))) << "written without news";

  ASSERT_TRUE(book->Remember({2, 0, "h:9", "", ""}).ok());
  const absl::StatusOr<PeerBook> again = PeerBook::Load(temporary.path());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->peers(), book->peers());
  EXPECT_EQ(again->peers().at(2), (Peer{2, 0xABCDEF, "h:9", "h:2", "h:3"}));
  EXPECT_EQ(again->peers().at(3), (Peer{3, 0, "g:1", "", ""}));
}

TEST(PeerBookTest, RemembersTheNewestControllers) {
  const TemporaryDirectory temporary;
  absl::StatusOr<PeerBook> book = PeerBook::Load(temporary.path());
  ASSERT_TRUE(book.ok()) << book.status();
  ASSERT_TRUE(book->RememberControllers({}).ok());
  EXPECT_FALSE(std::filesystem::exists(temporary.path("peers.json"))) << "there is nothing to say";
  ASSERT_TRUE(book->RememberControllers({7, {4, 6}}).ok());
  ASSERT_TRUE(book->RememberControllers({6, {1, 2}}).ok());
  ASSERT_TRUE(book->Remember({2, 0, "h:1", "", ""}).ok());
  const absl::StatusOr<PeerBook> again = PeerBook::Load(temporary.path());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->controllers(), (KnownControllers{7, {4, 6}}));
  EXPECT_EQ(again->peers().size(), 1u);
  bool exact = false;
  EXPECT_TRUE(CheckPeersFile(temporary.path(), &exact).ok());
  EXPECT_TRUE(exact);
}

TEST(PeerBookTest, SaysWhatIsDamaged) {
  const TemporaryDirectory temporary;
  for (const char* damaged :
       {"\"peers\": [{}]",
        "\"peers\": [], \"controllers\": {\"membership\": 2.5, "
        "\"nodes\": [1]}",
        "\"peers\": [], \"controllers\": {\"membership\": 2, \"nodes\": [-1]}"}) {
    temporary.Write("peers.json", absl::StrCat("{\"format\": 1, ", damaged, "}"));
    ExpectRefused(PeerBook::Load(temporary.path()).status(), ExitCode::kDamaged,
                  "peers.json is damaged");
  }
}

}  // namespace
}  // namespace lockstep::lockstepd
