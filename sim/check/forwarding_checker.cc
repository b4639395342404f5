#include "sim/check/forwarding_checker.h"

#include "absl/strings/str_cat.h"
#include "core/proto/node.pb.h"
#include "core/proto/wire.h"

namespace lockstep::sim {

void ForwardingChecker::OnSent(NodeId from, NodeId to, const Bytes& message) {
  wire::Reader reader(message.view());
  if (!reader.Next() || reader.field() != proto::NodeMessage::kForwardedReplyFieldNumber) return;
  Answer answer{.from = from, .to = to};
  wire::Reader inner(reader.text());
  bool taken = true;
  while (inner.Next()) {
    if (inner.field() == proto::ForwardedReply::kNotTakenFieldNumber) taken = inner.number() == 0;
    if (inner.field() == proto::ForwardedReply::kLifeFieldNumber) answer.life = inner.number();
    if (inner.field() == proto::ForwardedReply::kIdFieldNumber) answer.id = inner.number();
  }
  if (!taken || answered_.insert(answer).second) return;
  findings_.Report("At Most Once", absl::StrCat("server ", from.value(), " answered request ",
                                                answer.id, " of life ", answer.life, " of server ",
                                                to.value(), " twice, so it was executed twice"));
}

}  // namespace lockstep::sim
