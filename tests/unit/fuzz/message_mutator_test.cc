// The mutator of scripts: it comes to every field, keeps to its bound, and does the same again.
#include "fuzz/support/message_mutator.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/proto/client.pb.h"
#include "google/protobuf/descriptor.h"

namespace lockstep::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The names of all fields that are set, from the outermost message on.
void CollectNames(const Message& message, const std::string& path, std::set<std::string>* names) {
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const std::string name = path + "." + field->name();
    names->insert(name);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      CollectNames(message.GetReflection()->GetMessage(message, field), name, names);
      continue;
    }
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      CollectNames(message.GetReflection()->GetRepeatedMessage(message, field, i), name, names);
    }
  }
}

// All that there are; the messages of commands do not contain themselves.
void AllNames(const google::protobuf::Descriptor* type, const std::string& path,
              std::set<std::string>* names) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string name = path + "." + field->name();
    names->insert(name);
    if (field->message_type() != nullptr) AllNames(field->message_type(), name, names);
  }
}

TEST(MessageMutator, ComesToEveryField) {
  std::set<std::string> all;
  AllNames(proto::Command::descriptor(), "", &all);
  std::set<std::string> seen;
  Rng rng(1);
  proto::Command command;
  for (int i = 0; i < 20000 && seen.size() < all.size(); ++i) {
    Mutate(rng, 2000, &command);
    CollectNames(command, "", &seen);
  }
  EXPECT_EQ(seen, all);
}

TEST(MessageMutator, KeepsToItsBound) {
  Rng rng(2);
  proto::Command command;
  proto::Command other;
  for (int i = 0; i < 5000; ++i) {
    Mutate(rng, 300, &command);
    EXPECT_LE(ToText(command).size(), 300u);
    Mutate(rng, 3000, &other);
    CrossOver(rng, other, 300, &command);
    EXPECT_LE(ToText(command).size(), 300u);
  }
}

TEST(MessageMutator, WhatIsTooLongAlreadyGetsNoLonger) {
  Rng rng(3);
  proto::Command command;
  command.mutable_put()->set_value(std::string(1000, 'x'));
  size_t bytes = ToText(command).size();
  for (int i = 0; i < 1000; ++i) {
    Mutate(rng, 100, &command);
    EXPECT_LE(ToText(command).size(), std::max(bytes, size_t{100}));
    bytes = ToText(command).size();
  }
}

TEST(MessageMutator, TheSameSeedDoesTheSame) {
  const auto run = [] {
    Rng rng(4);
    proto::Command command;
    proto::Command other;
    for (int i = 0; i < 500; ++i) {
      Mutate(rng, 1000, &command);
      Mutate(rng, 1000, &other);
      CrossOver(rng, other, 1000, &command);
    }
    return ToText(command);
  };
  EXPECT_EQ(run(), run());
}

TEST(MessageMutator, TextComesBackAsItWas) {
  Rng rng(5);
  proto::Result result;  // It has strings beside bytes.
  for (int i = 0; i < 2000; ++i) {
    Mutate(rng, 2000, &result);
    proto::Result read;
    ASSERT_TRUE(FromText(ToText(result), &read)) << ToText(result);
    EXPECT_EQ(read.SerializeAsString(), result.SerializeAsString());
  }
}

TEST(MessageMutator, CrossingBringsPartsOfTheOther) {
  proto::Batch one;
  proto::Batch other;
  one.add_operations()->mutable_put()->set_key("one");
  other.add_operations()->mutable_put()->set_key("other");
  bool both = false;
  Rng rng(6);
  for (int i = 0; i < 100 && !both; ++i) {
    proto::Batch crossed = one;
    CrossOver(rng, other, 1000, &crossed);
    both = ToText(crossed).find("one") != std::string::npos &&
           ToText(crossed).find("other") != std::string::npos;
  }
  EXPECT_TRUE(both);
}

}  // namespace
}  // namespace lockstep::fuzz
