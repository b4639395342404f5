// The readable trace of the world, which costs one test when nobody listens.
#ifndef LOCKSTEP_SIM_WORLD_TRACER_H_
#define LOCKSTEP_SIM_WORLD_TRACER_H_

#include <string>
#include <utility>

#include "core/base/types.h"
#include "sim/trace/trace.h"
#include "sim/world/timeline.h"

namespace lockstep::sim {

class Tracer {
 public:
  // `sink` may be nullptr.
  Tracer(const Timeline& timeline, TraceSink* sink) : timeline_(timeline), sink_(sink) {}

  bool on() const { return sink_ != nullptr; }
  // `text()` is called only when somebody listens. Actor 0 is the world.
  template <class Text>
  void Add(TraceKind kind, uint16_t actor, uint16_t peer, Text&& text) const {
    if (sink_ == nullptr) return;
    sink_->Add({.number = timeline_.number(),
                .cause = timeline_.cause(),
                .time = timeline_.instant(),
                .node = NodeId(actor),
                .peer = NodeId(peer),
                .kind = kind,
                .text = text()});
  }

 private:
  const Timeline& timeline_;
  TraceSink* sink_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_TRACER_H_
