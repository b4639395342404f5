#include "tests/unit/net/http_raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"

namespace lockstep::net::http_test {
namespace {

constexpr time_t kPatienceSeconds = 120;
constexpr size_t kReadBytes = size_t{256} << 10;

}  // namespace

std::string Answer::Field(absl::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

http::Json Answer::Json() const {
  http::Json json = http::Json::parse(body, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? http::Json() : json;
}

std::string Answer::Code() const {
  const http::Json json = Json();
  return json.is_object() && json.contains("code") ? json["code"].get<std::string>() : "";
}

RawClient::RawClient(const std::string& address) {
  const std::vector<std::string> parts = absl::StrSplit(address, ':');
  int port = 0;
  Check(absl::SimpleAtoi(parts[1], &port));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  CheckEq(inet_pton(AF_INET, parts[0].c_str(), &to.sin_addr), 1);
  socket_ = socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience = {.tv_sec = kPatienceSeconds, .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  // A head and a body are two sends: without it the second waits for an acknowledgement.
  const int no_delay = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay));
  CheckEq(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
}

RawClient::~RawClient() { close(socket_); }

bool RawClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawClient::Receive() {
  std::string buffer(kReadBytes, '\0');
  const ssize_t bytes = recv(socket_, buffer.data(), buffer.size(), 0);
  if (bytes <= 0) return false;
  received_.append(buffer.data(), static_cast<size_t>(bytes));
  return true;
}

Answer RawClient::Read(bool has_body) {
  while (!absl::StrContains(received_, "\r\n\r\n")) {
    if (!Receive()) return {};
  }
  const size_t end = received_.find("\r\n\r\n");
  const std::vector<std::string> lines = absl::StrSplit(received_.substr(0, end), "\r\n");
  Answer answer;
  Check(absl::SimpleAtoi(lines[0].substr(lines[0].find(' ') + 1, 3), &answer.status));
  for (size_t i = 1; i < lines.size(); ++i) {
    answer.fields.emplace_back(absl::StrSplit(lines[i], absl::MaxSplits(": ", 1)));
  }
  received_.erase(0, end + 4);
  size_t length = 0;
  if (!has_body || !absl::SimpleAtoi(answer.Field("Content-Length"), &length)) return answer;
  while (received_.size() < length) {
    if (!Receive()) return {};
  }
  answer.body = received_.substr(0, length);
  received_.erase(0, length);
  return answer;
}

std::string RawClient::ReadUntil(absl::string_view end) {
  while (!absl::StrContains(received_, end)) {
    if (!Receive()) return "";
  }
  std::string text = received_.substr(0, received_.find(std::string(end)) + end.size());
  received_.erase(0, text.size());
  return text;
}

bool RawClient::IsClosed() {
  std::string buffer(kReadBytes, '\0');
  ssize_t bytes = 0;
  do {
    bytes = recv(socket_, buffer.data(), buffer.size(), 0);
  } while (bytes > 0);
  return bytes == 0 || errno == ECONNRESET;
}

Answer RawClient::Ask(absl::string_view method, absl::string_view target, absl::string_view body,
                      absl::string_view fields) {
  Send(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: localhost\r\nContent-Length: ",
                    body.size(), "\r\n", fields, "\r\n"));
  Send(body);
  return Read(method != "HEAD");
}

}  // namespace lockstep::net::http_test
