#include "bin/lockstepd_departure.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>
#include <future>
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "core/proto/client.pb.h"

namespace lockstep::lockstepd {
namespace {

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

Bytes Encode(const proto::ClientRequest& request) {
  return Bytes::Copy(request.SerializeAsString());
}

// Empty: no answer in time.
lockstep::v1::NodeStatus AskStatus(net::Service& service, std::chrono::milliseconds patience) {
  proto::ClientRequest request;
  request.mutable_get_node_status();
  auto answer = std::make_shared<std::promise<Bytes>>();
  std::future<Bytes> arrived = answer->get_future();
  service.Call(Encode(request), [answer](Bytes reply) { answer->set_value(std::move(reply)); });
  if (arrived.wait_for(patience) != std::future_status::ready) return {};
  const Bytes bytes = arrived.get();
  proto::ClientReply reply;
  reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  return reply.node_status();
}

}  // namespace

void BlockSignals() {
  const sigset_t set = Watched();
  CheckEq(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  signal(SIGPIPE, SIG_IGN);
}

bool StopAsked() {
  sigset_t pending;
  CheckEq(sigpending(&pending), 0);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

SignalWatch::SignalWatch(std::function<void(int signal)> leave) : leave_(std::move(leave)) {
  const sigset_t set = Watched();
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  stop_ = eventfd(0, EFD_CLOEXEC);
  CheckLe(0, signals_);
  CheckLe(0, stop_);
  thread_ = std::thread([this] { Run(); });
}

SignalWatch::~SignalWatch() {
  const uint64_t one = 1;
  CheckEq(write(stop_, &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  thread_.join();
  close(signals_);
  close(stop_);
}

void SignalWatch::Run() {
  std::thread leaving;
  while (true) {
    pollfd ready[] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) break;
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) continue;
    if (leaving.joinable()) _exit(130);
    const int number = static_cast<int>(info.ssi_signo);
    leaving = std::thread([this, number] { leave_(number); });
  }
  if (leaving.joinable()) leaving.join();
}

void HandOverLeaders(net::Service& service, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{10};
  constexpr int kAskAgainAfter = 30;  // pauses: an election that came to nothing
  const auto end = std::chrono::steady_clock::now() + patience;
  for (int round = 0; std::chrono::steady_clock::now() < end; ++round) {
    bool leads = false;
    const lockstep::v1::NodeStatus status = AskStatus(service, patience);
    for (const auto& replica : status.replicas()) {
      if (replica.role() != lockstep::v1::LEADER || replica.members_size() < 2) continue;
      leads = true;
      if (round % kAskAgainAfter != 0) continue;
      proto::ClientRequest request;
      request.set_group(replica.group());
      request.mutable_transfer_leadership();
      service.Call(Encode(request), [](Bytes) {});
    }
    if (!leads) return;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace lockstep::lockstepd
