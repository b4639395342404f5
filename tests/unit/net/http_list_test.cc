// Lists, page by page.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/net/http_routing.h"

namespace lockstep::net::http {
namespace {

TEST_F(Routing, ListsPagesThatMeet) {
  for (int i = 0; i < 2500; ++i) store_.pairs[absl::StrCat("k", 10'000 + i)] = "v";
  store_.pairs["other"] = "v";
  Json all = Json::array();
  std::string continuation;
  int pages = 0;
  do {
    const Json page =
        AskJson(Method::kGet,
                absl::StrCat("/api/v1/kv?prefix=k&limit=1100&continuation=", continuation))["data"];
    for (const Json& key : page["keys"]) all.push_back(key);
    continuation = page["continuation"].is_null() ? "" : page["continuation"].get<std::string>();
    EXPECT_EQ(page["has_more"], !continuation.empty());
    ++pages;
  } while (!continuation.empty());
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(all.size(), 2500u);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], absl::StrCat("k", 10'000 + i));
}

// The seed applied offset behind limit: pages beyond the first were short or empty.
TEST_F(Routing, SkipsBeforeItLimits) {
  for (int i = 0; i < 2500; ++i) store_.pairs[absl::StrCat("k", 10'000 + i)] = "v";
  const Json page = AskJson(Method::kGet, "/api/v1/kv?offset=1200&limit=10")["data"];
  ASSERT_EQ(page["keys"].size(), 10u);
  EXPECT_EQ(page["keys"][0], "k11200");
  EXPECT_EQ(page["has_more"], true);
  EXPECT_FALSE(page.contains("total"));
  const Json next =
      AskJson(Method::kGet, absl::StrCat("/api/v1/kv?limit=1&continuation=",
                                         page["continuation"].get<std::string>()))["data"];
  EXPECT_EQ(next["keys"][0], "k11210");
  const Json last = AskJson(Method::kGet, "/api/v1/kv?offset=2495&limit=10")["data"];
  EXPECT_EQ(last["keys"].size(), 5u);
  EXPECT_EQ(last["has_more"], false);
  EXPECT_EQ(last["total"], 2500);
  const Json beyond = AskJson(Method::kGet, "/api/v1/kv?offset=9999")["data"];
  EXPECT_EQ(beyond["keys"].size(), 0u);
  EXPECT_EQ(beyond["total"], 2500);
}

TEST_F(Routing, CountsToTheEndWhenAsked) {
  for (int i = 0; i < 2500; ++i) store_.pairs[absl::StrCat("k", 10'000 + i)] = "v";
  const Json page = AskJson(Method::kGet, "/api/v1/kv?limit=10&total=true")["data"];
  EXPECT_EQ(page["total"], 2500);
  EXPECT_EQ(page["keys"].size(), 10u);
  EXPECT_EQ(page["has_more"], true);
  const Json next =
      AskJson(Method::kGet, absl::StrCat("/api/v1/kv?limit=1&continuation=",
                                         page["continuation"].get<std::string>()))["data"];
  EXPECT_EQ(next["keys"][0], "k10010");
}

TEST_F(Routing, ListsValuesAndBinaryKeys) {
  store_.pairs = {{"a", "1"}, {"\xff", "2"}};
  const Json page = AskJson(Method::kGet, "/api/v1/kv?values=true")["data"];
  EXPECT_EQ(page["keys_base64"], Json({"YQ==", "/w=="}));
  EXPECT_EQ(page["pairs"][1]["key_base64"], "/w==");
  EXPECT_EQ(page["pairs"][0]["value"], "MQ==");
  options_.list_bytes_max = 1;
  const Json bounded = AskJson(Method::kGet, "/api/v1/kv?limit=2")["data"];
  EXPECT_EQ(bounded["keys"].size(), 2u) << "a page of the gateway is given whole";
}

}  // namespace
}  // namespace lockstep::net::http
