// What comes in on an HTTP connection: requests, one behind the other. However the stream is cut,
// the same requests come out and the same verdict; limits hold; and whatever comes out is answered
// like any request.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "fuzz/support/http.h"
#include "fuzz/support/input.h"
#include "net/http/failure.h"
#include "net/http/request_parser.h"

namespace lockstep::fuzz {
namespace {

using net::HttpOptions;
using net::http::Request;
using net::http::RequestParser;

constexpr size_t kRequestsMax = 16;

struct Seen {
  std::vector<Request> requests;
  absl::Status refusal;
  bool header_done = false;  // of the one that is not complete
};

bool Same(const Request& a, const Request& b) {
  return a.method == b.method && a.target_text == b.target_text && a.fields == b.fields &&
         a.body == b.body && a.keep_alive == b.keep_alive;
}

void CheckLimits(const HttpOptions& options, const RequestParser& parser) {
  CheckLe(parser.body_bytes(), options.body_bytes_max);
  if (!parser.header_done()) return;
  uint64_t bytes = parser.request().target_text.size();
  for (const auto& [name, value] : parser.request().fields) bytes += name.size() + value.size();
  CheckLe(bytes, uint64_t{options.header_bytes_max});
  if (parser.content_length().has_value()) {
    CheckLe(*parser.content_length(), options.body_bytes_max);
  }
}

// As a connection does: what a parser leaves waits for more.
template <class NextPiece>
Seen Read(const HttpOptions& options, absl::string_view stream, NextPiece next_piece) {
  Seen seen;
  std::string pending;
  auto parser = std::make_unique<RequestParser>(options);
  while (!stream.empty()) {
    const size_t wanted = next_piece();
    const absl::string_view piece = stream.substr(0, wanted == 0 ? stream.size() : wanted);
    pending.append(piece.data(), piece.size());
    stream.remove_prefix(piece.size());
    while (!pending.empty()) {
      const absl::StatusOr<size_t> used = parser->Feed(pending);
      if (!used.ok()) {
        seen.refusal = used.status();
        return seen;
      }
      CheckLe(*used, pending.size());
      CheckLimits(options, *parser);
      pending.erase(0, *used);
      if (parser->done()) {
        seen.requests.push_back(parser->Take());
        if (seen.requests.size() == kRequestsMax) return seen;
        parser = std::make_unique<RequestParser>(options);
      } else if (*used == 0) {
        break;
      }
    }
  }
  seen.header_done = parser->header_done();
  return seen;
}

void CheckSame(const Seen& a, const Seen& b) {
  CheckEq(a.requests.size(), b.requests.size());
  for (size_t i = 0; i < a.requests.size(); ++i) Check(Same(a.requests[i], b.requests[i]));
  CheckEq(a.refusal.ok(), b.refusal.ok());
  CheckEq(a.header_done, b.header_done);
}

void CheckRefused(const absl::Status& refusal) {
  const net::http::Failure failure = net::http::FailureOf(refusal);
  CheckOneLine(failure.message);
  CheckOneLine(failure.code);
  Check(failure.effect == net::http::Effect::kNone);
  CheckResponse(net::http::ToResponse(failure));
}

void RunHttpStreams(Input input) {
  HttpOptions options;
  // Half of the limits are so low that an input can reach them.
  if (input.Flip()) {
    options.header_bytes_max = static_cast<uint32_t>(64 + input.Below(256));
    options.body_bytes_max = input.Below(64);
  } else {
    options.body_bytes_max = uint64_t{1} << 20;
  }
  Input cuts = input;
  // A header that came in pieces is looked at when it is complete, however wrong its beginning.
  const std::string stream = absl::StrCat(input.rest(), "\r\n\r\n");
  const Seen whole = Read(options, stream, [] { return size_t{0}; });
  CheckSame(whole, Read(options, stream, [&] { return size_t{cuts.Byte()} % 64; }));
  CheckSame(whole, Read(options, stream, [] { return size_t{1}; }));
  if (!whole.refusal.ok()) CheckRefused(whole.refusal);
  net::http_test::FakeStore store;
  store.pairs = {{"a", "1"}, {"b", "2"}};
  for (const Request& request : whole.requests) (void)RunExchange(options, request, store);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunHttpStreams(lockstep::fuzz::Input(data, size));
  return 0;
}
