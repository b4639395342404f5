#include "net/http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/check.h"
#include "net/http/failure.h"

namespace lockstep::net::http {
namespace {

namespace beast = boost::beast;
using Error = beast::http::error;

std::string Copy(beast::string_view text) { return std::string(text.data(), text.size()); }

// Bodies are grown by what has arrived, not by what a header promises, up to here.
constexpr size_t kReserveBytes = size_t{1} << 20;

constexpr size_t kLastChunkBytes = 5;  // "0\r\n\r\n"

// Whether all of a chunk's header is there, and if it is the last chunk, of the trailer. If Beast
// still wants more, it looks for the end of a quoted extension behind the end of the line.
bool HasWholeChunkHeader(absl::string_view waiting) {
  absl::ConsumePrefix(&waiting, "\r\n");  // Of the chunk before.
  const size_t behind_zeros = std::min(waiting.find_first_not_of('0'), waiting.size());
  const bool last = behind_zeros > 0 && behind_zeros < waiting.size() &&
                    !absl::ascii_isxdigit(static_cast<unsigned char>(waiting[behind_zeros]));
  return absl::StrContains(waiting, last ? "\r\n\r\n" : "\r\n");
}

}  // namespace

class RequestParser::Impl final : public beast::http::basic_parser<true> {
 public:
  explicit Impl(const HttpOptions& options) : options_(options) {
    header_limit(options.header_bytes_max);
    body_limit(options.body_bytes_max);
  }

  absl::StatusOr<size_t> Feed(absl::string_view data);
  // What Beast lets pass.
  absl::Status CheckHeader() const;
  absl::Status Explain(const beast::error_code& error) const;

  const HttpOptions& options_;
  Request request_;
  int version_ = 0;
  size_t header_bytes_ = 0;

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, beast::error_code&) override {
    request_.method = MethodNamed({method.data(), method.size()});
    request_.target_text = Copy(target);
    version_ = version;
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     beast::error_code&) override {
    if (is_header_done())
      return;  // A trailer: what is behind the body does not change the request.
    request_.fields.emplace_back(Copy(name), Copy(value));
  }
  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  size_t on_body_impl(beast::string_view body, beast::error_code&) override { return Append(body); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code&) override {
    return Append(body);
  }
  void on_finish_impl(beast::error_code&) override {}

  size_t Append(beast::string_view bytes) {
    const boost::optional<std::uint64_t> length = content_length();
    if (length.has_value() && request_.body.size() + bytes.size() > kReserveBytes) {
      request_.body.reserve(*length);
    }
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
};

absl::Status RequestParser::Impl::Explain(const beast::error_code& error) const {
  if (error == Error::header_limit) {
    return Refuse("HEADER_TOO_LARGE", absl::StrCat("the header exceeds header_bytes_max (",
                                                   options_.header_bytes_max, " bytes)"));
  }
  if (error == Error::body_limit) {
    return Refuse("TOO_LARGE", absl::StrCat("the body exceeds body_bytes_max (",
                                            options_.body_bytes_max, " bytes)"));
  }
  if (error == Error::bad_version) {
    return Refuse("HTTP_VERSION", "only HTTP/1.0 and HTTP/1.1 are spoken here");
  }
  return Refuse("INVALID_REQUEST", absl::StrCat("not an HTTP request: ", error.message()));
}

absl::Status RequestParser::Impl::CheckHeader() const {
  // Once: another reader might take two fields for a list, and the body for something else.
  bool encoded = false;
  for (const auto& [name, value] : request_.fields) {
    if (!absl::EqualsIgnoreCase(name, "Transfer-Encoding")) continue;
    if (encoded || !absl::EqualsIgnoreCase(value, "chunked")) {
      return Refuse("INVALID_REQUEST", "the only Transfer-Encoding taken is chunked");
    }
    encoded = true;
  }
  const auto hosts =
      std::count_if(request_.fields.begin(), request_.fields.end(),
                    [](const auto& field) { return absl::EqualsIgnoreCase(field.first, "Host"); });
  if (hosts > 1 || (hosts == 0 && version_ > 10)) {
    return Refuse("INVALID_REQUEST", "an HTTP/1.1 request has one Host field");
  }
  const std::string* expect = request_.Find("Expect");
  if (expect != nullptr && !absl::EqualsIgnoreCase(*expect, "100-continue")) {
    return Refuse("EXPECTATION_FAILED", "the only Expect taken is 100-continue");
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> RequestParser::Impl::Feed(absl::string_view data) {
  if (!got_some() && absl::StartsWith(data, "\r\n")) return 2;  // After a body (RFC 9112 §2.2).
  if (!got_some() && data == "\r") return 0;
  const bool in_header = !is_header_done();
  // Beast asserts that it is never shown less than a whole last chunk twice. Nor can there be less.
  if (!in_header && chunked() && data.size() < kLastChunkBytes) return 0;
  beast::error_code error;
  const size_t used = put(boost::asio::const_buffer(data.data(), data.size()), error);
  if (in_header) header_bytes_ += used;
  if (error && error != Error::need_more) return Explain(error);
  // Beast's own limit begins anew with each field.
  const size_t waiting = error == Error::need_more ? data.size() - used : 0;
  if (in_header && header_bytes_ + (is_header_done() ? 0 : waiting) > options_.header_bytes_max) {
    return Explain(Error::header_limit);
  }
  if (!in_header && waiting > options_.header_bytes_max) {
    return Refuse("INVALID_REQUEST", "a chunk's header or the trailer is too long");
  }
  if (!in_header && HasWholeChunkHeader(data.substr(data.size() - waiting))) {
    return Refuse("INVALID_REQUEST", "a chunk's extension does not end on its line");
  }
  if (in_header && is_header_done()) {
    if (absl::Status s = CheckHeader(); !s.ok()) return s;
    request_.keep_alive = keep_alive();
  }
  return used;
}

RequestParser::RequestParser(const HttpOptions& options) : impl_(std::make_unique<Impl>(options)) {}
RequestParser::~RequestParser() = default;

absl::StatusOr<size_t> RequestParser::Feed(absl::string_view data) {
  Check(!done());
  Check(!data.empty());
  return impl_->Feed(data);
}

bool RequestParser::got_some() const { return impl_->got_some(); }
bool RequestParser::header_done() const { return impl_->is_header_done(); }
bool RequestParser::done() const { return impl_->is_done(); }

std::optional<uint64_t> RequestParser::content_length() const {
  const boost::optional<std::uint64_t> length = impl_->content_length();
  if (!length.has_value()) return std::nullopt;
  return *length;
}

bool RequestParser::expects_continue() const {
  return !done() && impl_->version_ > 10 && impl_->request_.Find("Expect") != nullptr;
}

const Request& RequestParser::request() const { return impl_->request_; }
uint64_t RequestParser::body_bytes() const { return impl_->request_.body.size(); }

Request RequestParser::Take() {
  Check(done());
  return std::move(impl_->request_);
}

}  // namespace lockstep::net::http
