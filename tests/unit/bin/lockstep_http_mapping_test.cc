#include "bin/lockstep_http_mapping.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "net/client/failure.h"

namespace lockstep::bin {
namespace {

using Kind = HttpCall::Kind;

// A server may answer with anything: what nests without end must not overflow the stack of whoever
// copies it.
TEST(HttpMapping, AnAnswerThatNestsWithoutEndIsNone) {
  const std::string nest = std::string(200'000, '[') + std::string(200'000, ']');
  const HttpAnswer answer{
      .status = 500, .fields = {}, .body = "{\"code\":\"TIMEOUT\",\"a\":" + nest + "}"};
  EXPECT_EQ(CodeOf(answer), "");
  const absl::Status failure = FailureOf(answer, Kind::kWrite);
  EXPECT_EQ(failure.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(client::EffectOf(failure), client::Effect::kUnknown);
  Json copy;
  const absl::Status read = Read(answer, Kind::kRead, [&](const Json& body) { copy = body; });
  EXPECT_EQ(read.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(client::EffectOf(read), client::Effect::kNone);
}

TEST(HttpMapping, AFailureHasAMessage) {
  for (const char* body : {"", "{}", "{\"error\":\"\"}", "{\"error\":1}"}) {
    const HttpAnswer answer{.status = 500, .fields = {}, .body = body};
    EXPECT_EQ(FailureOf(answer, Kind::kRead).message(), "the server answered with HTTP status 500");
  }
}

// What is no number of ours is not made one: not by cutting it, and not by what C++ leaves
// undefined.
TEST(HttpMapping, ANumberOfAnotherKindIsNone) {
  const auto shard = [](const std::string& number) {
    const HttpAnswer answer{.status = 200, .fields = {}, .body = "{\"pinned\":" + number + "}"};
    uint32_t taken = 0;
    const absl::Status status = Read(answer, Kind::kRead, [&](const Json& body) {
      taken = NumberFrom<uint32_t>(body.at("pinned"));
    });
    EXPECT_TRUE(status.ok() || absl::IsInternal(status)) << status;
    return status.ok() ? absl::StrCat(taken) : "none";
  };
  EXPECT_EQ(shard("0"), "0");
  EXPECT_EQ(shard("4294967295"), "4294967295");
  for (const char* number : {"4294967296", "18446744073709551616", "1e300", "-1", "1.5", "1.0",
                             "true", "null", "\"1\"", "[1]"}) {
    EXPECT_EQ(shard(number), "none") << number;
  }
}

}  // namespace
}  // namespace lockstep::bin
