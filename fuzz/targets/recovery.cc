// A node's storage lives, loses its power, and lies on a disk that does not keep what it was given.
// Opened again it has what it was told, or says that it does not: nothing is missing in silence,
// and nothing is there, entry, vote or value, that was never written. Where no disk fails, nothing
// is missing at all. What `verify` calls sound starts without a repair.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "fuzz/support/disk_faults.h"
#include "fuzz/support/input.h"
#include "fuzz/support/mutations.h"
#include "fuzz/support/node_life.h"
#include "sim/disk/sim_file_system.h"
#include "storage/engine.h"
#include "storage/promises.h"
#include "storage/verify.h"

namespace lockstep::fuzz {
namespace {

constexpr uint64_t kLivesMax = 3;
constexpr uint64_t kStepsMax = 40;

storage::EngineOptions MakeOptions(Input& input) {
  storage::EngineOptions options;
  options.directory = kNodeDirectory;
  options.groups = {GroupId(0), GroupId(5)};
  constexpr uint64_t kSegmentBytes[] = {300, 1000, 4000};
  const uint8_t how = input.Byte();
  options.wal_segment_bytes_max = kSegmentBytes[how % 3];
  options.more_groups = (how & 0x40) != 0;
  // Then what is lost is refused, where others would give it back.
  if ((how & 0x80) != 0) options.is_alone = [](GroupId, const Bytes&) { return true; };
  options.table_write_buffer_bytes = 64 << 10;
  options.table_block_cache_bytes = 64 << 10;
  options.table_recent_bytes = 4 << 10;
  return options;
}

std::map<std::string, std::string> Image(const sim::SimFileSystem& files) {
  std::map<std::string, std::string> image;
  for (const std::string& path : files.Files()) image[path] = files.Content(path)->bytes();
  return image;
}

bool VerifiedSound(sim::SimFileSystem& files) {
  const uint64_t digest = files.Digest();
  const auto found = storage::Verify(files, kNodeDirectory);
  CheckEq(files.Digest(), digest);
  Check(found.ok());
  return found->sound();
}

// What opens, judged by what was told.
class Judge {
 public:
  Judge(NodeLife& life, std::map<std::string, std::string> before)
      : life_(life), before_(std::move(before)) {}

  void Run() {
    const bool sound = VerifiedSound(life_.files());
    const bool promises_left = PromisesLeft();
    const bool list_left = ListLeft();
    const size_t newest = NewestIntact();
    auto engine = life_.TryOpen();
    if (!engine.ok()) {
      Check(absl::IsDataLoss(engine.status()), "damage is all that is wrong");
      return Check(!sound);
    }
    const bool reported = !(*engine)->repairs().empty();
    if (sound) Check(!reported, "what is called sound starts without a repair");
    images_ = (*engine)->TakeImages();
    CheckEq(images_.size(), life_.options().groups.size());
    if (!reported) CheckNothingMissing(newest, promises_left, list_left);
    if (reported) {
      for (const ReplicaImage& image : images_) CheckHonest(image, promises_left);
    }
    for (const ReplicaImage& image : images_) {
      if (CheckTable(**engine, image)) continue;
      Check(!sound, "damage that a read finds");
      return CheckRepairedNext(*std::move(engine));
    }
    GoOn(*std::move(engine), sound || reported);
  }

 private:
  bool IsAsBefore(const std::string& path, size_t begin, size_t end) const {
    const sim::FileContent* now = life_.files().Content(path);
    const auto then = before_.find(path);
    return now != nullptr && then != before_.end() && now->size() >= end &&
           now->bytes().compare(begin, end - begin, then->second, begin, end - begin) == 0;
  }

  bool PromisesLeft() const {
    for (const char* name : storage::kPromiseFiles) {
      const std::string path = absl::StrCat(kNodeDirectory, "/wal/", name);
      const auto then = before_.find(path);
      if (then == before_.end()) continue;
      const sim::FileContent* now = life_.files().Content(path);
      if (now != nullptr && now->bytes() == then->second) return true;
    }
    return false;
  }

  // The newest commit all of whose bytes are where they were: it proves that those before it were
  // durable.
  size_t NewestIntact() const {
    const std::vector<LogState>& states = life_.log_states();
    for (size_t i = states.size() - 1; i > 0; --i) {
      const bool same = states[i].segment == states[i - 1].segment;
      const size_t begin = same ? states[i - 1].end : 0;
      if (begin < states[i].end && IsAsBefore(states[i].segment, begin, states[i].end)) return i;
    }
    return 0;
  }

  const GroupModel& Told(GroupId group) const { return life_.log_states().back().logs.at(group); }

  // The list of tables is as it was. A cut of it shows an earlier list.
  bool ListLeft() const {
    return std::all_of(before_.begin(), before_.end(), [&](const auto& file) {
      const bool list = absl::StrContains(file.first, "MANIFEST");
      const sim::FileContent* now = life_.files().Content(file.first);
      return !list || (now != nullptr && now->bytes() == file.second);
    });
  }

  // Nobody was told of damage.
  void CheckNothingMissing(size_t newest, bool promises_left, bool list_left) const {
    for (const ReplicaImage& image : images_) {
      const Index durable = life_.tables().at(image.group).durable;
      if (list_left) CheckLe(durable, image.applied.index);
    }
    const std::vector<LogState>& states = life_.log_states();
    bool found = false;
    for (size_t i = newest; i < states.size() && !found; ++i) {
      found = true;
      for (const ReplicaImage& image : images_) {
        found = found && SameLog(image, states[i].logs.at(image.group));
      }
    }
    Check(found, "the log is as it was after a commit that is no older than any that is there");
    if (!promises_left) return;
    for (const ReplicaImage& image : images_) {
      Check(image.hard_state == Told(image.group).hard_state, "no vote is forgotten");
    }
  }

  // Damage was told. The log is some earlier state of itself, or nothing; who may have lost
  // something is in doubt and has no vote.
  void CheckHonest(const ReplicaImage& image, bool promises_left) const {
    bool found = image.entries.empty() && image.base == LogPosition();
    for (const LogState& state : life_.log_states()) {
      found = found || SameLog(image, state.logs.at(image.group));
    }
    Check(found, "the log is some earlier state of itself");
    const HardState& told = Told(image.group).hard_state;
    if (image.hard_state.doubt == Term()) {
      if (promises_left) Check(image.hard_state == told);
      return;
    }
    CheckLt(image.hard_state.doubt, image.hard_state.term);
    Check(image.hard_state.vote == NodeId());
    if (promises_left) CheckLe(told.term, image.hard_state.doubt);
  }

  // False: it cannot be read.
  bool CheckTable(storage::Engine& engine, const ReplicaImage& image) const {
    CheckLe(image.base.index, image.applied.index);
    const GroupTables& tables = life_.tables().at(image.group);
    const auto then = tables.history.find(image.applied.index);
    Check(then != tables.history.end());
    CheckEq(then->second.term, image.applied.term);
    Check(image.configuration.view() == then->second.configuration);
    Pairs found;
    const bool read =
        engine.VisitTable(image.group, [&](absl::string_view key, absl::string_view value) {
          found[std::string(key)] = std::string(value);
          return true;
        });
    if (read) Check(found == then->second.pairs, "a table that can be read is the one");
    return read;
  }

  bool MayRefuse(const absl::Status& opened) const {
    return life_.options().is_alone != nullptr && absl::IsDataLoss(opened);
  }

  // A job finds the damage, the process ends, and the next start makes it good.
  void CheckRepairedNext(std::unique_ptr<storage::Engine> engine) {
    absl::Status status;
    for (const GroupId group : life_.options().groups) {
      status.Update(engine->Run(QueryTable{group, {{RequestId(1), Bytes()}}}).status());
    }
    Check(absl::IsDataLoss(status));
    engine.reset();
    auto again = life_.TryOpen();
    if (MayRefuse(again.status())) return;
    Check(again.ok());
    Check(!(*again)->repairs().empty());
    for (const ReplicaImage& image : (*again)->TakeImages()) {
      CheckHonest(image, PromisesLeft());
      Check(CheckTable(**again, image));
    }
  }

  // It takes more, and has it at the next start. `whole`: no damage is left in it.
  void GoOn(std::unique_ptr<storage::Engine> engine, bool whole) {
    CommitLog commit;
    for (ReplicaImage& image : images_) {
      LogBatch& batch = commit.batches.emplace_back();
      batch.group = image.group;
      image.hard_state.term = image.hard_state.term.Plus(100);
      image.hard_state.vote = NodeId(3);
      batch.hard_state = image.hard_state;
      const Index last = image.base.index.Plus(image.entries.size());
      if (image.applied.index > last) {
        batch.base = image.base = image.applied;
        image.entries.clear();
      }
      const Index next = image.base.index.Plus(image.entries.size() + 1);
      batch.append.push_back({next, image.hard_state.term, EntryKind::kNoop, Bytes()});
      image.entries.push_back(batch.append.back());
    }
    Check(engine->Run(commit).ok());
    engine.reset();
    auto again = life_.TryOpen();
    if (!whole && MayRefuse(again.status())) return;
    Check(again.ok());
    if (!whole && !(*again)->repairs().empty()) return;
    Check((*again)->repairs().empty(), "what was repaired stays so");
    const std::vector<ReplicaImage> images = (*again)->TakeImages();
    CheckEq(images.size(), images_.size());
    for (size_t i = 0; i < images.size(); ++i) {
      Check(images[i].hard_state == images_[i].hard_state);
      Check(images[i].base == images_[i].base);
      Check(std::equal(images[i].entries.begin(), images[i].entries.end(),
                       images_[i].entries.begin(), images_[i].entries.end(), SameEntry));
    }
  }

  NodeLife& life_;
  const std::map<std::string, std::string> before_;
  std::vector<ReplicaImage> images_;
};

void RunRecovery(Input input) {
  sim::SimFileSystem files;
  NodeLife life(files, input, MakeOptions(input));
  for (uint64_t lives = 1 + input.Below(kLivesMax); lives > 0; --lives) {
    Check(VerifiedSound(files));
    life.Boot();
    const bool cut = input.Flip();
    if (cut) files.PowerCutAfter(input.Byte());
    absl::Status status;
    for (uint64_t i = input.Below(kStepsMax); i > 0 && status.ok(); --i) status = life.Step();
    life.Stop();
    if (cut || input.Flip()) Crash(input, files);
  }
  files.Kill();
  Check(VerifiedSound(files));
  life.Boot();
  life.Stop();
  std::map<std::string, std::string> before = Image(files);
  Mutations(files, input).Apply();
  Judge(life, std::move(before)).Run();
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunRecovery(lockstep::fuzz::Input(data, size));
  return 0;
}
