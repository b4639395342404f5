#include "bin/lockstepd_security.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/atomic_file.h"
#include "bin/lockstepd_exit.h"

namespace lockstep::lockstepd {
namespace {

constexpr std::chrono::seconds kLookEvery{2};
constexpr size_t kFileBytesMax = size_t{4} << 20;

net::TlsDemand DemandOf(const std::string& client_auth) {
  if (client_auth == "none") return net::TlsDemand::kNone;
  return client_auth == "optional" ? net::TlsDemand::kIfGiven : net::TlsDemand::kVerified;
}

absl::StatusOr<std::string> ReadFile(absl::string_view setting, const std::string& path) {
  absl::StatusOr<std::string> text = ReadSmallFile(path, kFileBytesMax);
  if (text.ok()) return text;
  return absl::InvalidArgumentError(absl::StrCat(setting, ": ", text.status().message()));
}

}  // namespace

Security::Security(const Options& options, net::LogSink log,
                   std::shared_ptr<net::NodeMetrics> metrics)
    : certificate_(options.tls_cert),
      key_(options.tls_key),
      authorities_(options.tls_ca),
      access_(options.access),
      demand_(DemandOf(options.tls_client_auth)),
      log_(std::move(log)),
      metrics_(std::move(metrics)) {}

absl::StatusOr<std::unique_ptr<Security>> Security::Load(
    const Options& options, net::LogSink log, std::shared_ptr<net::NodeMetrics> metrics) {
  std::unique_ptr<Security> security(new Security(options, std::move(log), std::move(metrics)));
  const absl::Status read = security->ReadFirst();
  if (!read.ok()) return ExitWith(ExitCode::kUsage, std::string(read.message()));
  const bool files = !options.tls_cert.empty() || !options.access.empty();
  if (files) security->thread_ = std::thread([self = security.get()] { self->Watch(); });
  return security;
}

Security::~Security() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

absl::StatusOr<net::TlsPem> Security::ReadPem() const {
  absl::StatusOr<std::string> certificate = ReadFile("tls-cert", certificate_);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> key = ReadFile("tls-key", key_);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> authorities = ReadFile("tls-ca", authorities_);
  if (!authorities.ok()) return authorities.status();
  return net::TlsPem{.certificate = *std::move(certificate),
                     .key = *std::move(key),
                     .authorities = *std::move(authorities)};
}

absl::Status Security::ReadFirst() {
  std::shared_ptr<const net::AccessPolicy> policy;
  if (!access_.empty()) {
    absl::StatusOr<std::string> text = ReadFile("access", access_);
    if (!text.ok()) return text.status();
    auto parsed = net::AccessPolicy::Parse(*text);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("access: ", access_, ": ", parsed.status().message()));
    }
    policy = *std::move(parsed);
    policy_text_ = *std::move(text);
  }
  guard_ = std::make_shared<net::Guard>(std::move(policy), log_);
  if (certificate_.empty()) return absl::OkStatus();
  absl::StatusOr<net::TlsPem> pem = ReadPem();
  if (!pem.ok()) return pem.status();
  auto made = net::TlsCredentials::Make(*std::move(pem));
  if (!made.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tls-cert, tls-key, tls-ca: ", made.status().message()));
  }
  tls_ = std::make_shared<net::TlsStore>(*std::move(made));
  TellExpiry();
  return absl::OkStatus();
}

void Security::TellExpiry() const {
  const std::shared_ptr<const net::TlsCredentials> current = tls_->Current();
  metrics_->CertificatesExpire(current->certificate_expires(), current->authorities_expire());
}

void Security::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_.wait_for(lock, kLookEvery, [this] { return stopped_; })) {
    lock.unlock();
    LookAgain();
    lock.lock();
  }
}

void Security::LookAgain() {
  if (tls_ != nullptr) {
    absl::StatusOr<net::TlsPem> pem = ReadPem();
    absl::Status status = pem.status();
    const bool changed = pem.ok() && !(*pem == tls_->Current()->pem());
    if (changed) {
      auto made = net::TlsCredentials::Make(*std::move(pem));
      status = made.status();
      if (made.ok()) {
        tls_->Replace(*std::move(made));
        TellExpiry();
      }
    }
    if (changed || !status.ok()) Told("certificates", status, &tls_complaint_);
    if (!changed && status.ok()) tls_complaint_.clear();
  }
  if (access_.empty()) return;
  absl::StatusOr<std::string> text = ReadFile("access", access_);
  absl::Status status = text.status();
  const bool changed = text.ok() && *text != policy_text_;
  if (changed) {
    auto parsed = net::AccessPolicy::Parse(*text);
    status = parsed.status();
    if (parsed.ok()) {
      guard_->Replace(*std::move(parsed));
      policy_text_ = *std::move(text);
    }
  }
  if (changed || !status.ok()) Told("access", status, &access_complaint_);
  if (!changed && status.ok()) access_complaint_.clear();
}

// The same trouble once.
void Security::Told(absl::string_view file, const absl::Status& status,
                    std::string* complaint) const {
  const std::string message(status.message());
  if (!status.ok() && *complaint == message) return;
  *complaint = message;
  metrics_->Reloaded(file, status.ok());
  if (status.ok()) return log_(net::LogLevel::kInfo, "node", absl::StrCat("new ", file), {});
  log_(net::LogLevel::kError, "node",
       absl::StrCat("the new ", file, " cannot be used: what was in force stays"),
       {{"why", message}});
}

}  // namespace lockstep::lockstepd
