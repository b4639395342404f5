// A net::Service for tests of the HTTP front: a map in memory that answers what a gateway is asked.
//
// Sessions are kept, so that a repeated sequence number is answered from the stored reply. Nothing
// here fails by itself: a test plants what should go wrong.
#ifndef LOCKSTEP_TESTS_UNIT_NET_HTTP_FAKE_SERVICE_H_
#define LOCKSTEP_TESTS_UNIT_NET_HTTP_FAKE_SERVICE_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/proto/gateway.pb.h"
#include "net/service.h"

namespace lockstep::net::http_test {

// The map, for one thread.
class FakeStore {
 public:
  // An encoded GatewayRequest or ClientRequest, and its encoded reply.
  Bytes Answer(const Bytes& request);

  std::map<std::string, std::string> pairs;
  lockstep::v1::NodeStatus node;
  lockstep::v1::StatusResponse cluster;
  // Given instead of the next answer to a GatewayRequest.
  std::optional<proto::GatewayReply> planted;
  // The last one that was asked.
  proto::GatewayRequest last;
  uint64_t asked = 0;

 private:
  proto::GatewayReply AnswerGateway(const proto::GatewayRequest& request);
  proto::Result Command(const proto::Command& command);
  proto::Result Execute(const proto::Command& command);
  bool Write(const proto::BatchOperation& operation, proto::Result* result);
  proto::Result Query(const proto::Query& query) const;
  void List(const proto::List& list, proto::Result* result) const;

  uint64_t version_ = 0;
  std::map<std::pair<uint64_t, uint64_t>, proto::Result> stored_;  // by session and sequence
};

// Answers on a thread of its own, as a node's loop thread does.
class FakeService final : public Service {
 public:
  FakeService();
  ~FakeService() override;

  void Call(Bytes request, Done done) override;
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override;

  // The store, when no call is being answered.
  void With(const std::function<void(FakeStore&)>& look);
  // From now on calls are kept and not answered, until Release or for ever.
  void Hold();
  void Release();
  // Waits until that many calls are held.
  void AwaitHeld(size_t calls);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<Bytes, Done>> calls_;
  bool holding_ = false;
  bool stopped_ = false;
  FakeStore store_;
  std::thread thread_;
};

}  // namespace lockstep::net::http_test

#endif  // LOCKSTEP_TESTS_UNIT_NET_HTTP_FAKE_SERVICE_H_
