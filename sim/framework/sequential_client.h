// A client that makes one call at a time: it thinks, calls a server, and waits until it is answered
// or has lost its patience. What to call, and what an answer means, is its heir's business.
#ifndef LOCKSTEP_SIM_FRAMEWORK_SEQUENTIAL_CLIENT_H_
#define LOCKSTEP_SIM_FRAMEWORK_SEQUENTIAL_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "sim/framework/system.h"
#include "sim/workload/sim_client.h"

namespace lockstep::sim {

// How much and how fast.
struct SequentialClientOptions {
  uint32_t calls = 50;                                  // made in the storm, at most
  uint32_t final_calls = 2;                             // to be served in the calm
  Duration think_max = std::chrono::milliseconds(200);  // between two calls
  Duration patience = std::chrono::milliseconds(500);   // for an answer
};

// See the file's beginning.
class SequentialClient : public Client {
 public:
  // `port` outlives the client.
  SequentialClient(const SequentialClientOptions& options, ClientPort& port, Rng rng)
      : options_(options), port_(port), rng_(rng) {}

  void Start() final { Think(); }
  void Finish() final;
  void OnReply(uint64_t attempt, const Bytes& reply) final;
  void OnWake() final;
  bool Done() const final;
  std::string WaitingFor() const final;

 protected:
  // What to ask whom.
  struct Call {
    NodeId server;
    Bytes request;     // as the server understands it
    std::string text;  // for people, should it never be served
  };
  // The next call. It is made now.
  virtual Call NextCall() = 0;
  // The call was answered. Returns whether it was served; a refusal is none, and the calm goes on
  // until options.final_calls were.
  virtual bool OnAnswer(const Bytes& reply) = 0;
  // Nobody answered in time: the call may have been executed, may be later, or never.
  virtual void OnSilence() = 0;

  // Virtual time.
  Instant Now() const { return port_.Now(); }
  Rng& rng() { return rng_; }                    // the client's chance
  bool finishing() const { return finishing_; }  // the storm is over

 private:
  bool AllMade() const;
  void Think();

  const SequentialClientOptions options_;
  ClientPort& port_;
  Rng rng_;
  uint64_t attempt_ = 0;  // the call's name; an answer to an earlier one comes too late
  bool calling_ = false;
  bool finishing_ = false;
  uint32_t made_ = 0;
  uint32_t served_finally_ = 0;
  std::string text_;  // of the call
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FRAMEWORK_SEQUENTIAL_CLIENT_H_
