// Bodies: gzip and JSON, with their bounds.
#include <gtest/gtest.h>

#include <string>

#include "net/http/failure.h"
#include "net/http/gzip.h"
#include "net/http/json.h"

namespace lockstep::net::http {
namespace {

std::string CodeOf(const absl::Status& status) { return FailureOf(status).code; }

TEST(Gzip, UnpacksWhatItPacks) {
  std::string noise;
  for (uint32_t i = 0; i < 100'000; ++i)
    noise.push_back(static_cast<char>(i * i * 2654435761u >> 24));
  for (const std::string& bytes :
       {std::string(), std::string("a"), std::string(1 << 20, 'x'), noise}) {
    const std::string packed = Gzip(bytes);
    EXPECT_EQ(ClaimedBytes(packed), bytes.size());
    EXPECT_EQ(Gunzip(packed, 1 << 20).value(), bytes);
  }
}

TEST(Gzip, RefusesABombWithoutUnpackingIt) {
  const std::string bomb = Gzip(std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), size_t{1} << 20);
  EXPECT_EQ(CodeOf(Gunzip(bomb, 1 << 20).status()), "TOO_LARGE");
  // One that lies about its size gets the memory that it claims, and no more.
  std::string liar = bomb;
  liar.replace(liar.size() - 4, 4, std::string("\x10\0\0\0", 4));
  EXPECT_EQ(CodeOf(Gunzip(liar, 1 << 20).status()), "INVALID_REQUEST");
}

TEST(Gzip, RefusesWhatIsDamaged) {
  const std::string good = Gzip("hello, hello, hello");
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(Gunzip(good.substr(0, length), 1 << 20).ok()) << length;
  }
  EXPECT_FALSE(Gunzip(good + "x", 1 << 20).ok());
  EXPECT_FALSE(Gunzip(good + good, 1 << 20).ok());
  for (size_t i = 10; i < good.size(); ++i) {
    std::string flipped = good;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(Gunzip(flipped, 1 << 20).ok()) << i;
  }
}

TEST(Json, BoundsItsTree) {
  EXPECT_EQ(CodeOf(ParseObject(std::string(1 << 20, '[')).status()), "INVALID_REQUEST");
  EXPECT_EQ(CodeOf(ParseObject("{\"a\":[" + std::string(100'000, ',') + "]}").status()),
            "INVALID_REQUEST");
  // Marks inside of strings are text.
  const std::string text = "{\"a\":\"" + std::string(100'000, '[') + "\\\"" + "\"}";
  EXPECT_EQ(ParseObject(text).value()["a"].get<std::string>().size(), 100'001u);
}

TEST(Json, RefusesWhatIsNoObject) {
  for (const char* text : {"", "x", "[]", "1", "{", "{\"a\":}", "{\"a\":1}x", "{\"a\":\"\xff\"}",
                           "\"", "{\"a\":1e999}"}) {
    EXPECT_EQ(CodeOf(ParseObject(text).status()), "INVALID_REQUEST") << text;
  }
}

TEST(Json, ReadsMembersByType) {
  const Json object =
      ParseObject(
          R"({"n":5,"neg":-1,"f":1.5,"t":true,"s":"text","b":"aGVsbG8=","bad":"a!","no":null,"a":[1]})")
          .value();
  EXPECT_EQ(UnsignedMember(object, "n").value(), 5u);
  EXPECT_FALSE(UnsignedMember(object, "n", 4).ok());
  EXPECT_FALSE(UnsignedMember(object, "no").value().has_value());
  EXPECT_FALSE(UnsignedMember(object, "absent").value().has_value());
  for (const char* name : {"neg", "f", "t", "s", "a"}) {
    EXPECT_FALSE(UnsignedMember(object, name).ok()) << name;
  }
  EXPECT_TRUE(BoolMember(object, "t").value().value());
  EXPECT_FALSE(BoolMember(object, "n").ok());
  EXPECT_EQ(TextMember(object, "s").value().value(), "text");
  EXPECT_EQ(Base64Member(object, "b").value().value(), "hello");
  EXPECT_EQ(CodeOf(Base64Member(object, "bad").status()), "INVALID_VALUE");
  EXPECT_NE(ArrayMember(object, "a").value(), nullptr);
  EXPECT_FALSE(ArrayMember(object, "n").ok());
  EXPECT_FALSE(OnlyMembers(object, {"n"}).ok());
  EXPECT_TRUE(OnlyMembers({{"n", 1}}, {"n", "m"}).ok());
}

TEST(Json, SpellsKeysThatAreNoText) {
  Json object;
  SetKey("plain", &object);
  EXPECT_EQ(Dump(object), R"({"key":"plain"})");
  Json binary;
  SetKey(std::string("\xff\x00", 2), &binary);
  EXPECT_EQ(KeyMember(ParseObject(Dump(binary)).value()).value(), std::string("\xff\x00", 2));
  EXPECT_FALSE(KeyMember({{"key", ""}}).ok());
  EXPECT_FALSE(KeyMember({{"value", ""}}).ok());
}

TEST(Json, SplicesLargeValues) {
  const Response response = SuccessWith({{"key", "a"}}, "value", "hello");
  EXPECT_EQ(response.body, R"({"success":true,"data":{"key":"a","value":"aGVsbG8="}})");
}

}  // namespace
}  // namespace lockstep::net::http
