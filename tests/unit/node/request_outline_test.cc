#include "core/node/request_outline.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/rng.h"
#include "core/kv/command.h"

namespace lockstep::node {
namespace {

std::string RandomText(Rng& rng, uint64_t bytes_max) {
  std::string text(rng.Below(bytes_max + 1), '\0');
  for (char& byte : text) byte = static_cast<char>(rng.Next());
  return text;
}

proto::ClientRequest RandomRequest(Rng& rng) {
  proto::ClientRequest request;
  if (rng.Chance({3, 4})) request.set_group(rng.Below(300));
  proto::Command& command = *request.mutable_command();
  if (rng.Chance({1, 2})) command.set_session(rng.Next());
  if (rng.Chance({1, 2})) command.set_sequence(rng.Below(1000));
  if (rng.Chance({1, 2})) command.set_first_outstanding(rng.Below(1000));
  if (rng.Chance({1, 2})) command.set_shard(static_cast<uint32_t>(rng.Below(64)));
  const std::string key = RandomText(rng, 10);
  const std::string value = RandomText(rng, 300);
  switch (rng.Below(6)) {
    case 0:
    case 1:
      *command.mutable_put() = kv::MakePut(key, value).put();
      break;
    case 2:
    case 3:
      *command.mutable_append() = kv::MakeAppend(key, value).append();
      break;
    case 4:
      command.mutable_delete_()->set_key(key);
      break;
    default:
      request.mutable_query()->mutable_get()->set_key(key);
  }
  return request;
}

// What parsing gives, without the value.
std::string Expected(proto::ClientRequest request, uint64_t* value_bytes) {
  proto::Command& command = *request.mutable_command();
  std::string& value = command.has_put() ? *command.mutable_put()->mutable_value()
                                         : *command.mutable_append()->mutable_value();
  *value_bytes = value.size();
  value.clear();
  return request.SerializeAsString();
}

bool IsPutOrAppend(const proto::ClientRequest& request) {
  return request.has_command() && (request.command().has_put() || request.command().has_append());
}

TEST(RequestOutline, IsTheRequestWithoutItsValue) {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    const proto::ClientRequest request = RandomRequest(rng);
    proto::ClientRequest outline = RandomRequest(rng);  // of before: nothing of it may stay
    uint64_t value_bytes = 0;
    ASSERT_EQ(ReadOutline(kv::Encode(request), &outline, &value_bytes), IsPutOrAppend(request));
    if (!IsPutOrAppend(request)) continue;
    uint64_t expected_bytes = 0;
    ASSERT_EQ(outline.SerializeAsString(), Expected(request, &expected_bytes));
    ASSERT_EQ(value_bytes, expected_bytes);
  }
}

// Whatever the bytes are, an outline says nothing else than the parser would.
TEST(RequestOutline, NeverContradictsTheParser) {
  Rng rng(2);
  int read = 0;
  for (int i = 0; i < 200000; ++i) {
    const Bytes encoded = kv::Encode(RandomRequest(rng));
    std::string bytes(encoded.view());
    const uint64_t head = std::min<uint64_t>(bytes.size(), 24);  // where the fields are
    if (head > 0) bytes[rng.Below(head)] = static_cast<char>(rng.Next());
    if (rng.Chance({1, 4})) bytes += bytes.substr(0, rng.Below(bytes.size() + 1));
    proto::ClientRequest outline;
    uint64_t value_bytes = 0;
    if (!ReadOutline(Bytes::Copy(bytes), &outline, &value_bytes)) continue;
    ++read;
    proto::ClientRequest parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    parsed.DiscardUnknownFields();
    ASSERT_TRUE(IsPutOrAppend(parsed));
    uint64_t expected_bytes = 0;
    ASSERT_EQ(outline.SerializeAsString(), Expected(parsed, &expected_bytes));
    ASSERT_EQ(value_bytes, expected_bytes);
  }
  EXPECT_GT(read, 20000);
}

}  // namespace
}  // namespace lockstep::node
