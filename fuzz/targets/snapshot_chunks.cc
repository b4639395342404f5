// Snapshots that are read from one table and staged into another, in parts cut anywhere: intact, in
// any order, twice, with gaps, with other bytes in them, and with power failures in between. What
// the receiver says that it holds is what it was sent, what is no stream is refused, and what is
// installed is the stream. An intact stream makes the source's table.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "fuzz/support/disk_faults.h"
#include "fuzz/support/input.h"
#include "fuzz/support/log_model.h"
#include "fuzz/support/pairs_machine.h"
#include "sim/disk/sim_file_system.h"
#include "storage/table_store.h"

namespace lockstep::fuzz {
namespace {

constexpr GroupId kGroup(7);
constexpr NodeId kPeer(2);
constexpr uint64_t kStepsMax = 60;
constexpr uint64_t kKeyBytesMax = uint64_t{1} << 20;
constexpr uint64_t kValueBytesMax = uint64_t{256} << 20;

// A table store on a disk of its own.
class Store {
 public:
  Store() { Open(); }

  void Open() {
    static const PairsMachines machines;
    const storage::TableStoreOptions options{.directory = "d/table",
                                             .groups = {kGroup},
                                             .write_buffer_bytes = 64 << 10,
                                             .block_cache_bytes = 64 << 10,
                                             .recent_bytes = 4 << 10};
    auto store = storage::TableStore::Open(files_, options, machines);
    Check(store.ok());
    store_ = *std::move(store);
  }
  void Restart(Input& input) {
    store_.reset();
    Crash(input, files_);
    Open();
  }
  template <class Done, class Job>
  Done Run(const Job& job) {
    auto done = store_->Run(job);
    Check(done.ok());
    return std::get<Done>(*std::move(done));
  }
  Pairs Read() const {
    Pairs pairs;
    Check(store_->Visit(kGroup, [&](absl::string_view key, absl::string_view value) {
      pairs[std::string(key)] = std::string(value);
      return true;
    }));
    return pairs;
  }
  LogPosition applied() const { return store_->applied(kGroup); }
  storage::TableStore& store() { return *store_; }

 private:
  sim::SimFileSystem files_;
  std::unique_ptr<storage::TableStore> store_;
};

uint64_t LengthAt(const std::string& text, size_t at) {
  uint64_t length = 0;
  for (size_t i = 4; i > 0; --i) length = length << 8 | static_cast<uint8_t>(text[at + i - 1]);
  return length;
}

// A stream as far as it has come, taken apart in the dumbest way.
struct Stream {
  std::string bytes;
  size_t known_from = 0;  // what came before was received in an earlier life
  Pairs pairs;            // of the whole records
  size_t records_end = 0;
  bool sound = true;

  void Parse() {
    pairs.clear();
    records_end = 0;
    sound = true;
    std::optional<std::string> last_key;
    while (bytes.size() - records_end >= 8) {
      const uint64_t key_bytes = LengthAt(bytes, records_end);
      const uint64_t value_bytes = LengthAt(bytes, records_end + 4);
      sound = sound && key_bytes <= kKeyBytesMax && value_bytes <= kValueBytesMax;
      if (!sound || bytes.size() - records_end < 8 + key_bytes + value_bytes) return;
      const std::string key = bytes.substr(records_end + 8, key_bytes);
      sound = sound && (!last_key.has_value() || *last_key < key);
      if (!sound) return;
      pairs[key] = bytes.substr(records_end + 8 + key_bytes, value_bytes);
      records_end += 8 + key_bytes + value_bytes;
      // The order is known within one life.
      last_key = key;
      if (records_end <= known_from) last_key.reset();
    }
  }
};

class Transfer {
 public:
  explicit Transfer(Input input) : input_(input) {}

  void Go() {
    source_pairs_ = Fill(source_, 2 + input_.Below(40));
    target_pairs_ = Fill(target_, input_.Below(3));
    stream_ = ReadStream();
    Check(stream_ == StreamOf(source_pairs_));
    for (uint64_t i = 0; i < kStepsMax && !input_.empty(); ++i) Step();
    Finish();
  }

 private:
  // Entries 1 to `count`.
  Pairs Fill(Store& store, uint64_t count) {
    Pairs pairs;
    GroupModel log;
    log.hard_state.term = Term(1);
    LogBatch batch;
    MakeEntries(input_, log, count, &batch);
    for (const Entry& entry : batch.append) Apply(entry, &pairs);
    (void)store.Run<ApplyDone>(ApplyEntries{kGroup, batch.append});
    Check(store.Read() == pairs);
    return pairs;
  }

  std::string ReadStream() {
    std::string stream;
    std::optional<LogPosition> snapshot;
    while (true) {
      const auto part = source_.Run<ReadSnapshotDone>(
          ReadSnapshot{kGroup, kPeer, snapshot, stream.size(), 1 + input_.Below(256)});
      Check(!part.gone);
      snapshot = part.snapshot;
      stream.append(part.data.data(), part.data.size());
      if (part.last) break;
    }
    position_ = *snapshot;
    Check(position_ == source_.applied());
    return stream;
  }

  void Step() {
    switch (input_.Below(16)) {
      case 0:
        return Restart();
      case 1:
        return ReadAnywhere();
      case 2:  // Bytes that nobody sent.
        return Send(position_, Offset(), std::string(input_.Text(40)), input_.Flip());
      case 3:  // Another stream.
        return Send({position_.index.Plus(input_.Below(2)), Term(9)}, 0,
                    std::string(input_.Text(60)), input_.Flip());
      case 4:  // The end too early, or none.
        return SendPart(Offset(), input_.Byte(), /*last=*/input_.Flip());
      case 5:
        return SendPart(input_.Below(stream_.size() + 9), input_.Byte(), /*last=*/false);
      default: {
        const uint64_t offset = Offset();
        const uint64_t bytes = input_.Byte();
        return SendPart(offset, bytes, offset + bytes >= stream_.size());
      }
    }
  }

  // Where the receiver wants to go on, or near to it.
  uint64_t Offset() {
    const uint64_t expected = staged_.has_value() ? staged_->bytes.size() : 0;
    const uint8_t how = input_.Byte();
    if (how < 0xE0) return std::min<uint64_t>(expected, stream_.size());
    return std::min<uint64_t>(expected - std::min<uint64_t>(expected, how % 32), stream_.size());
  }

  void SendPart(uint64_t offset, uint64_t bytes, bool last) {
    Send(position_, offset, offset > stream_.size() ? "" : stream_.substr(offset, bytes), last);
  }

  // Compares what is answered with what follows from all that was sent.
  void Send(LogPosition snapshot, uint64_t offset, const std::string& data, bool last) {
    const WriteSnapshot job{kGroup, snapshot, offset, Bytes::Copy(data), last, Bytes::Copy("c")};
    const LogPosition before = target_.applied();
    const auto done = target_.Run<WriteSnapshotDone>(job);
    Check(done.snapshot == snapshot);
    if (snapshot.index <= before.index) {
      staged_.reset();
      Check(done.complete);
      return Check(done.applied == before);
    }
    const bool continues = staged_.has_value() && staged_position_ == snapshot;
    if (!continues && offset > 0) {
      Check(!done.complete);
      return CheckEq(done.next_offset, uint64_t{0});
    }
    if (!continues) {
      staged_ = Stream();
      staged_position_ = snapshot;
    }
    Take(offset, data, last, done);
  }

  void Take(uint64_t offset, const std::string& data, bool last, const WriteSnapshotDone& done) {
    const uint64_t expected = staged_->bytes.size();
    if (offset > expected) {
      Check(!done.complete);
      return CheckEq(done.next_offset, expected);
    }
    const uint64_t known = expected - offset;
    bool sound = !last || data.size() >= known;
    if (data.size() > known) {
      staged_->bytes += data.substr(known);
      staged_->Parse();
      sound = sound && staged_->sound;
    }
    sound = sound && (!last || staged_->records_end == staged_->bytes.size());
    if (!sound) {
      staged_.reset();
      Check(!done.complete);
      return CheckEq(done.next_offset, uint64_t{0});
    }
    CheckEq(done.next_offset, staged_->bytes.size());
    Check(done.complete == last);
    if (!last) return Check(target_.Read() == target_pairs_, "staging is not seen");
    Check(target_.applied() == staged_position_);
    Check(target_.store().configuration(kGroup).view() == "c");
    target_pairs_ = staged_->pairs;
    if (staged_->bytes == stream_) Check(target_pairs_ == source_pairs_);
    Check(target_.Read() == target_pairs_);
    staged_.reset();
    durable_ = target_.applied();
  }

  // What is installed lasts. What is staged may be lost, from the end, by whole records.
  void Restart() {
    target_.Restart(input_);
    Check(target_.applied() == durable_ || durable_ == LogPosition());
    if (durable_ == LogPosition()) target_pairs_ = target_.Read();
    Check(target_.Read() == target_pairs_);
    if (!staged_.has_value()) return;
    const auto done =
        target_.Run<WriteSnapshotDone>(WriteSnapshot{kGroup, staged_position_, 0, Bytes()});
    if (done.complete) {
      staged_.reset();
      return;
    }
    CheckLe(done.next_offset, staged_->records_end);
    staged_->bytes.resize(done.next_offset);
    staged_->known_from = done.next_offset;
    staged_->Parse();
    CheckEq(staged_->records_end, done.next_offset);
  }

  void ReadAnywhere() {
    const uint64_t offset = input_.Below(stream_.size() + 3);
    const uint64_t bytes = 1 + input_.Byte();
    const auto part =
        source_.Run<ReadSnapshotDone>(ReadSnapshot{kGroup, kPeer, position_, offset, bytes});
    if (offset > stream_.size()) {
      Check(part.gone);
      // It speaks of another stream: the source begins anew.
      Check(ReadStream() == stream_);
      return;
    }
    Check(!part.gone);
    Check(part.data.view() == stream_.substr(offset, bytes));
    Check(part.last == (offset + bytes >= stream_.size()));
  }

  // Whatever has happened, the intact stream makes the source's table.
  void Finish() {
    if (target_.applied().index >= position_.index) return;
    Send({position_.index, Term(77)}, 0, stream_, /*last=*/true);
    Check(target_.Read() == source_pairs_);
    Check(StreamOf(target_pairs_) == stream_);
    for (int i = 0; i < 8; ++i) (void)target_.Run<CheckpointDone>(Checkpoint{kGroup});
    CheckEq(target_.store().CountGarbageKeys(), uint64_t{0});
  }

  Input input_;
  Store source_;
  Store target_;
  Pairs source_pairs_;
  std::string stream_;  // the source's
  LogPosition position_;
  Pairs target_pairs_;
  LogPosition durable_;  // of the target, since a snapshot was installed
  std::optional<Stream> staged_;
  LogPosition staged_position_;
};

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::Transfer(lockstep::fuzz::Input(data, size)).Go();
  return 0;
}
