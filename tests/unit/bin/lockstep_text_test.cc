#include "bin/lockstep_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/rng.h"

namespace lockstep::bin {
namespace {

TEST(TextTest, WhatIsEscapedOrEncodedComesBack) {
  Rng rng(1);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(rng.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(rng.Below(i % 2 == 0 ? 256 : 128));
    const std::string escaped = Escaped(bytes);
    EXPECT_TRUE(IsUtf8(escaped));
    EXPECT_EQ(escaped.find_first_of("\n\t"), escaped.npos);
    EXPECT_EQ(*Unescaped(escaped), bytes);
    for (const Encoding encoding : {Encoding::kPlain, Encoding::kBase64, Encoding::kHex}) {
      EXPECT_EQ(*Decode(Encode(bytes, encoding), encoding), bytes);
      nlohmann::ordered_json json;
      SetBytes(json, "x", bytes, encoding);
      EXPECT_EQ(*GetBytes(json, "x"), bytes);
      EXPECT_EQ(nlohmann::ordered_json::parse(Line(json)), json);
    }
  }
}

TEST(TextTest, Utf8IsWhatTheStandardSays) {
  for (const char* good : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x7F",
                           "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
    EXPECT_TRUE(nlohmann::json::accept("\"" + std::string(good) + "\"") || *good == '\x7F');
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
  EXPECT_EQ(Escaped("\xC3\xA9\xC3"), "\xC3\xA9\\xc3");
  EXPECT_EQ(Escaped("\xC2\x9B\x31\xC2\xA0"), "\\xc2\\x9b1\xC2\xA0") << "a terminal may obey it";
}

TEST(TextTest, RefusesWhatIsNoneOfAnEncoding) {
  EXPECT_FALSE(Decode("A", Encoding::kBase64).ok());
  EXPECT_FALSE(Decode("0g", Encoding::kHex).ok());
  EXPECT_FALSE(Decode("0", Encoding::kHex).ok());
  EXPECT_FALSE(Unescaped("\\").ok());
  EXPECT_FALSE(Unescaped("\\x0").ok());
  const std::string odd = "\x1B\\q" + std::string(100'000, 'x');
  for (const absl::Status& status :
       {Unescaped(odd).status(), Decode(odd, Encoding::kHex).status()}) {
    EXPECT_LT(status.message().size(), 1000u);
    EXPECT_EQ(status.message().find('\x1B'), absl::string_view::npos) << status;
  }
  EXPECT_FALSE(Unescaped("\\q").ok());
  EXPECT_FALSE(GetBytes(nlohmann::ordered_json{{"x", 1}}, "x").ok());
  EXPECT_TRUE(absl::IsNotFound(GetBytes(nlohmann::ordered_json{{"y", "1"}}, "x").status()));
}

TEST(TextTest, TablesSetNumbersToTheRight) {
  Table table({"NAME", "SIZE", "ADDRESS"});
  table.Add({"a", "12 B", "1.2.3.4:5"});
  table.Add({"long name", "-", "10.20.30.40:50"});
  EXPECT_EQ(table.Text(),
            "NAME       SIZE  ADDRESS\n"
            "a          12 B  1.2.3.4:5\n"
            "long name     -  10.20.30.40:50\n");
  EXPECT_EQ(table.Plain(), "a\t12 B\t1.2.3.4:5\nlong name\t-\t10.20.30.40:50\n");
  Table hostile({"VERSION"});
  hostile.Add({"1\n\x1B[2J"});
  EXPECT_EQ(hostile.Plain(), "1\\n\\x1b[2J\n");
}

TEST(TextTest, Amounts) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1024), "1.0 KiB");
  EXPECT_EQ(HumanBytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(HumanBytes(uint64_t{5} << 40), "5.0 TiB");
  EXPECT_EQ(HumanTime(999), "999 ms");
  EXPECT_EQ(HumanTime(1'250), "1.2 s");
  EXPECT_EQ(HumanTime(3'599'000), "59 min");
  EXPECT_EQ(HumanTime(90'000'000), "1 d");
  EXPECT_EQ(Ranges({}), "");
  EXPECT_EQ(Ranges({0, 1, 2, 5, 7, 8}), "0-2, 5, 7-8");
}

}  // namespace
}  // namespace lockstep::bin
