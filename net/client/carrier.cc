#include "net/client/carrier.h"

#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/check.h"
#include "net/client/exchange.h"
#include "net/client/grpc_library.h"
#include "net/client/grpc_time.h"
#include "net/client/link.h"
#include "net/client/server_call.h"

namespace lockstep::client {
namespace {

// Channels kept for addresses; more are made anew when they are needed again.
constexpr size_t kChannelsMax = 1024;

int Milliseconds(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// Retries are the router's: gRPC's own would deliver twice, and keep a copy of everything for it.
grpc::ChannelArguments Arguments(const CarrierOptions& options) {
  using std::chrono::milliseconds;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(net::kMessageBytesMax));
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(options.reconnect_max));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Milliseconds(options.connect_timeout));
  // A connection whose other end has vanished is noticed although nothing is written.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // as often as need be
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetServiceConfigJSON("{}");
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const Credentials& credentials) {
  if (credentials.authorities.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = credentials.authorities;
  options.pem_cert_chain = credentials.certificate;
  options.pem_private_key = credentials.key;
  return grpc::SslCredentials(options);
}

}  // namespace

Instant Now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Instant(std::chrono::duration_cast<Duration>(since));
}

Instant After(Duration span) {
  constexpr std::chrono::hours kLifetime{24 * 365 * 100};
  return Now() + std::min<Duration>(span, kLifetime);
}

Carrier::Carrier(const CarrierOptions& options, CarrierListener* listener)
    : options_(options),
      listener_(listener),
      queue_(std::make_unique<grpc::CompletionQueue>()),
      alarm_(std::make_unique<grpc::Alarm>()) {
  KeepGrpc();
}

Carrier::~Carrier() { Check(stopping_, "a carrier must be stopped"); }

std::shared_ptr<grpc::Channel> Carrier::ChannelTo(const std::string& address) {
  const auto found = channels_.find(address);
  if (found != channels_.end()) return found->second;
  if (channels_.size() >= kChannelsMax) channels_.clear();  // streams keep what they use
  return channels_[address] = grpc::CreateCustomChannel(
             address, ChannelCredentials(options_.credentials), Arguments(options_));
}

void Carrier::SetAddress(NodeId node, const std::string& address) {
  std::string& known = addresses_[node];
  if (known == address) return;
  known = address;
  const auto link = links_.find(node);
  if (link != links_.end()) link->second->Cancel();
}

bool Carrier::Carry(NodeId node, uint64_t id, Bytes request) {
  const auto address = addresses_.find(node);
  if (address == addresses_.end() || stopping_) return false;
  std::unique_ptr<Link>& link = links_[node];
  if (link != nullptr && link->ending()) leaving_.push_back(std::move(link));
  if (link == nullptr) {
    link = std::make_unique<Link>(node, ChannelTo(address->second), queue_.get(), &options_,
                                  listener_);
  }
  return link->Queue(id, std::move(request));
}

void Carrier::Flush() {
  for (const auto& [node, link] : links_) link->Flush();
}

bool Carrier::quiet() const {
  return std::all_of(links_.begin(), links_.end(),
                     [](const auto& link) { return link.second->quiet(); });
}

void Carrier::Call(const std::string& server, const std::string& method, Bytes request,
                   Duration timeout, absl::AnyInvocable<void(CallEnd)> done) {
  if (stopping_) {
    return done({.status = absl::CancelledError("the store was closed"), .response = {}});
  }
  const Instant now = Now();
  calls_.push_back(std::make_unique<ServerCall>(
      ServerCall::What{.server = server,
                       .method = method,
                       .request = std::move(request),
                       .token = options_.credentials.token,
                       .tls = !options_.credentials.authorities.empty(),
                       .connect_by = now + options_.connect_timeout,
                       .deadline = now + timeout},
      ChannelTo(server), queue_.get(), std::move(done)));
}

bool Carrier::Poll(Instant until) {
  void* tag = nullptr;
  bool ok = false;
  const auto what = queue_->AsyncNext(&tag, &ok, ToGrpc(until));
  if (what != grpc::CompletionQueue::GOT_EVENT) return false;
  static_cast<CarrierEvent*>(tag)->Happened(ok);
  Bury();
  return true;
}

void Carrier::Bury() {
  std::erase_if(leaving_, [](const auto& link) { return link->ended(); });
  std::erase_if(calls_, [](const auto& call) { return call->ended(); });
  absl::erase_if(links_, [](const auto& link) { return link.second->ended(); });
}

void Carrier::Wake() { alarm_->Set(queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC), &alarm_event_); }

bool Carrier::TakeWoken() { return std::exchange(alarm_event_.rang, false); }

void Carrier::Stop() {
  stopping_ = true;
  for (const auto& [node, link] : links_) link->Cancel();
  for (const auto& link : leaving_) link->Cancel();
  for (const auto& call : calls_) call->Cancel();
  while (!links_.empty() || !leaving_.empty() || !calls_.empty()) Poll(kNever);
  queue_->Shutdown();
  while (Poll(kNever)) {
  }
}

}  // namespace lockstep::client
