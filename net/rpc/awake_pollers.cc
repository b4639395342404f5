#include "net/rpc/awake_pollers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace lockstep::net {
namespace {

// Without credentials every call on it fails, before it goes anywhere.
std::shared_ptr<grpc::Channel> LameChannel() { return grpc::CreateChannel("nowhere", nullptr); }

grpc::ByteBuffer Empty() {
  const grpc::Slice nothing;
  return {&nothing, 1};
}

}  // namespace

AwakePollers::AwakePollers(std::chrono::milliseconds period)
    : period_(period), nowhere_(LameChannel()), request_(Empty()), thread_([this] { Run(); }) {}

AwakePollers::~AwakePollers() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

uint64_t AwakePollers::awoken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return awoken_;
}

void AwakePollers::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, period_, [this] { return stopping_; })) {
    calling_ = true;
    lock.unlock();
    Call();
    lock.lock();
    changed_.wait(lock, [this] { return !calling_; });
  }
}

void AwakePollers::Call() {
  context_ = std::make_unique<grpc::ClientContext>();
  nowhere_.UnaryCall(context_.get(), "/lockstep.Nowhere/Awake", grpc::StubOptions(), &request_,
                     &response_, [this](const grpc::Status&) {
                       const std::lock_guard<std::mutex> lock(mutex_);
                       ++awoken_;
                       calling_ = false;
                       changed_.notify_all();
                     });
}

}  // namespace lockstep::net
