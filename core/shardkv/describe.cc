#include "core/shardkv/describe.h"

#include "absl/strings/str_cat.h"
#include "core/kv/describe.h"

namespace lockstep::shardkv {
namespace {

std::string Name(uint32_t shard, uint64_t since) {
  return absl::StrCat("shard ", shard, "@", since);
}

std::string DescribeChange(const proto::Reconfigure& change) {
  std::string text = absl::StrCat("come to configuration ", change.num());
  if (!change.member()) absl::StrAppend(&text, ", no member");
  const char* separator = ": gain ";
  for (const proto::GainedShard& gained : change.gained()) {
    absl::StrAppend(&text, separator, gained.shard());
    if (gained.source().gid() != 0) {
      absl::StrAppend(&text, " from ", gained.source().gid(), "@", gained.ended());
    }
    separator = ", ";
  }
  separator = change.gained().empty() ? ": lose " : "; lose ";
  for (const proto::LostShard& lost : change.lost()) {
    absl::StrAppend(&text, separator, lost.shard(), " to ", lost.destination().gid());
    separator = ", ";
  }
  return text;
}

std::string DescribePart(const proto::TenurePart& part) {
  return absl::StrCat(part.records_size(), " records", part.has_summary() ? ", the last" : "");
}

}  // namespace

std::string Describe(const proto::Command& command) {
  switch (command.operation_case()) {
    case proto::Command::kReconfigure:
      return DescribeChange(command.reconfigure());
    case proto::Command::kInstallChunk: {
      const proto::InstallChunk& chunk = command.install_chunk();
      return absl::StrCat("install part ", chunk.sequence(), " of ",
                          Name(chunk.shard(), chunk.num()), ": ", DescribePart(chunk.part()));
    }
    case proto::Command::kDropShard:
      return absl::StrCat("drop shard ", command.drop_shard().shard(), " lost in ",
                          command.drop_shard().ended());
    case proto::Command::kSweepShard:
      return absl::StrCat("sweep ",
                          Name(command.sweep_shard().shard(), command.sweep_shard().since()));
    case proto::Command::kFinishHandover:
      return absl::StrCat("finish the hand-over of ",
                          Name(command.finish_handover().shard(), command.finish_handover().num()));
    default:
      return kv::Describe(command);
  }
}

std::string Describe(const proto::ShardMessage& message) {
  const std::string who = absl::StrCat("group ", message.from_group(), " to ", message.to_group());
  const std::string what = Name(message.shard(), message.since());
  switch (message.body_case()) {
    case proto::ShardMessage::kRead:
      return absl::StrCat(who, ": part ", message.sequence(), " of ", what, " please");
    case proto::ShardMessage::kReadAnswer: {
      const proto::ReadAnswer& answer = message.read_answer();
      return absl::StrCat(who, ": part ", message.sequence(), " of ", what, ": ",
                          answer.gone()       ? "gone"
                          : answer.has_part() ? DescribePart(answer.part())
                                              : "not yet");
    }
    case proto::ShardMessage::kDrop:
      return absl::StrCat(who, ": ", what, " is here, drop it");
    case proto::ShardMessage::kDropAnswer:
      return absl::StrCat(
          who, ": ", what,
          message.drop_answer().done()
              ? " is dropped"
              : absl::StrCat(" is not dropped, leader ", message.drop_answer().leader()));
    case proto::ShardMessage::BODY_NOT_SET:
      return absl::StrCat(who, ": nothing");
  }
  return who;
}

std::string Describe(const proto::ShardTenure& tenure) {
  std::string text = absl::StrCat(Name(tenure.shard(), tenure.since()), " ",
                                  proto::ShardState_Name(tenure.state()));
  if (tenure.until() != 0) absl::StrAppend(&text, " until ", tenure.until());
  if (tenure.source().gid() != 0) absl::StrAppend(&text, " from ", tenure.source().gid());
  if (tenure.destination().gid() != 0) absl::StrAppend(&text, " to ", tenure.destination().gid());
  return text;
}

}  // namespace lockstep::shardkv
