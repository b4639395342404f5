// One key, and several.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/net/http_routing.h"

namespace lockstep::net::http {
namespace {

TEST_F(Routing, PutsAndGetsBase64) {
  const Response put = Ask(Method::kPut, "/api/v1/kv/name", R"({"value":"aGVsbG8="})");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(store_.pairs["name"], "hello");
  const Json got = AskJson(Method::kGet, "/api/v1/kv/name");
  EXPECT_EQ(got["success"], true);
  EXPECT_EQ(got["data"]["key"], "name");
  EXPECT_EQ(got["data"]["value"], "aGVsbG8=");
  EXPECT_EQ(got["data"]["found"], true);
  EXPECT_EQ(got["data"]["stale"], false);
  EXPECT_EQ(got["data"]["version"], 1);
  EXPECT_EQ(store_.last.patience_us(), 1'000'000u);
}

TEST_F(Routing, TellsAMissingKeyFromAnEmptyValue) {
  EXPECT_EQ(Ask(Method::kPut, "/api/v1/kv/empty", R"({"value":""})").status, 200);
  EXPECT_EQ(AskJson(Method::kGet, "/api/v1/kv/empty")["data"]["value"], "");
  const Response missing = Ask(Method::kGet, "/api/v1/kv/missing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(Json::parse(missing.body)["code"], "KEY_NOT_FOUND");
}

TEST_F(Routing, TakesRawBytesBothWays) {
  const std::string value("\x00\xff{", 3);
  EXPECT_EQ(Ask(Method::kPut, "/api/v1/kv/%FF%00%2F", value,
                {{"Content-Type", "application/octet-stream"}})
                .status,
            200);
  EXPECT_EQ(store_.pairs[std::string("\xff\x00/", 3)], value);
  const Response raw =
      Ask(Method::kGet, "/api/v1/kv/%FF%00%2F", "", {{"Accept", "application/octet-stream"}});
  EXPECT_EQ(raw.body, value);
  EXPECT_EQ(raw.content_type, "application/octet-stream");
  EXPECT_EQ(FieldOf(raw, "Lockstep-Version"), "1");
  EXPECT_EQ(AskJson(Method::kGet, "/api/v1/kv/%FF%00%2F")["data"]["key_base64"], "/wAv");
}

TEST_F(Routing, LabelsStaleReads) {
  store_.pairs["a"] = "1";
  const Response stale = Ask(Method::kGet, "/api/v1/kv/a?consistency=stale");
  EXPECT_EQ(Json::parse(stale.body)["data"]["stale"], true);
  EXPECT_EQ(FieldOf(stale, "Lockstep-Stale"), "true");
  EXPECT_EQ(FieldOf(Ask(Method::kGet, "/api/v1/kv/a"), "Lockstep-Stale"), "");
  EXPECT_EQ(Ask(Method::kGet, "/api/v1/kv/a?consistency=old").status, 400);
  const Response follower = Ask(Method::kGet, "/api/v1/kv/a?consistency=follower");
  EXPECT_EQ(follower.status, 200);
  EXPECT_EQ(FieldOf(follower, "Lockstep-Stale"), "") << "it is the newest state";
}

TEST_F(Routing, AppendsAndDeletes) {
  EXPECT_EQ(Ask(Method::kPatch, "/api/v1/kv/a", R"({"value":"YQ=="})").status, 200);
  EXPECT_EQ(Ask(Method::kPost, "/api/v1/kv/a?op=append", R"({"value":"Yg=="})").status, 200);
  EXPECT_EQ(store_.pairs["a"], "ab");
  EXPECT_EQ(Ask(Method::kPost, "/api/v1/kv/a", R"({"value":"Yg=="})").status, 400);
  EXPECT_EQ(AskJson(Method::kDelete, "/api/v1/kv/a")["data"]["success"], true);
  EXPECT_EQ(store_.pairs.count("a"), 0u);
}

TEST_F(Routing, ComparesAndSwaps) {
  EXPECT_EQ(Ask(Method::kPost, "/api/v1/kv/a/cas", R"({"value":"MQ=="})").status, 200);
  const Response conflict = Ask(Method::kPost, "/api/v1/kv/a/cas", R"({"value":"Mg=="})");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(Json::parse(conflict.body)["actual"], "MQ==");
  EXPECT_EQ(Json::parse(conflict.body)["effect"], "none");
  EXPECT_EQ(Ask(Method::kPost, "/api/v1/kv/a/cas", R"({"expected":"MQ==","value":null})").status,
            200);
  EXPECT_EQ(store_.pairs.count("a"), 0u);
  EXPECT_EQ(Ask(Method::kPost, "/api/v1/kv/a/cas", R"({"expect":"MQ=="})").status, 400)
      << "a misspelt member must not become: the key must be missing";
}

TEST_F(Routing, RunsWritesOfASessionOnce) {
  const Json opened = AskJson(Method::kPost, "/api/v1/sessions", R"({"key":"a"})");
  const std::string session = absl::StrCat(opened["data"]["session"].get<uint64_t>());
  EXPECT_EQ(store_.last.key(), "a");
  const std::vector<std::pair<std::string, std::string>> place = {{"Lockstep-Session", session},
                                                                  {"Lockstep-Sequence", "1"}};
  for (const bool replayed : {false, true}) {
    const Json put = AskJson(Method::kPatch, "/api/v1/kv/a", R"({"value":"YQ=="})", place);
    EXPECT_EQ(put["data"]["replayed"], replayed);
  }
  EXPECT_EQ(store_.pairs["a"], "a");
  EXPECT_EQ(store_.last.command().first_outstanding(), 1u);
  EXPECT_EQ(Ask(Method::kDelete, absl::StrCat("/api/v1/sessions/", session, "?key=a")).status, 200);
  EXPECT_TRUE(store_.last.command().has_close_session());
  EXPECT_EQ(Ask(Method::kDelete, "/api/v1/sessions/x?key=a").status, 400);
}

TEST_F(Routing, RefusesHalfASession) {
  for (const auto& fields : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"Lockstep-Session", "1"}},
           {{"Lockstep-Sequence", "1"}},
           {{"Lockstep-Session", "x"}, {"Lockstep-Sequence", "1"}},
           {{"Lockstep-Session", "1"}, {"Lockstep-Sequence", "0"}},
           {{"Lockstep-Session", "1"}, {"Lockstep-Sequence", "-1"}}}) {
    EXPECT_EQ(Ask(Method::kPut, "/api/v1/kv/a", R"({"value":""})", fields).status, 400);
  }
  EXPECT_EQ(store_.asked, 0u);
}

TEST_F(Routing, BatchesAllOrNothing) {
  store_.pairs["{t}b"] = "old";
  const std::string body =
      R"({"atomic":true,"operations":[{"op":"put","key":"{t}a","value":"MQ=="},)"
      R"({"op":"cas","key":"{t}b","expected":"MQ==","value":"Mg=="}]})";
  const Response conflict = Ask(Method::kPost, "/api/v1/batch", body);
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(Json::parse(conflict.body)["failed_operation"], 1);
  EXPECT_EQ(store_.pairs.count("{t}a"), 0u);
  store_.pairs["{t}b"] = "1";
  EXPECT_EQ(AskJson(Method::kPost, "/api/v1/batch", body)["data"]["committed"], true);
  EXPECT_EQ(store_.pairs["{t}b"], "2");
}

TEST_F(Routing, BatchesEachOnItsOwn) {
  store_.pairs["b"] = "old";
  const Response partly = Ask(
      Method::kPost, "/api/v1/batch",
      R"({"operations":[{"op":"put","key":"a","value":"MQ=="},{"op":"cas","key":"b","value":"MQ=="}]})");
  EXPECT_EQ(partly.status, 207) << "not all were executed, so it is not 200";
  const Json json = Json::parse(partly.body);
  EXPECT_EQ(json["success"], false);
  EXPECT_EQ(json["data"]["each"][0]["outcome"], "executed");
  EXPECT_EQ(json["data"]["each"][1]["outcome"], "conflict");
  const Response all = Ask(
      Method::kPost, "/api/v1/batch",
      R"({"operations":[{"op":"append","key_base64":"/w==","value":"MQ=="},{"op":"delete","key":"b"}]})");
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(store_.pairs["\xff"], "1");
}

TEST_F(Routing, GetsMany) {
  store_.pairs = {{"a", "1"}, {"c", "3"}};
  const Json json =
      AskJson(Method::kPost, "/api/v1/batch/get", R"({"keys":["c","b",{"key_base64":"YQ=="}]})");
  ASSERT_EQ(json["data"]["pairs"].size(), 2u);
  EXPECT_EQ(json["data"]["pairs"][0]["key"], "c");
  EXPECT_EQ(json["data"]["pairs"][1]["value"], "MQ==");
}

}  // namespace
}  // namespace lockstep::net::http
