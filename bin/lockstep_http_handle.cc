#include "bin/lockstep_http_handle.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "net/client/failure.h"

namespace lockstep::bin {
namespace {

using std::chrono::milliseconds;

constexpr size_t kAnswerBytesMax = size_t{512} << 20;
constexpr milliseconds kConnectMax{2000};

struct Global {
  Global() { CheckEq(static_cast<int>(curl_global_init(CURL_GLOBAL_DEFAULT)), 0); }
};
void InitOnce() { static const Global global; }

size_t TakeBody(char* data, size_t size, size_t count, void* answer) {
  std::string& body = static_cast<HttpAnswer*>(answer)->body;
  if (body.size() + size * count > kAnswerBytesMax) return 0;  // An error, to libcurl.
  body.append(data, size * count);
  return size * count;
}

// Called for each line of each head: that of "100 Continue" is forgotten when the next one begins.
size_t TakeField(char* data, size_t size, size_t count, void* answer) {
  auto& fields = static_cast<HttpAnswer*>(answer)->fields;
  const absl::string_view line(data, size * count);
  if (absl::StartsWith(line, "HTTP/")) fields.clear();
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(':', 1));
  const auto text = [](absl::string_view part) {
    return std::string(absl::StripAsciiWhitespace(part));
  };
  if (!parts.second.empty()) fields.emplace_back(text(parts.first), text(parts.second));
  return size * count;
}

size_t GiveBody(char* to, size_t size, size_t count, void* unsent) {
  auto& body = *static_cast<absl::string_view*>(unsent);
  const size_t bytes = std::min(size * count, body.size());
  std::memcpy(to, body.data(), bytes);
  body.remove_prefix(bytes);
  return bytes;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Fields = std::unique_ptr<curl_slist, FreeList>;

void Add(Fields* fields, const std::string& field) {
  fields->reset(curl_slist_append(fields->release(), field.c_str()));
}

}  // namespace

HttpHandle::HttpHandle(const client::Credentials& credentials)
    : credentials_(credentials), curl_((InitOnce(), curl_easy_init())) {
  Check(curl_ != nullptr);
}
HttpHandle::~HttpHandle() { curl_easy_cleanup(curl_); }

void HttpHandle::Prepare(const std::string& server, const HttpCall& call, Duration timeout) {
  curl_easy_reset(curl_);  // Keeps the connections.
  const bool tls = !credentials_.authorities.empty();
  const auto left = std::max(std::chrono::duration_cast<milliseconds>(timeout), milliseconds(1));
  curl_easy_setopt(curl_, CURLOPT_URL,
                   absl::StrCat(tls ? "https://" : "http://", server, call.target).c_str());
  curl_easy_setopt(curl_, CURLOPT_PATH_AS_IS, 1L);  // ".." is a key like any other.
  curl_easy_setopt(curl_, CURLOPT_PROXY, "");       // Nodes are reached directly.
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  if (tls) PrepareTls();
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(left, kConnectMax).count()));
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer_);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, &TakeField);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &answer_);
  if (call.method == "GET") return;
  // libcurl repeats by itself a request that got no answer over a connection it had used before. It
  // cannot if it is unable to rewind the body: so a write always has one, and it comes from a
  // function that only goes forward.
  Check(!call.body.empty());
  curl_easy_setopt(curl_, CURLOPT_POST, 1L);
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(curl_, CURLOPT_READFUNCTION, &GiveBody);
  curl_easy_setopt(curl_, CURLOPT_READDATA, &unsent_);
}

void HttpHandle::PrepareTls() {
  const auto give = [this](CURLoption option, const std::string& pem) {
    curl_blob blob = {
        .data = const_cast<char*>(pem.data()), .len = pem.size(), .flags = CURL_BLOB_NOCOPY};
    curl_easy_setopt(curl_, option, &blob);
  };
  give(CURLOPT_CAINFO_BLOB, credentials_.authorities);
  if (credentials_.certificate.empty()) return;
  give(CURLOPT_SSLCERT_BLOB, credentials_.certificate);
  give(CURLOPT_SSLKEY_BLOB, credentials_.key);
}

absl::StatusOr<HttpAnswer> HttpHandle::Perform(const std::string& server, const HttpCall& call,
                                               Duration timeout) {
  answer_ = HttpAnswer();
  unsent_ = call.body;
  error_[0] = '\0';
  Prepare(server, call, timeout);
  Fields fields;
  for (const std::string& field : call.fields) Add(&fields, field);
  if (!credentials_.token.empty()) {
    Add(&fields, absl::StrCat("Authorization: Bearer ", credentials_.token));
  }
  // The node gives up a little before we do, so that it is its answer we get.
  const auto patience = std::chrono::duration_cast<milliseconds>(timeout * 9 / 10);
  Add(&fields, absl::StrCat("Lockstep-Timeout-Ms: ", std::max<int64_t>(patience.count(), 1)));
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields.get());
  const CURLcode code = curl_easy_perform(curl_);
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, nullptr);
  if (code != CURLE_OK) return Explain(code, server, call);
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  return std::move(answer_);
}

absl::Status HttpHandle::Explain(CURLcode code, const std::string& server,
                                 const HttpCall& call) const {
  long request_bytes = 0;
  curl_easy_getinfo(curl_, CURLINFO_REQUEST_SIZE, &request_bytes);
  const bool nothing_sent =
      request_bytes == 0 || code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
  // A write has arrived only if all of its body was given to the kernel. libcurl's code does not
  // tell: after a connection that it had used before has died, it connects once more, and what it
  // reports then is that this failed, whatever became of the request on the first one.
  const bool none = call.kind == HttpCall::Kind::kRead || !unsent_.empty();
  const bool late = code == CURLE_OPERATION_TIMEDOUT && !nothing_sent;
  const absl::string_view why = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
  return client::FailureStatus(
      late ? absl::StatusCode::kDeadlineExceeded : absl::StatusCode::kUnavailable,
      none ? client::Effect::kNone : client::Effect::kUnknown, late ? "TIMEOUT" : "UNAVAILABLE",
      absl::StrCat(server, ": ", why));
}

}  // namespace lockstep::bin
