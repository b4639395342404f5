#include "bin/lockstep_http_mapping.h"

#include <string>

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

}  // namespace
}  // namespace lockstep::bin
