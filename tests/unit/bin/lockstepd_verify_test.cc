// lockstepd verify: what it says of a directory, and that it leaves it as it is.
#include "bin/lockstepd_verify.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_identity.h"
#include "core/runtime/state_machine.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"
#include "tests/unit/bin/support.h"

namespace lockstep::lockstepd {
namespace {

using storage::Flaw;
using storage::Verification;

class PairMachine final : public StateMachine {
 public:
  void Load(const TableReader&) override {}
  Bytes Apply(const Entry& entry, TableWriter& table) override {
    table.Put(absl::StrCat("key", entry.index.value()), entry.data.view());
    return Bytes();
  }
  Bytes Query(const Bytes&, LogPosition, const TableReader&) const override { return Bytes(); }
};

class PairMachines final : public MachineFactory {
 public:
  std::unique_ptr<StateMachine> Make(GroupId) const override {
    return std::make_unique<PairMachine>();
  }
};

// The directory of a node that has served and was stopped.
void MakeNode(const std::string& path) {
  const auto directory = DataDirectory::Open(path);
  ASSERT_TRUE(directory.ok());
  Identity identity;
  identity.node_id = 2;
  identity.cluster = "lockstep";
  identity.incarnation = 0xFEDC;
  identity.shards = 64;
  identity.controller = {1, 2, 3};
  identity.groups = {{101, {1, 2, 3}}};
  ASSERT_TRUE((*directory)->Claim(identity).ok());
  auto peers = PeerBook::Load(path);
  ASSERT_TRUE(peers.ok());
  ASSERT_TRUE(peers->Remember({1, 7, "a:1", "a:2", "a:3"}).ok());
  ASSERT_TRUE(WriteSealedNumber(path + "/lives", 17).ok());
  static const PairMachines machines;
  storage::PosixFileSystem files;
  storage::EngineOptions options;
  options.directory = path + "/store";
  options.groups = {GroupId(101)};
  auto engine = storage::Engine::Open(files, options, machines);
  ASSERT_TRUE(engine.ok()) << engine.status();
  for (uint64_t i = 1; i <= 40; ++i) {
    LogBatch batch;
    batch.group = GroupId(101);
    batch.append = {{Index(i), Term(1), EntryKind::kCommand, Bytes::Copy(std::string(200, 'x'))}};
    ASSERT_TRUE((*engine)->Run(CommitLog{{batch}}).ok());
    ASSERT_TRUE((*engine)->Run(ApplyEntries{GroupId(101), batch.append}).ok());
  }
  ASSERT_TRUE((*engine)->Run(Checkpoint{GroupId(101)}).ok());
}

std::map<std::string, std::string> FilesBelow(const std::string& path) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    files[entry.path().string()] = text.str();
  }
  return files;
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(LockstepdVerify, ASoundDirectoryHasNoProblemAndIsNotTouched) {
  const TemporaryDirectory temporary;
  MakeNode(temporary.path());
  const auto before = FilesBelow(temporary.path());
  const auto found = VerifyDirectory(temporary.path());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->flaws.empty());
  EXPECT_EQ(FilesBelow(temporary.path()), before);
  const std::string text =
      PrintVerification(temporary.path(), *found, VerifyRequest::Format::kText);
  EXPECT_TRUE(absl::StartsWith(text, temporary.path() + ": sound. 1 groups; 40 entries in 40 "))
      << text;
}

// The files' checksums, the log's and the tables': whatever byte changes, its file is named.
TEST(LockstepdVerify, OneFlippedByteOfAnyFileIsReportedWithItsFile) {
  const TemporaryDirectory temporary;
  MakeNode(temporary.path());
  std::map<std::string, int> looked;
  for (const auto& [path, text] : FilesBelow(temporary.path())) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name == "LOCK") continue;  // Says only who holds the lock.
    const size_t step = text.size() < 600 ? 1 : text.size() / 97;
    for (size_t at = 0; at < text.size(); at += step) {
      for (const int mask : {0x01, 0x80}) {
        std::string damaged = text;
        damaged[at] = static_cast<char>(damaged[at] ^ mask);
        Write(path, damaged);
        const auto found = VerifyDirectory(temporary.path());
        if (!found.ok()) {  // The damage reads as the number of a version to come.
          EXPECT_TRUE(absl::StrContains(found.status().message(), name)) << found.status();
          EXPECT_EQ(ExitCodeOf(found.status()), ExitCode::kDataDirectory);
          continue;
        }
        ASSERT_FALSE(found->flaws.empty()) << path << " byte " << at << " mask " << mask;
        bool named = false;
        for (const Flaw& flaw : found->flaws) named |= flaw.file == path;
        ASSERT_TRUE(named) << path << " byte " << at << " mask " << mask;
      }
    }
    Write(path, text);
    ++looked[name.substr(0, 5)];
  }
  for (const char* kind : {"ident", "peers", "lives", "CURRE", "MANIF", "00000"}) {
    EXPECT_GT(looked[kind], 0) << kind;
  }
  EXPECT_TRUE(VerifyDirectory(temporary.path())->flaws.empty());
}

TEST(LockstepdVerify, WhatItPrintsHasFileByteAndMeaning) {
  Verification found;
  found.flaws = {{Flaw::Kind::kDamage, "d/f", 17, "it fails its checksum", "it is lost"},
                 {Flaw::Kind::kTorn, "d/g", 5, "the file ends here", "nothing"}};
  found.groups = 3;
  EXPECT_EQ(PrintVerification("d", found, VerifyRequest::Format::kText),
            "damage: d/f byte 17: it fails its checksum. Meaning: it is lost.\n"
            "torn: d/g byte 5: the file ends here. Meaning: nothing.\n"
            "d: damaged in 1 places. 3 groups; 0 entries in 0 commits in 0 log segments; 0 keys in "
            "0 tables; 0 bytes read.\n");
  const auto json =
      nlohmann::json::parse(PrintVerification("d", found, VerifyRequest::Format::kJson));
  EXPECT_EQ(json["sound"], false);
  EXPECT_EQ(json["problems"][0]["file"], "d/f");
  EXPECT_EQ(json["problems"][0]["offset"], 17);
  EXPECT_EQ(json["problems"][1]["kind"], "torn");
  EXPECT_EQ(json["groups"], 3);
}

TEST(LockstepdVerify, RefusesWhatIsInUseForeignOrMissing) {
  const TemporaryDirectory temporary;
  const auto refusal = [](const std::string& path) {
    const auto found = VerifyDirectory(path);
    EXPECT_EQ(ExitCodeOf(found.status()), ExitCode::kDataDirectory) << found.status();
    return std::string(found.status().message());
  };
  EXPECT_TRUE(absl::StrContains(refusal(temporary.path("none")), "cannot be read"));
  EXPECT_TRUE(absl::StrContains(refusal(temporary.path()), "is no data directory of a node"));
  EXPECT_TRUE(FilesBelow(temporary.path()).empty()) << "it has made something";
  MakeNode(temporary.path());
  const auto owner = DataDirectory::Open(temporary.path());
  ASSERT_TRUE(owner.ok());
  EXPECT_TRUE(absl::StrContains(refusal(temporary.path()), "is in use: stop the node first"));
}

TEST(LockstepdVerify, AStoreThatIsGoneIsDamage) {
  const TemporaryDirectory temporary;
  MakeNode(temporary.path());
  temporary.Write("store-in-use", "");
  EXPECT_TRUE(VerifyDirectory(temporary.path())->flaws.empty());
  std::filesystem::remove_all(temporary.path("store/wal"));
  const auto found = VerifyDirectory(temporary.path());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->sound());
  EXPECT_EQ(found->flaws[0].file, temporary.path("store/wal"));
}

// The first builds wrote no checksums.
TEST(LockstepdVerify, FilesWithoutChecksumAreReadAndNoted) {
  const TemporaryDirectory temporary;
  MakeNode(temporary.path());
  temporary.Write("lives", "17\n");
  const auto found = VerifyDirectory(temporary.path());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->sound());
  ASSERT_EQ(found->flaws.size(), 1u);
  EXPECT_EQ(found->flaws[0].file, temporary.path("lives"));
  EXPECT_EQ(*ReadSealedNumber(temporary.path("lives"), nullptr), 17u);
}

TEST(LockstepdVerify, TheCommandLine) {
  const auto parse = [](const std::vector<std::string>& arguments) {
    const Arguments argv("lockstepd", arguments);
    return ParseOptions(argv.count(), argv.values());
  };
  const auto verify = parse({"verify", "d", "-f", "json"});
  ASSERT_TRUE(verify.ok()) << verify.status();
  EXPECT_EQ(verify->action, Invocation::Action::kVerify);
  EXPECT_EQ(verify->verify.directory, "d");
  EXPECT_EQ(verify->verify.format, VerifyRequest::Format::kJson);
  EXPECT_EQ(ExitCodeOf(parse({"verify"}).status()), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(parse({"verify", "d", "--format", "xml"}).status()), ExitCode::kUsage);
  EXPECT_EQ(parse({"verify", "--help"})->action, Invocation::Action::kPrint);
  EXPECT_EQ(parse({"./verify"})->options.data_dir, "./verify");
}

}  // namespace
}  // namespace lockstep::lockstepd
