// lockstepd: a node of Lockstep. Settings in, an exit code out; --help says which.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstepd_departure.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_identity.h"
#include "bin/lockstepd_log.h"
#include "bin/lockstepd_memory.h"
#include "bin/lockstepd_options.h"
#include "bin/lockstepd_resolve.h"
#include "bin/lockstepd_sealed_file.h"
#include "bin/lockstepd_server.h"
#include "bin/lockstepd_verify.h"
#include "net/client/grpc_library.h"

namespace lockstep::lockstepd {
namespace {

log::Level ToLog(net::LogLevel level) {
  switch (level) {
    case net::LogLevel::kTrace:
      return log::Level::kTrace;
    case net::LogLevel::kDebug:
      return log::Level::kDebug;
    case net::LogLevel::kInfo:
      return log::Level::kInfo;
    case net::LogLevel::kWarn:
      return log::Level::kWarn;
    case net::LogLevel::kError:
      return log::Level::kError;
  }
  return log::Level::kError;
}

void WriteLog(net::LogLevel level, absl::string_view part, absl::string_view text,
              const std::vector<net::LogField>& fields) {
  std::vector<log::Field> converted;
  for (const net::LogField& field : fields) {
    uint64_t number = 0;
    if (field.is_number && absl::SimpleAtoi(field.value, &number)) {
      converted.emplace_back(field.name, number);
    } else {
      converted.emplace_back(field.name, field.value);
    }
  }
  log::Write(ToLog(level), part, text, converted);
}

void StartLog(const Options& options) {
  log::Settings settings;
  settings.level = log::LevelOf(options.log_level);
  for (const auto& [part, level] : options.log_levels) {
    settings.levels[part] = log::LevelOf(level);
  }
  settings.json = options.log_format == "json";
  log::Start(settings);
}

// Counts the starts of this data directory: a number that only grows tells this life's requests
// from those of earlier ones, whatever the clocks do.
absl::StatusOr<uint64_t> CountLife(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/lives");
  const absl::StatusOr<uint64_t> lives = ReadSealedNumber(path, /*exact=*/nullptr);
  if (!lives.ok() && !absl::IsNotFound(lives.status())) {
    const std::string message(lives.status().message().data(), lives.status().message().size());
    return ExitWith(ExitCodeOf(lives.status()),
                    absl::StrCat(message,
                                 ": write a number into it that is larger than it can "
                                 "have been, such as the seconds since 1970"));
  }
  const uint64_t next = lives.ok() ? *lives + 1 : 1;
  const absl::Status written = WriteSealedNumber(path, next);
  if (!written.ok()) return written;
  return next;
}

absl::Status Serve(const Options& given) {
  BoundAllocatorCaches();
  absl::StatusOr<std::unique_ptr<DataDirectory>> directory = DataDirectory::Open(given.data_dir);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<PeerBook> peers = PeerBook::Load(given.data_dir);
  if (!peers.ok()) return peers.status();
  absl::StatusOr<Resolved> resolved = Resolve(given, (*directory)->identity(), *peers);
  if (!resolved.ok()) return resolved.status();
  const absl::Status claimed = (*directory)->Claim(resolved->identity);
  if (!claimed.ok()) return claimed;
  const absl::StatusOr<uint64_t> life = CountLife(given.data_dir);
  if (!life.ok()) return life.status();
  Server server(*std::move(resolved), *life, **directory, *peers, WriteLog);
  const absl::Status started = server.Start();
  if (absl::IsCancelled(started)) {
    log::Info("node", started.message());
    return absl::OkStatus();
  }
  return started.ok() ? server.Run() : started;
}

int Main(int argc, const char* const* argv) {
  const absl::StatusOr<Invocation> invocation = ParseOptions(argc, argv);
  absl::Status status = invocation.status();
  if (status.ok() && invocation->action == Invocation::Action::kPrint) {
    status = Print(*invocation);
  } else if (status.ok() && invocation->action == Invocation::Action::kVerify) {
    status = RunVerify(invocation->verify);
  } else if (status.ok()) {
    StartLog(invocation->options);
    client::TakeGrpcLog([](const char* text) { log::Debug("grpc", text); });
    status = Serve(invocation->options);
    log::Stop();
  }
  if (status.ok()) return 0;
  const std::string line = absl::StrCat("lockstepd: ", status.message(), "\n");
  std::fputs(line.c_str(), stderr);
  return static_cast<int>(ExitCodeOf(status));
}

}  // namespace
}  // namespace lockstep::lockstepd

int main(int argc, char** argv) {
  lockstep::lockstepd::BlockSignals();
  return lockstep::lockstepd::Main(argc, argv);
}
