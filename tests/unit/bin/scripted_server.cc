#include "tests/unit/bin/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep {
namespace {

std::string AnswerText() {
  constexpr absl::string_view kBody = R"({"success":true,"data":{"version":1,"replayed":false}})";
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", kBody.size(), "\r\n\r\n", kBody);
}

}  // namespace

ScriptedServer::ScriptedServer(std::vector<Step> steps, Listening listening)
    : steps_(std::move(steps)) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CheckEq(bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0);
  socklen_t length = sizeof(at);
  CheckEq(getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &length), 0);
  address_ = absl::StrCat("127.0.0.1:", ntohs(at.sin_port));
  if (listening == Listening::kNo) return;
  CheckEq(listen(listener_, 16), 0);
  thread_ = std::thread([this] { Run(); });
}

ScriptedServer::~ScriptedServer() {
  stopped_ = true;
  shutdown(listener_, SHUT_RDWR);
  if (const int connection = connection_; connection >= 0) shutdown(connection, SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  close(listener_);
}

void ScriptedServer::Run() {
  while (!stopped_) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    connection_ = connection;
    Serve(connection);
    connection_ = -1;
    close(connection);
  }
}

void ScriptedServer::Serve(int connection) {
  std::string received;
  while (!stopped_ && ReceiveRequest(connection, &received)) {
    const size_t number = requests_++;
    const Step step = number < steps_.size() ? steps_[number] : Step::kAnswer;
    if (step == Step::kDie) {
      stopped_ = true;
      shutdown(listener_, SHUT_RDWR);
    }
    if (step == Step::kHangUp || step == Step::kDie) return;
    if (step == Step::kSilence) continue;
    const std::string answer = AnswerText();
    if (send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  }
}

// One request with a Content-Length, or none.
bool ScriptedServer::ReceiveRequest(int connection, std::string* received) {
  char buffer[4096];
  while (true) {
    const size_t end = received->find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::string name = "Content-Length: ";
      const size_t field = received->find(name);
      size_t length = 0;
      if (field < end) {
        const size_t from = field + name.size();
        Check(absl::SimpleAtoi(received->substr(from, received->find('\r', from) - from), &length));
      }
      if (received->size() >= end + 4 + length) {
        received->erase(0, end + 4 + length);
        return true;
      }
    }
    const ssize_t bytes = recv(connection, buffer, sizeof(buffer), 0);
    if (bytes <= 0) return false;
    received->append(buffer, static_cast<size_t>(bytes));
  }
}

}  // namespace lockstep
