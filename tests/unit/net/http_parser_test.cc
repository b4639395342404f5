#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "net/http/failure.h"
#include "net/http/request_parser.h"

namespace lockstep::net::http {
namespace {

// Feeds `text` in pieces, as a connection does. The code of the refusal, "more" or "done".
struct Fed {
  std::string code;
  Request request;
  std::string rest;
};
Fed Feed(const HttpOptions& options, absl::string_view text, size_t piece) {
  RequestParser parser(options);
  std::string pending;
  while (!text.empty() || !pending.empty()) {
    const size_t taken = std::min(piece, text.size());
    pending.append(text.data(), taken);
    text.remove_prefix(taken);
    while (!pending.empty()) {
      const absl::StatusOr<size_t> used = parser.Feed(pending);
      if (!used.ok()) return {.code = FailureOf(used.status()).code, .request = {}, .rest = {}};
      pending.erase(0, *used);
      if (parser.done()) {
        pending.append(text.data(), text.size());
        return {.code = "done", .request = parser.Take(), .rest = pending};
      }
      if (*used == 0) break;
    }
    if (text.empty()) break;
  }
  return {.code = "more", .request = {}, .rest = {}};
}

TEST(RequestParser, ReadsTheSameInPiecesOfAnySize) {
  const std::string text =
      "PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\nX-Two:  b c \r\nContent-Length: 5\r\n\r\nhelloGET";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    const Fed fed = Feed(HttpOptions(), text, piece);
    ASSERT_EQ(fed.code, "done") << piece;
    EXPECT_EQ(fed.request.method, Method::kPut);
    EXPECT_EQ(fed.request.target_text, "/api/v1/kv/a");
    EXPECT_EQ(fed.request.Field("x-two"), "b c");
    EXPECT_EQ(fed.request.body, "hello");
    EXPECT_TRUE(fed.request.keep_alive);
    EXPECT_EQ(fed.rest, "GET");
  }
}

TEST(RequestParser, ReadsChunksAndDropsTrailers) {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n3\r\n123\r\n0\r\nLockstep-Session: 7\r\n\r\nrest";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    const Fed fed = Feed(HttpOptions(), text, piece);
    ASSERT_EQ(fed.code, "done") << piece;
    EXPECT_EQ(fed.request.body, "hello123");
    EXPECT_EQ(fed.request.Find("Lockstep-Session"), nullptr) << "a trailer is no header";
    EXPECT_EQ(fed.rest, "rest");
  }
}

TEST(RequestParser, KnowsWhetherTheConnectionGoesOn) {
  EXPECT_TRUE(Feed({}, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 99).request.keep_alive);
  EXPECT_FALSE(
      Feed({}, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 99).request.keep_alive);
  EXPECT_FALSE(Feed({}, "GET / HTTP/1.0\r\n\r\n", 99).request.keep_alive);
  EXPECT_TRUE(Feed({}, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 99).request.keep_alive);
}

// What two readers could take for different requests is none.
TEST(RequestParser, RefusesWhatIsMalformed) {
  struct Row {
    const char* name;
    std::string text;
    const char* want;
  };
  const std::string host = "Host: x\r\n";
  for (const Row& row : {
           Row{"no method", " / HTTP/1.1\r\n\r\n", "INVALID_REQUEST"},
           Row{"binary", std::string("\x16\x03\x01\x02\x00\x01", 6), "INVALID_REQUEST"},
           Row{"version", "GET / HTTP/2.0\r\n\r\n", "HTTP_VERSION"},
           Row{"no host", "GET / HTTP/1.1\r\n\r\n", "INVALID_REQUEST"},
           Row{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "INVALID_REQUEST"},
           Row{"space in name", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "INVALID_REQUEST"},
           Row{"length", "PUT / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"two lengths",
               "PUT / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"length and chunks",
               "PUT / HTTP/1.1\r\n" + host +
                   "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"other encoding",
               "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"a second encoding",
               "PUT / HTTP/1.1\r\n" + host +
                   "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"hidden encoding",
               "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"chunk size",
               "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"chunk size wraps",
               "PUT / HTTP/1.1\r\n" + host +
                   "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
               "INVALID_REQUEST"},
           Row{"open quote",
               "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2;a=\"b\r\nxx\r\n",
               "INVALID_REQUEST"},
           Row{"open quote of the last",
               "PUT / HTTP/1.1\r\n" + host +
                   "Transfer-Encoding: chunked\r\n\r\n00;a=\"b\r\n\r\n\"\r\n\r\n",
               "INVALID_REQUEST"},
           Row{"expectation", "PUT / HTTP/1.1\r\n" + host + "Expect: wonders\r\n\r\n",
               "EXPECTATION_FAILED"},
       }) {
    EXPECT_EQ(Feed({}, row.text, 4096).code, row.want) << row.name;
    EXPECT_EQ(Feed({}, row.text, 1).code, row.want) << row.name << ", byte by byte";
  }
}

TEST(RequestParser, TakesNoBareNewlines) {
  const std::string text = "GET / HTTP/1.1\nHost: a\n\n";
  EXPECT_EQ(Feed({}, text, 4096).code, "HTTP_VERSION");
  EXPECT_EQ(Feed({}, text, 1).code, "more");
}

TEST(RequestParser, BoundsHeaderAndBody) {
  HttpOptions options;
  options.header_bytes_max = 256;
  options.body_bytes_max = 10;
  const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\n";
  std::string many_fields = head;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&many_fields, "a", i, ": b\r\n");
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  struct Row {
    const char* name;
    std::string text;
    const char* want;
  };
  for (const Row& row : {
           Row{"long target", "GET /" + std::string(400, 'a'), "HEADER_TOO_LARGE"},
           Row{"long field", head + "a: " + std::string(400, 'b'), "HEADER_TOO_LARGE"},
           Row{"many fields", many_fields, "HEADER_TOO_LARGE"},
           Row{"body", head + "Content-Length: 11\r\n\r\n", "TOO_LARGE"},
           Row{"one chunk", chunked + "b\r\nhello", "TOO_LARGE"},
           Row{"chunks", chunked + "6\r\n123456\r\n5\r\n", "TOO_LARGE"},
           Row{"chunk extension", chunked + "1;a=" + std::string(400, 'b'), "INVALID_REQUEST"},
           Row{"trailer", chunked + "0\r\na: " + std::string(400, 'b'), "INVALID_REQUEST"},
           Row{"quoted extension", chunked + "a;a=\"b\"\r\n0123456789\r\n0;c=\"d\"\r\n\r\n",
               "done"},
           Row{"just fits", head + "Content-Length: 10\r\n\r\n0123456789", "done"},
       }) {
    EXPECT_EQ(Feed(options, row.text, 4096).code, row.want) << row.name;
    EXPECT_EQ(Feed(options, row.text, 1).code, row.want) << row.name << ", byte by byte";
  }
}

// Whatever comes, in whatever pieces: an outcome, and no more than the limits held.
TEST(RequestParser, SurvivesDamage) {
  HttpOptions options;
  options.header_bytes_max = 512;
  options.body_bytes_max = 64;
  const std::string sources[] = {
      "PUT /api/v1/kv/a?b=%41 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\n123"
      "\r\n0\r\nA: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n"};
  const std::string alphabet("\r\n :;0159afGHTP/,\t\x00\xff", 20);
  Rng rng(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = sources[rng.Below(3)];
    for (uint64_t damage = rng.Below(4); damage > 0; --damage) {
      const size_t at = rng.Below(text.size());
      const char byte = alphabet[rng.Below(alphabet.size())];
      switch (rng.Below(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1);
      }
    }
    const size_t piece = 1 + rng.Below(text.size());
    EXPECT_LE(Feed(options, text, piece).request.body.size(), options.body_bytes_max);
  }
}

TEST(RequestParser, WantsMoreOfWhatIsCutShort) {
  const std::string text = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  for (size_t length = 1; length < text.size(); ++length) {
    EXPECT_EQ(Feed({}, absl::string_view(text).substr(0, length), 7).code, "more") << length;
  }
}

}  // namespace
}  // namespace lockstep::net::http
