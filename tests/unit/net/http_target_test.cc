#include <gtest/gtest.h>

#include <string>

#include "net/http/message.h"
#include "net/http/target.h"

namespace lockstep::net::http {
namespace {

TEST(PercentCode, DecodesEveryByteItEncodes) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  const std::string text = PercentEncode(bytes);
  EXPECT_EQ(text.find_first_of("/?#& \n"), std::string::npos);
  EXPECT_EQ(PercentDecode(text).value(), bytes);
  EXPECT_EQ(PercentDecode("a%2fb+c").value(), "a/b+c");
}

TEST(PercentCode, RefusesWhatIsCutShort) {
  for (const char* text : {"%", "%4", "a%", "%zz", "%4g", "%%41"}) {
    EXPECT_FALSE(PercentDecode(text).ok()) << text;
  }
}

TEST(Target, SplitsBeforeItDecodes) {
  const Target target = ParseTarget("/api/v1/kv/a%2Fb?x=1%262&y&x=3").value();
  EXPECT_EQ(target.segments, (std::vector<std::string>{"api", "v1", "kv", "a/b"}));
  EXPECT_EQ(*target.Find("x"), "1&2");
  EXPECT_EQ(*target.Find("y"), "");
  EXPECT_EQ(target.Find("z"), nullptr);
}

TEST(Target, TakesAbsoluteFormAndEmptySegments) {
  EXPECT_EQ(ParseTarget("http://host:1/health?q").value().path, "/health");
  EXPECT_EQ(ParseTarget("http://host").value().path, "/");
  EXPECT_TRUE(ParseTarget("/").value().segments.empty());
  EXPECT_EQ(ParseTarget("/kv/").value().segments, (std::vector<std::string>{"kv", ""}));
  for (const char* text : {"", "*", "a", "?x", "/%", "/?%1"}) {
    EXPECT_FALSE(ParseTarget(text).ok()) << text;
  }
}

TEST(Target, ReadsNumbersAndFlags) {
  const Target target =
      ParseTarget("/?n=12&big=99999999999999999999&neg=-1&e=&t=true&f=0&bad=2").value();
  EXPECT_EQ(target.Number("n", 5, 12).value(), 12u);
  EXPECT_EQ(target.Number("none", 5, 12).value(), 5u);
  for (const char* name : {"big", "neg", "e", "t"}) {
    EXPECT_FALSE(target.Number(name, 0, UINT64_MAX).ok()) << name;
  }
  EXPECT_FALSE(target.Number("n", 5, 11).ok());
  EXPECT_TRUE(target.Flag("t").value());
  EXPECT_TRUE(target.Flag("e").value());
  EXPECT_FALSE(target.Flag("f").value());
  EXPECT_FALSE(target.Flag("none").value());
  EXPECT_FALSE(target.Flag("bad").ok());
}

TEST(WeightOf, ReadsListsAsClientsWriteThem) {
  struct Row {
    const char* list;
    const char* name;
    int want;
  };
  for (const Row& row :
       {Row{"gzip", "gzip", 1000}, Row{"", "gzip", 0}, Row{"br, GZIP;q=0.5", "gzip", 500},
        Row{"gzip;q=0", "gzip", 0}, Row{"gzip; q=x", "gzip", 0}, Row{"*", "gzip", 0},
        Row{"gzip;q=7", "gzip", 1000}, Row{"text/html;level=1;q=0.1", "text/html", 100}}) {
    EXPECT_EQ(WeightOf(row.list, row.name), row.want) << row.list;
  }
}

}  // namespace
}  // namespace lockstep::net::http
