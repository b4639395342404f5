// Everything of the client library that speaks gRPC: streams to nodes, calls to servers, and the
// one queue of events (a grpc::CompletionQueue) that drives the library's thread.
//
// What is handed over for a node waits until Flush, and while a message to it is being written
// the next one grows. Each piece is handed to gRPC at most once, and retries of gRPC's own are off.
//
// One thread alone may use it, but for Wake.
#ifndef LOCKSTEP_NET_CLIENT_CARRIER_H_
#define LOCKSTEP_NET_CLIENT_CARRIER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "net/client/store_types.h"

namespace grpc {
class Alarm;
class Channel;
class CompletionQueue;
}  // namespace grpc

namespace lockstep::client {

class Link;
class ServerCall;

// The time that Instants of this library are in: since the machine's start.
Instant Now();
// When so much time has passed; as good as never for what is longer than a lifetime.
Instant After(Duration span);

struct CarrierOptions {
  Duration connect_timeout = std::chrono::seconds(2);
  Duration reconnect_max = std::chrono::milliseconds(500);  // between two attempts
  uint64_t queued_bytes_max = uint64_t{256} << 20;          // of each node, not yet handed to gRPC
  size_t awaited_max = 8192;  // answers awaited of each node; the oldest are forgotten beyond
  Credentials credentials = {};
};

// What happens on the streams. Called within Carrier::Poll and Carrier::Stop.
class CarrierListener {
 public:
  virtual ~CarrierListener() = default;
  virtual void OnAnswer(uint64_t id, absl::string_view reply) = 0;
  // The stream has ended: no answer will come to any of these.
  struct Lost {
    NodeId node;
    std::vector<uint64_t> undelivered;  // were certainly never written
    std::vector<uint64_t> unanswered;   // may have arrived
  };
  virtual void OnLost(const Lost& lost) = 0;
};

// How a call to a server ended.
struct CallEnd {
  absl::Status status;  // with the server's Failure as payload, if it sent one
  Bytes response;
  bool sent = false;  // false: it certainly never left, for there was no connection
};

// Something that the queue of events can report; its address is the tag.
class CarrierEvent {
 public:
  virtual ~CarrierEvent() = default;
  virtual void Happened(bool ok) = 0;
};

class Carrier {
 public:
  Carrier(const CarrierOptions& options, CarrierListener* listener);
  // REQUIRES: Stop.
  ~Carrier();
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  // Where a node listens. A stream to another address of it ends.
  void SetAddress(NodeId node, const std::string& address);
  // False: it goes nowhere, since nobody knows the node or too much waits for it already.
  bool Carry(NodeId node, uint64_t id, Bytes request);
  // Writes what waits, where no write is under way, and listens for answers. Due before each Poll.
  void Flush();
  // Nothing waits to be written, and no answer is awaited.
  bool quiet() const;

  // One call, `method` as in "/lockstep.v1.Cluster/Status". `done` is called once, within Poll or
  // Stop.
  void Call(const std::string& server, const std::string& method, Bytes request, Duration timeout,
            absl::AnyInvocable<void(CallEnd)> done);

  // Waits for one event until then at most, and deals with it. True if there was one.
  bool Poll(Instant until);
  // Makes a Poll return. Any thread; at most once until Poll has seen it (woken).
  void Wake();
  // Whether a Wake has come; forgets it.
  bool TakeWoken();

  // Ends all streams and calls and waits until nothing is under way.
  void Stop();

 private:
  friend class Link;
  friend class ServerCall;
  class AlarmEvent final : public CarrierEvent {
   public:
    void Happened(bool /*ok*/) override { rang = true; }
    bool rang = false;
  };

  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address);
  void Bury();  // what has ended

  const CarrierOptions options_;
  CarrierListener* const listener_;
  const std::unique_ptr<grpc::CompletionQueue> queue_;
  const std::unique_ptr<grpc::Alarm> alarm_;
  AlarmEvent alarm_event_;
  absl::btree_map<std::string, std::shared_ptr<grpc::Channel>> channels_;
  absl::btree_map<NodeId, std::string> addresses_;
  absl::btree_map<NodeId, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> leaving_;
  std::vector<std::unique_ptr<ServerCall>> calls_;
  bool stopping_ = false;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_CARRIER_H_
