// Segments of the write-ahead log from an untrusted disk: any bytes, and records with right
// checksums whose content is hostile. They are read, or refused with file and offset and left as
// they are; `verify` says the same of them as recovery; and what was read is a log that goes on.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/log_model.h"
#include "fuzz/support/wal_bytes.h"
#include "sim/disk/sim_file_system.h"
#include "storage/verify.h"
#include "storage/wal.h"
#include "storage/wal_format.h"
#include "storage/wal_recovery.h"

namespace lockstep::fuzz {
namespace {

namespace wal = storage::wal;

constexpr uint64_t kSegmentsMax = 3;
constexpr uint64_t kFramesMax = 6;
constexpr uint64_t kRecordsMax = 8;
constexpr char kDirectory[] = "d/wal";

// Of one group, as far as what is made here makes sense.
struct Story {
  uint64_t term = 0;
  uint64_t vote = 0;
  uint64_t base = 0;
  uint64_t base_term = 0;
  uint64_t last = 0;
};

class Maker {
 public:
  explicit Maker(Input& input) : input_(input) {}

  std::string Segment(uint64_t sequence) {
    const uint8_t how = input_.Byte();
    if (how >= 0xF0) return std::string(input_.Text(512));
    std::string bytes;
    if (how >= 0xE0) {
      bytes = std::string(input_.Text(2048));
      FixChecksums(&bytes);
      return bytes;
    }
    const auto salt = static_cast<uint32_t>(sequence * 77);
    if (how >= 0xD0) batch_ = MakeNumber(input_, batch_);
    PutSegmentHeader(how >= 0xC0 ? MakeNumber(input_, sequence) : sequence, batch_, salt, &bytes);
    // The first frame states the groups.
    PutFrameOf(salt, how % 4 == 3 ? Records() : Statement(), &bytes);
    for (uint64_t i = input_.Below(kFramesMax); i > 0; --i) PutFrameOf(salt, Records(), &bytes);
    if ((how & 8) != 0) bytes.append(input_.Below(64), '\0');
    if ((how & 4) != 0) bytes += std::string(input_.Text(128));
    if ((how & 16) != 0) bytes.resize(bytes.size() - input_.Below(bytes.size()));
    return bytes;
  }

 private:
  struct Made {
    std::string records;
    uint32_t count = 0;
    uint32_t crc = 0;
  };

  void Put(absl::string_view body, Made* made) {
    const uint32_t crc = PutRecord(body, &made->records);
    std::string text;
    PutNumber(crc, 4, &text);
    made->crc = Crc32cExtend(made->crc, text);
    ++made->count;
  }

  void PutFrameOf(uint32_t salt, const Made& made, std::string* bytes) {
    const uint8_t how = input_.Byte();
    const FrameLie lie{.payload_bytes = how == 0xFF, .record_count = how == 0xFE};
    const uint64_t batch = how == 0xFD ? MakeNumber(input_, batch_) : batch_;
    PutFrame(how == 0xFC ? salt + 1 : salt, batch, made.count, made.crc, made.records, lie, input_,
             bytes);
    ++batch_;
  }

  Made Statement() {
    Made made;
    for (uint64_t group = input_.Below(4); group > 0; --group) {
      Story& story = stories_[group % 4];
      if (input_.Byte() >= 0xC0) {
        story = {MakeNumber(input_, story.term), MakeNumber(input_, story.vote),
                 MakeNumber(input_, story.base), MakeNumber(input_, story.base_term),
                 MakeNumber(input_, story.last)};
      }
      std::string body = Head(wal::RecordType::kGroup, 0, group % 4);
      for (const uint64_t field :
           {story.term, story.vote, story.base, story.base_term, story.last}) {
        PutNumber(field, 8, &body);
      }
      Put(body, &made);
    }
    return made;
  }

  Made Records() {
    Made made;
    for (uint64_t i = input_.Below(kRecordsMax); i > 0; --i) Put(Record(), &made);
    return made;
  }

  static std::string Head(wal::RecordType type, uint8_t kind, uint64_t group) {
    std::string body;
    PutNumber(static_cast<uint8_t>(type), 1, &body);
    PutNumber(kind, 1, &body);
    PutNumber(group, 8, &body);
    return body;
  }

  // `sensible`: continues the group's story.
  uint64_t Field(bool sensible, uint64_t value) {
    return sensible ? value : MakeNumber(input_, value);
  }

  std::string Record() {
    const uint8_t how = input_.Byte();
    const bool sensible = how < 0xC0;
    const auto type = static_cast<wal::RecordType>(sensible ? 1 + how % 6 : how % 9);
    const uint64_t group = how >> 3 & 3;
    Story& story = stories_[group];
    std::string body = Head(type, Kind(type, sensible), group);
    switch (type) {
      case wal::RecordType::kHardState:
        PutNumber(story.term = Field(sensible, story.term + 1), 8, &body);
        PutNumber(story.vote = Field(sensible, 1), 8, &body);
        break;
      case wal::RecordType::kBase:
      case wal::RecordType::kReset:
        PutNumber(story.base = Field(sensible, story.base + (story.base < story.last)), 8, &body);
        PutNumber(story.base_term = Field(sensible, story.term), 8, &body);
        if (type == wal::RecordType::kReset) story.last = story.base;
        break;
      case wal::RecordType::kTruncate:
        PutNumber(Field(sensible, story.last), 8, &body);
        if (story.last > story.base) --story.last;
        break;
      case wal::RecordType::kAppend:
        PutNumber(story.last = Field(sensible, story.last + 1), 8, &body);
        PutNumber(Field(sensible, story.term), 8, &body);
        break;
      default:
        PutNumber(Field(sensible, story.last), 8, &body);
        PutNumber(Field(sensible, story.term), 8, &body);
        break;
    }
    body += std::string(input_.Text(type == wal::RecordType::kAppend ? 20 : how % 2));
    return body;
  }

  uint8_t Kind(wal::RecordType type, bool sensible) {
    const bool entry = type == wal::RecordType::kAppend || type == wal::RecordType::kRewrite;
    return entry && sensible ? 2 : input_.Byte();
  }

  Input& input_;
  uint64_t batch_ = 1;
  Story stories_[4];
};

void Write(sim::SimFileSystem& files, const std::string& path, absl::string_view bytes) {
  auto file = files.Open(path, storage::OpenMode::kTruncate);
  Check(file.ok());
  Check((*file)->Append(bytes).ok());
  Check((*file)->Sync().ok());
}

// An error of damage names a file that is, or should be, there and a byte in it.
void CheckNamesPlace(const sim::SimFileSystem& files, const absl::Status& damage) {
  const absl::string_view message = damage.message();
  Check(absl::StrContains(message, kDirectory));
  const size_t at = message.find(": byte ");
  if (at == absl::string_view::npos) return;  // What is missing has no place.
  const absl::string_view rest = message.substr(at + 7);
  uint64_t offset = 0;
  Check(absl::SimpleAtoi(rest.substr(0, rest.find(':')), &offset));
  const size_t begin = message.rfind(kDirectory, at);
  const std::string path(message.substr(begin, at - begin));
  CheckLe(offset, files.Exists(path) ? files.Content(path)->size() : 0);
}

void CheckImage(const ReplicaImage& image) {
  Index last = image.base.index;
  for (const Entry& entry : image.entries) {
    CheckLt(last, entry.index);
    CheckEq(entry.index, last.Next());
    Check(IsKnown(entry.kind));
    last = entry.index;
  }
}

// The same groups, in whatever order, with the same logs.
void CheckSame(std::vector<ReplicaImage> a, std::vector<ReplicaImage> b) {
  CheckEq(a.size(), b.size());
  for (std::vector<ReplicaImage>* images : {&a, &b}) {
    std::sort(images->begin(), images->end(),
              [](const auto& left, const auto& right) { return left.group < right.group; });
  }
  for (size_t i = 0; i < a.size(); ++i) {
    CheckEq(a[i].group, b[i].group);
    Check(a[i].base == b[i].base);
    Check(std::equal(a[i].entries.begin(), a[i].entries.end(), b[i].entries.begin(),
                     b[i].entries.end(), SameEntry));
  }
}

// Each live entry stands where the log believes it to.
void CheckPlaces(const sim::SimFileSystem& files, const wal::Recovered& recovered) {
  for (size_t i = 0; i < recovered.logs.size(); ++i) {
    const ReplicaImage& image = recovered.images[i];
    CheckEq(recovered.logs[i].places.size(), image.entries.size());
    for (size_t k = 0; k < image.entries.size(); ++k) {
      const wal::EntryPlace& place = recovered.logs[i].places[k];
      const absl::string_view bytes =
          files.Content(wal::SegmentPath(kDirectory, place.segment))->bytes();
      const auto record = wal::DecodeRecord(bytes.substr(place.offset, place.bytes), place.offset);
      Check(record.ok());
      CheckEq(record->position.index, image.entries[k].index);
      CheckEq(record->position.term, image.entries[k].term);
      Check(record->data == image.entries[k].data.view());
    }
  }
}

// Whether there is damage in the log.
bool VerifySeesDamage(sim::SimFileSystem& files) {
  const auto found = storage::Verify(files, "d");
  Check(found.ok() || absl::IsFailedPrecondition(found.status()));
  if (!found.ok()) return true;
  bool damage = false;
  for (const storage::Flaw& flaw : found->flaws) {
    damage |= flaw.kind == storage::Flaw::Kind::kDamage && flaw.file != "d/table";
  }
  return damage;
}

// The log takes another entry for each group and is read back.
void CheckGoesOn(sim::SimFileSystem& files, const std::vector<ReplicaImage>& images) {
  storage::WalOptions options;
  options.more_groups = true;
  options.segment_bytes_max = 400;
  std::vector<ReplicaImage> found;
  auto log = storage::Wal::Open(files, kDirectory, options, &found);
  Check(log.ok());
  CheckSame(images, found);
  CommitLog commit;
  for (ReplicaImage& image : found) {
    LogBatch& batch = commit.batches.emplace_back();
    batch.group = image.group;
    const Index next = image.base.index.Plus(image.entries.size() + 1);
    batch.append.push_back({next, Term(1), EntryKind::kNoop, Bytes()});
    image.entries.push_back(batch.append.back());
  }
  for (int i = 0; i < 3; ++i) {
    Check((*log)->Commit(commit).ok());
    if (i == 0) {
      for (LogBatch& batch : commit.batches) batch.truncate_from = batch.append[0].index;
    }
  }
  log->reset();
  std::vector<ReplicaImage> again;
  Check(storage::Wal::Open(files, kDirectory, options, &again).ok());
  CheckSame(found, again);
}

void RunSegments(Input input) {
  sim::SimFileSystem files;
  Check(files.CreateDirectory(kDirectory).ok());
  const uint64_t first = input.Byte() < 0xE0 ? 1 : 1 + input.Below(3);
  Maker maker(input);
  for (uint64_t i = 0, count = 1 + input.Below(kSegmentsMax); i < count; ++i) {
    Write(files, wal::SegmentPath(kDirectory, first + i), maker.Segment(first + i));
  }

  const uint64_t digest = files.Digest();
  const bool damage = VerifySeesDamage(files);
  const auto salvaged = wal::Salvage(files, kDirectory, {}, /*more=*/true);
  CheckEq(files.Digest(), digest);
  Check(salvaged.ok() || absl::IsFailedPrecondition(salvaged.status()));
  if (salvaged.ok()) {
    for (const ReplicaImage& image : *salvaged) CheckImage(image);
  }
  auto recovered = wal::Recover(files, kDirectory, {}, /*more=*/true);
  Check(recovered.ok() == !damage, "verify says of a log what recovery says");
  if (!recovered.ok()) {
    CheckEq(files.Digest(), digest);
    if (absl::IsDataLoss(recovered.status())) return CheckNamesPlace(files, recovered.status());
    return Check(absl::IsFailedPrecondition(recovered.status()));
  }
  CheckSame(recovered->images, *salvaged);
  CheckPlaces(files, *recovered);
  const auto again = wal::Recover(files, kDirectory, {}, /*more=*/true);
  Check(again.ok());
  CheckEq(again->torn_bytes, uint64_t{0});
  CheckSame(recovered->images, again->images);
  CheckGoesOn(files, again->images);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunSegments(lockstep::fuzz::Input(data, size));
  return 0;
}
