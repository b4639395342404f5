#include "sim/framework/sequential_client.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::sim {

bool SequentialClient::AllMade() const {
  return finishing_ ? served_finally_ >= options_.final_calls : made_ >= options_.calls;
}

bool SequentialClient::Done() const { return !calling_ && AllMade(); }

void SequentialClient::Think() {
  if (AllMade()) return port_.WakeAt(kNever);
  port_.WakeAt(port_.Now() + rng_.Between(Duration(0), options_.think_max));
}

void SequentialClient::OnWake() {
  if (calling_) {
    calling_ = false;
    OnSilence();
    return Think();
  }
  Call call = NextCall();
  calling_ = true;
  ++attempt_;
  ++made_;
  text_ = std::move(call.text);
  port_.SendRequest(call.server, attempt_, std::move(call.request));
  port_.WakeAt(port_.Now() + options_.patience);
}

void SequentialClient::OnReply(uint64_t attempt, const Bytes& reply) {
  if (!calling_ || attempt != attempt_) return;
  calling_ = false;
  const bool served = OnAnswer(reply);
  if (served && finishing_) ++served_finally_;
  Think();
}

void SequentialClient::Finish() {
  finishing_ = true;
  if (!calling_) Think();
}

std::string SequentialClient::WaitingFor() const {
  if (Done()) return "";
  if (calling_) return absl::StrCat("an answer to ", text_);
  return absl::StrCat(options_.final_calls - served_finally_, " more calls to be served");
}

}  // namespace lockstep::sim
