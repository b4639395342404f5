// The dashboard's files, as they are in the program.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/http/dashboard/assets.h"
#include "net/http/routes.h"
#include "tests/unit/net/http_routing.h"

namespace lockstep::net::http {
namespace {

TEST_F(Routing, ThePageIsServedAndMayLoadNothingOfOthers) {
  const Response page = Ask(Method::kGet, "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(absl::StrContains(page.body, "<title>Lockstep</title>"));
  EXPECT_EQ(FieldOf(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(FieldOf(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(FieldOf(page, "X-Frame-Options"), "DENY");
  const std::string policy = FieldOf(page, "Content-Security-Policy");
  EXPECT_TRUE(absl::StartsWith(policy, "default-src 'none'; "));
  EXPECT_FALSE(absl::StrContains(policy, "unsafe"));
  EXPECT_FALSE(absl::StrContains(policy, "http"));
  EXPECT_EQ(store_.asked, 0u);
}

TEST_F(Routing, WhoHasThePageIsNotSentItAgain) {
  const std::string tag = FieldOf(Ask(Method::kGet, "/"), "ETag");
  ASSERT_FALSE(tag.empty());
  for (const std::string& field : {tag, absl::StrCat("\"other\", ", tag), std::string("*")}) {
    const Response again = Ask(Method::kGet, "/", "", {{"If-None-Match", field}});
    EXPECT_EQ(again.status, 304) << field;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(FieldOf(again, "ETag"), tag);
  }
  EXPECT_EQ(Ask(Method::kGet, "/", "", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(Routing, FilesAreTheSourcesBytes) {
  ASSERT_GE(Assets().size(), 10u);
  for (const Asset& asset : Assets()) {
    const std::string path =
        absl::StrCat(LOCKSTEP_SOURCE_DIR "/net/http/dashboard/assets/", std::string(asset.name));
    std::stringstream source;
    source << std::ifstream(path).rdbuf();
    const Response file = Ask(Method::kGet, absl::StrCat("/dashboard/", std::string(asset.name)));
    EXPECT_EQ(file.status, 200) << path;
    EXPECT_TRUE(file.body == source.str()) << path;
    EXPECT_EQ(file.content_type, asset.content_type);
  }
  for (const char* name : {"nothing.js", "..", "%2e%2e%2fassets.h", "index.html%00"}) {
    EXPECT_EQ(AskJson(Method::kGet, absl::StrCat("/dashboard/", name))["code"], "NOT_FOUND")
        << name;
  }
}

// Every address in a file is one of this node's routes.
TEST_F(Routing, FilesNameOnlyWhatIsThere) {
  std::set<std::string> named;
  const std::regex address("[\"'](/[a-z][^\"'\\s]*|\\./[^\"'\\s]+|https?:[^\"'\\s]*)[\"']");
  for (const Asset& asset : Assets()) {
    const std::string text(asset.bytes);
    for (std::sregex_iterator it(text.begin(), text.end(), address), end; it != end; ++it) {
      named.insert((*it)[1]);
    }
  }
  EXPECT_TRUE(named.contains("/dashboard/main.js"));
  EXPECT_TRUE(named.contains("./dom.js"));
  for (std::string name : named) {
    if (absl::StartsWith(name, "http://www.w3.org/")) continue;  // The name of SVG, never fetched.
    if (absl::StartsWith(name, "./")) name = absl::StrCat("/dashboard/", name.substr(2));
    const int status = Ask(Method::kGet, name).status;
    EXPECT_TRUE(status == 200 || status == 503) << name << ": " << status;
  }
}

// Text of the cluster is never read as HTML.
TEST_F(Routing, FilesMakeNoMarkupOfText) {
  for (const Asset& asset : Assets()) {
    for (const char* sin :
         {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("}) {
      EXPECT_FALSE(absl::StrContains(asset.bytes, sin)) << std::string(asset.name) << ": " << sin;
    }
  }
}

TEST_F(Routing, WithoutASampleThereAreNoData) {
  for (const char* path : {"/api/v1/dashboard", "/api/v1/topology", "/api/v1/metrics.json"}) {
    const Response response = Ask(Method::kGet, path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(Json::parse(response.body)["code"], "UNAVAILABLE");
    EXPECT_EQ(FieldOf(response, "Retry-After"), "1");
  }
}

}  // namespace
}  // namespace lockstep::net::http
