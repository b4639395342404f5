// Access files of lockstepd. Any text gives a policy or one line that says what is wrong; a policy
// lets nobody in who is not in it.
#include <string>

#include "core/base/check.h"
#include "fuzz/support/one_line.h"
#include "net/access/access_policy.h"
#include "net/access/guard.h"

namespace lockstep::fuzz {
namespace {

void RunAccessFile(absl::string_view text) {
  const std::string token = net::TokenIn(text);
  CheckLe(token.size(), text.size());
  const auto policy = net::AccessPolicy::Parse(text);
  if (!policy.ok()) {
    Check(policy.status().code() == absl::StatusCode::kInvalidArgument);
    return CheckOneLine(policy.status().message());
  }
  const net::Guard guard(*policy);
  const net::Need need{.role = net::Role::kRead, .keys = {"key"}};
  const net::Caller stranger{.token_digest = net::TokenDigest("a token that no input knows")};
  Check(absl::IsUnauthenticated(guard.Judge(stranger, need)));
  const net::Principal* const anonymous = (*policy)->Anonymous();
  const absl::Status nobody = guard.Judge(net::Caller(), need);
  if (anonymous == nullptr) Check(absl::IsUnauthenticated(nobody));
  if (nobody.ok()) Check(anonymous->role >= net::Role::kRead);
  if (!nobody.ok()) CheckOneLine(nobody.message());
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunAccessFile({reinterpret_cast<const char*>(data), size});
  return 0;
}
