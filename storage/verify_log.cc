// Every frame of every segment. Unlike recovery, which stops at the first damage, this goes on
// behind it, so that one look tells all.
#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/promises.h"
#include "storage/verify_parts.h"
#include "storage/wal_format.h"
#include "storage/wal_recovery.h"
#include "storage/wal_replay.h"

namespace lockstep::storage::verify {
namespace {

constexpr char kLogDamaged[] =
    "what this node has acknowledged may be missing. Started again, it abstains from elections "
    "and has the other replicas send it again; do not cut or delete the file. A group whose only "
    "replica is here cannot be repaired so: restore a copy of the directory";
constexpr char kTornEnd[] =
    "the last write never finished, as after a power failure: nobody was told that it had. The "
    "next start cuts it off. If the node was stopped in good order, the disk is not to be trusted";

constexpr char kOneCopyBroken[] =
    "one of the two copies of this node's votes is unfinished, as after a power failure, or "
    "damaged. The other one has all, and the next start writes this one again";
constexpr char kNoCopy[] =
    "neither copy of this node's votes can be read. With a sound log the next start takes them "
    "from "
    "there; with a damaged one it does not start: restore a copy of the directory, or remove the "
    "node from its groups and start it anew with an empty directory";

// Splits "byte 17: what" as the log's format says it.
uint64_t TakeOffset(absl::string_view* message) {
  uint64_t offset = 0;
  absl::string_view rest = *message;
  const size_t colon = rest.find(": ");
  if (!absl::ConsumePrefix(&rest, "byte ") || colon == absl::string_view::npos) return 0;
  if (!absl::SimpleAtoi(message->substr(5, colon - 5), &offset)) return 0;
  *message = message->substr(colon + 2);
  return offset;
}

class LogWalk {
 public:
  LogWalk(const FileSystem& files, std::string directory, Verification* out)
      : files_(files), directory_(std::move(directory)), out_(out) {}

  absl::Status Run(Logs* logs) {
    if (absl::Status listed = ListSegments(); !listed.ok()) return listed;
    for (size_t i = 0; i < sequences_.size(); ++i) {
      if (absl::Status read = ReadSegment(i); !read.ok()) return read;
    }
    out_->segments = sequences_.size();
    if (absl::Status read = ReadPromises(); !read.ok()) return read;
    if (!damaged_) FinishReplay(logs);
    return absl::OkStatus();
  }

 private:
  bool IsLast(size_t number) const { return number + 1 == sequences_.size(); }

  absl::Status ListSegments() {
    const absl::StatusOr<std::vector<std::string>> names = files_.List(directory_);
    if (!names.ok()) return absl::IsNotFound(names.status()) ? absl::OkStatus() : names.status();
    for (const std::string& name : *names) {
      const std::optional<uint64_t> sequence = wal::ParseSegmentName(name);
      if (sequence.has_value()) sequences_.push_back(*sequence);
    }
    return absl::OkStatus();
  }

  void Damage(const std::string& path, const absl::Status& why) {
    absl::string_view message = why.message();
    const uint64_t offset = TakeOffset(&message);
    damaged_ = true;
    AddFlaw(Flaw::Kind::kDamage, path, offset, message, kLogDamaged, out_);
  }

  absl::Status ReadSegment(size_t number) {
    const uint64_t sequence = sequences_[number];
    const std::string path = wal::SegmentPath(directory_, sequence);
    if (number > 0 && sequence != sequences_[number - 1] + 1) {
      const std::string missing = wal::SegmentPath(directory_, sequences_[number - 1] + 1);
      Damage(missing, absl::DataLossError("the file is missing"));
      next_batch_.reset();
    }
    absl::StatusOr<std::string> bytes = ReadWhole(files_, path, out_);
    if (!bytes.ok()) return bytes.status();
    const absl::StatusOr<wal::SegmentHeader> header = wal::DecodeSegmentHeader(*bytes);
    if (absl::IsFailedPrecondition(header.status())) {
      return absl::FailedPreconditionError(absl::StrCat(path, ": ", header.status().message()));
    }
    if (!header.ok()) {
      JudgeStart(number, path, *bytes, std::nullopt, header.status());
      // One that never began takes nothing from what is known of those before it.
      if (damaged_) next_batch_.reset();
      return absl::OkStatus();
    }
    CheckHeader(*header, sequence, path);
    WalkFrames(number, path, *bytes, *header);
    return absl::OkStatus();
  }

  void CheckHeader(const wal::SegmentHeader& header, uint64_t sequence, const std::string& path) {
    if (header.sequence != sequence) {
      Damage(path, absl::DataLossError(absl::StrCat("the file holds segment ", header.sequence)));
    } else if (next_batch_.has_value() && header.first_batch != *next_batch_) {
      Damage(path, absl::DataLossError(absl::StrCat("begins with commit ", header.first_batch,
                                                    ", but the segment before it ends with commit ",
                                                    *next_batch_ - 1)));
    }
  }

  // A segment that cannot be used from its beginning: the remains of its making, or damage.
  void JudgeStart(size_t number, const std::string& path, const std::string& bytes,
                  const std::optional<wal::SegmentHeader>& header, const absl::Status& why) {
    const bool first_of_all = number > 0 || sequences_[0] == 1;
    const uint64_t first_batch = header.has_value() ? header->first_batch : next_batch_.value_or(1);
    const std::optional<uint32_t> salt =
        header.has_value() ? std::optional(header->salt) : std::nullopt;
    const bool later = wal::FindFrame(bytes, 0, first_batch + 1, salt).has_value();
    if (!IsLast(number) || !first_of_all || later) return Damage(path, why);
    absl::string_view message = why.message();
    const uint64_t offset = TakeOffset(&message);
    AddFlaw(Flaw::Kind::kTorn, path, offset, message, kTornEnd, out_);
  }

  void WalkFrames(size_t number, const std::string& path, const std::string& bytes,
                  const wal::SegmentHeader& header) {
    uint64_t offset = wal::kSegmentHeaderBytes;
    uint64_t batch = header.first_batch;
    bool statement = true;
    while (offset < bytes.size() && bytes.find_first_not_of('\0', offset) != std::string::npos) {
      wal::Frame frame;
      const absl::Status decoded = wal::DecodeFrame(bytes, offset, batch, header.salt, &frame);
      if (decoded.ok()) {
        if (!statement) ++out_->commits;
        Replay(frame, statement, number, path);
        offset = frame.end_offset;
        ++batch;
        statement = false;
        continue;
      }
      const std::optional<uint64_t> later = wal::FindFrame(bytes, offset, batch + 1, header.salt);
      if (statement && !later.has_value()) break;
      if (!later.has_value() && IsLast(number)) {
        absl::string_view message = decoded.message();
        const uint64_t at = TakeOffset(&message);
        AddFlaw(Flaw::Kind::kTorn, path, at, message, kTornEnd, out_);
        break;
      }
      Damage(path, decoded);
      if (!later.has_value()) break;
      offset = *later;
      batch = wal::DecodeFrameHeader(bytes, offset)->batch;
      statement = false;
    }
    if (statement) {
      wal::Frame frame;
      JudgeStart(number, path, bytes, header,
                 wal::DecodeFrame(bytes, offset, batch, header.salt, &frame));
    }
    next_batch_ = batch;
    if (statement) return;
    end_path_ = path;
    end_ = offset;
  }

  void Replay(const wal::Frame& frame, bool statement, size_t number, const std::string& path) {
    if (damaged_) return;
    const absl::Status status = statement ? replay_.ApplyStatement(frame, /*oldest=*/number == 0)
                                          : replay_.ApplyCommit(frame, sequences_[number]);
    if (!status.ok()) Damage(path, status);
  }

  // One file that cannot be read does no harm: it may have been torn, and the other one has all.
  absl::Status ReadPromises() {
    std::vector<PromiseRecord> whole;
    std::vector<std::pair<std::string, absl::Status>> broken;
    for (const char* name : kPromiseFiles) {
      const std::string path = absl::StrCat(directory_, "/", name);
      const absl::StatusOr<std::string> text = ReadWhole(files_, path, out_);
      if (absl::IsNotFound(text.status())) continue;
      if (!text.ok()) return text.status();
      absl::StatusOr<PromiseRecord> record = DecodePromises(*text);
      if (record.ok()) whole.push_back(*std::move(record));
      if (!record.ok()) broken.emplace_back(path, record.status());
    }
    for (const auto& [path, why] : broken) {
      const bool harmless = !whole.empty();
      AddFlaw(harmless ? Flaw::Kind::kTorn : Flaw::Kind::kDamage, path, 0, why.message(),
              harmless ? kOneCopyBroken : kNoCopy, out_);
    }
    uint64_t commit = 0;
    for (const PromiseRecord& record : whole) commit = std::max(commit, record.commit);
    // A log of which there is nothing begins anew with the statement of its groups, commit 1.
    const uint64_t next = end_path_.empty() ? 2 : next_batch_.value_or(commit + 1);
    if (damaged_ || commit < next) return absl::OkStatus();
    Damage(end_path_.empty() ? wal::SegmentPath(directory_, 1) : end_path_,
           absl::DataLossError(absl::StrCat("byte ", end_, ": the log ends here with commit ",
                                            next - 1, ", but commit ", commit,
                                            " was durable, which held a vote or a term")));
    return absl::OkStatus();
  }

  void FinishReplay(Logs* logs) {
    std::vector<wal::GroupLog> found;
    std::vector<ReplicaImage> images;
    const absl::Status status = replay_.Finish(&found, &images);
    if (!status.ok()) return Damage(directory_, status);
    for (const ReplicaImage& image : images) {
      (*logs)[image.group] = {.hard_state = image.hard_state,
                              .base = image.base,
                              .last = image.base.index.Plus(image.entries.size())};
      out_->entries += image.entries.size();
    }
    out_->groups = images.size();
  }

  const FileSystem& files_;
  const std::string directory_;
  Verification* const out_;
  std::vector<uint64_t> sequences_;
  std::optional<uint64_t> next_batch_;  // that the next segment must begin with, if it is known
  std::string end_path_;                // the newest segment that holds a frame
  uint64_t end_ = 0;                    // of its frames
  // Groups may come at any time, in the middle of a segment too.
  wal::Replay replay_{{}, /*more=*/true};
  bool damaged_ = false;
};

}  // namespace

absl::Status VerifyLog(const FileSystem& files, const std::string& directory, Verification* out,
                       Logs* logs) {
  return LogWalk(files, directory + "/wal", out).Run(logs);
}

}  // namespace lockstep::storage::verify
