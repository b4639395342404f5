#include "net/http/response_head.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>

namespace lockstep::net::http {
namespace {

namespace beast = boost::beast;

// A value of ours never holds one, but a header must not be split by what a client sent.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return text;
}

beast::string_view View(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string MakeHead(const Response& response, AfterAnswer after, absl::string_view date) {
  using Field = beast::http::field;
  beast::http::response<beast::http::empty_body> head;
  head.version(11);
  head.result(static_cast<unsigned>(response.status));
  head.set(Field::date, View(date));
  head.set(Field::server, "lockstep");
  if (after == AfterAnswer::kClose) head.set(Field::connection, "close");
  for (const auto& [name, value] : response.fields) head.insert(name, OneLine(value));
  if (response.status != 204 && response.status != 304) {
    head.set(Field::content_type, OneLine(response.content_type));
    if (!response.is_stream) head.content_length(response.body.size());
  }
  beast::http::serializer<false, beast::http::empty_body> serializer(head);
  beast::error_code error;
  std::string text;
  while (!serializer.is_done() && !error) {
    serializer.next(error, [&](beast::error_code&, const auto& buffers) {
      text += beast::buffers_to_string(buffers);
      serializer.consume(beast::buffer_bytes(buffers));
    });
  }
  return text;
}

}  // namespace lockstep::net::http
