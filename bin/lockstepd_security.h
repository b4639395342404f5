// The files that say who may connect and who may do what: read at the start, and looked at again
// every few seconds. A state of them that is not sound changes nothing: what was in force stays,
// and the log and the metrics say so.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_SECURITY_H_
#define LOCKSTEP_BIN_LOCKSTEPD_SECURITY_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "bin/lockstepd_options.h"
#include "net/access/guard.h"
#include "net/log.h"
#include "net/metrics/node_metrics.h"
#include "net/tls/tls_credentials.h"

namespace lockstep::lockstepd {

class Security {
 public:
  // An error is one line that names the file and what is wrong with it; its exit code is kUsage.
  static absl::StatusOr<std::unique_ptr<Security>> Load(const Options& options, net::LogSink log,
                                                        std::shared_ptr<net::NodeMetrics> metrics);
  ~Security();
  Security(const Security&) = delete;
  Security& operator=(const Security&) = delete;

  // Null: plain text.
  std::shared_ptr<const net::TlsStore> tls() const { return tls_; }
  // Of clients; nodes always show certificates to each other.
  net::TlsDemand demand() const { return demand_; }
  std::shared_ptr<const net::Guard> guard() const { return guard_; }

 private:
  Security(const Options& options, net::LogSink log, std::shared_ptr<net::NodeMetrics> metrics);
  absl::Status ReadFirst();
  void Watch();
  void LookAgain();
  absl::StatusOr<net::TlsPem> ReadPem() const;
  void TellExpiry() const;
  void Told(absl::string_view file, const absl::Status& status, std::string* complaint) const;

  const std::string certificate_;
  const std::string key_;
  const std::string authorities_;
  const std::string access_;
  const net::TlsDemand demand_;
  const net::LogSink log_;
  const std::shared_ptr<net::NodeMetrics> metrics_;
  std::shared_ptr<net::TlsStore> tls_;
  std::shared_ptr<net::Guard> guard_;
  std::string policy_text_;       // in force
  std::string tls_complaint_;     // logged last
  std::string access_complaint_;  // likewise

  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_SECURITY_H_
