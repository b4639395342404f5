#include "tests/support/node_messages.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/raft/codec.h"
#include "core/shardkv/command.h"
#include "core/shardkv/contents.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {
namespace {

using Words = std::vector<std::string>;

// "5@1:1+2": group 5, a member since configuration 1, on nodes 1 and 2.
void ParseGroup(Command& command, const std::string& text, proto::ShardGroup* group) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, ':');
  const std::pair<std::string, std::string> name = absl::StrSplit(parts.first, '@');
  group->set_gid(command.ParseNumber(name.first));
  group->set_joined(command.ParseNumber(name.second));
  for (const std::string& node : Words(absl::StrSplit(parts.second, '+', absl::SkipEmpty()))) {
    group->add_members()->set_node(command.ParseNumber(node));
  }
}

// "0:6>5@2": shard 0 from group 6, which lost it in configuration 2, to group 5.
void ParseHandover(Command& command, const std::string& text, proto::Handover* handover) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, ':');
  const std::pair<std::string, std::string> groups = absl::StrSplit(parts.second, '>');
  const std::pair<std::string, std::string> to = absl::StrSplit(groups.second, '@');
  handover->set_shard(static_cast<uint32_t>(command.ParseNumber(parts.first)));
  handover->set_from(command.ParseNumber(groups.first));
  handover->set_to(command.ParseNumber(to.first));
  handover->set_ended(to.second.empty() ? 0 : command.ParseNumber(to.second));
}

Words ListOf(Command& command, absl::string_view key) {
  return absl::StrSplit(command.Text(key).value_or(""), ',', absl::SkipEmpty());
}

void ParseConfiguration(Command& command, proto::ConfigurationAnswer* answer) {
  answer->set_to_group(command.Number("to", 0));
  proto::Configuration& configuration = *answer->mutable_configuration();
  configuration.set_num(command.Number("num", 0));
  for (const std::string& text : ListOf(command, "groups")) {
    ParseGroup(command, text, configuration.add_groups());
  }
  for (const std::string& text : ListOf(command, "departed")) {
    ParseGroup(command, text, configuration.add_departed());
  }
  for (const std::string& text : ListOf(command, "owners")) {
    configuration.add_owners(command.ParseNumber(text));
  }
  for (const std::string& text : ListOf(command, "handovers")) {
    ParseHandover(command, text, configuration.add_handovers());
  }
  answer->set_newest(command.Flag("newest"));
  const Words controllers = ListOf(command, "controllers");
  if (controllers.empty()) return;
  configuration.mutable_controllers()->set_membership(command.Number("by", 0));
  for (const std::string& text : controllers) {
    configuration.mutable_controllers()->add_nodes(command.ParseNumber(text));
  }
}

void ParseAsks(Command& command, proto::ConfigurationRequest* request) {
  request->set_from_group(command.Number("of", 0));
  if (command.Flag("member")) {
    request->mutable_get()->set_member_gid(request->from_group());
    request->mutable_get()->set_num(command.Number("after", 0));
  } else {
    request->mutable_get()->set_num(command.Number("num", 0));
  }
  const Words voters = ListOf(command, "voters");
  if (voters.empty()) return;
  proto::SetMembers& members = *request->add_members();
  members.set_gid(command.Number("gid", request->from_group()));
  members.set_joined(command.Number("joined", 0));
  members.set_membership(command.Number("by", 0));
  for (const std::string& text : voters) members.add_nodes(command.ParseNumber(text));
}

void ParsePart(Command& command, proto::TenurePart* part) {
  const bool last = command.Flag("last");
  part->set_resume(command.Text("next").value_or(""));
  shardkv::Counts counts;
  for (const std::string& text : ListOf(command, "before")) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(text, ':');
    counts.Add(pair.first, pair.second);
  }
  while (const std::optional<std::string> word = command.NextWord()) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(*word, ':');
    proto::ShardRecord& record = *part->add_records();
    record.set_key(pair.first);
    record.set_value(pair.second);
    counts.Add(record.key(), record.value());
  }
  part->set_checksum(shardkv::ChecksumOf(*part));
  if (!last) return;
  part->mutable_summary()->set_version(command.Number("version", 0));
  part->mutable_summary()->set_keys(counts.keys);
  part->mutable_summary()->set_bytes(counts.bytes);
  part->mutable_summary()->set_content(counts.content);
}

void ParseBody(Command& command, const std::string& kind, proto::ShardMessage* message) {
  if (kind == "read") {
    proto::ReadTenure& read = *message->mutable_read();
    read.set_shard(message->shard());
    read.set_ended(command.Number("ended", 0));
    read.set_resume(command.Text("resume").value_or(""));
    read.set_bytes_max(static_cast<uint32_t>(command.Number("bytes", 1000)));
  } else if (kind == "part") {
    ParsePart(command, message->mutable_read_answer()->mutable_part());
  } else if (kind == "not-yet" || kind == "gone") {
    message->mutable_read_answer()->set_gone(kind == "gone");
  } else if (kind == "drop") {
    message->mutable_drop()->set_shard(message->shard());
    message->mutable_drop()->set_ended(command.Number("ended", 0));
  } else if (kind == "dropped" || kind == "not-dropped") {
    message->mutable_drop_answer()->set_done(kind == "dropped");
    message->mutable_drop_answer()->set_leader(command.Number("leader", 0));
  } else if (kind != "nothing") {
    command.Fail(absl::StrCat("unknown message \"", kind, "\""));
  }
}

void ParseShardMessage(Command& command, const std::string& kind, proto::ShardMessage* message) {
  message->set_to_group(command.Number("to", 0));
  message->set_from_group(command.Number("of", 0));
  const std::string name = command.NextWord().value_or("");
  const std::pair<std::string, std::string> parts = absl::StrSplit(name, '@');
  message->set_shard(static_cast<uint32_t>(command.ParseNumber(parts.first)));
  message->set_since(command.ParseNumber(parts.second));
  message->set_sequence(command.Number("part", 1));
  ParseBody(command, kind, message);
}

void ParseBundle(Command& command, proto::NodeMessage* message) {
  for (const std::string& line : command.input()) {
    Command one(absl::StrCat("message ", line), {});
    const GroupId group(one.Number("group", 1));
    const Bytes bytes = raft::EncodePeerMessage(group, ParseMessage(one));
    message->add_bundle(bytes.data(), bytes.size());
    if (!one.error().empty()) command.Fail(one.error());
  }
}

}  // namespace

proto::NodeMessage ParseNodeMessage(Command& command) {
  proto::NodeMessage message;
  const std::string kind = command.NextWord().value_or("");
  if (kind == "asks") {
    ParseAsks(command, message.mutable_configuration_request());
  } else if (kind == "configuration") {
    ParseConfiguration(command, message.mutable_configuration_answer());
  } else if (kind == "none") {
    proto::ConfigurationAnswer& answer = *message.mutable_configuration_answer();
    answer.set_to_group(command.Number("to", 0));
    answer.set_through(command.Number("through", 0));
  } else if (kind == "who-leads") {
    message.mutable_leading_question();
  } else if (kind == "leads") {
    proto::LeadingAnswer& answer = *message.mutable_leading_answer();
    answer.set_groups(static_cast<uint32_t>(command.Number("groups", 0)));
    answer.set_takes_more(!command.Flag("no-more"));
  } else if (kind == "bundle") {
    ParseBundle(command, &message);
  } else {
    ParseShardMessage(command, kind, message.mutable_shard());
  }
  return message;
}

}  // namespace lockstep::test
