#include "bin/lockstep_shell.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_text.h"
#include "net/client/failure.h"

namespace lockstep::bin {
namespace {

constexpr const char* kGrpcServer = "127.0.0.1:7401";
constexpr const char* kHttpServer = "127.0.0.1:7402";

std::string OneLine(absl::string_view text) { return Escaped(text); }

}  // namespace

absl::StatusOr<std::unique_ptr<Api>> OpenApi(const ApiOptions& options, bool http) {
  return http ? OpenHttpApi(options) : OpenGrpcApi(options);
}

Exit ExitOf(const absl::Status& status) {
  if (status.ok()) return Exit::kOk;
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      if (client::EffectOf(status) == client::Effect::kNone) return Exit::kConflict;
      break;
    default:
      break;
  }
  return client::EffectOf(status) == client::Effect::kUnknown ? Exit::kUnknown : Exit::kNotExecuted;
}

Exit Worse(Exit a, Exit b) {
  const auto rank = [](Exit exit) {
    switch (exit) {
      case Exit::kOk:
        return 0;
      case Exit::kUnhealthy:
        return 1;
      case Exit::kConflict:
        return 2;
      case Exit::kNotExecuted:
        return 3;
      case Exit::kUnreachable:
        return 4;
      case Exit::kUnknown:
        return 5;
      case Exit::kUsage:
      case Exit::kFile:
      case Exit::kInterrupted:
        return 6;
    }
    return 6;
  };
  return rank(a) >= rank(b) ? a : b;
}

std::vector<std::string> Shell::servers() const {
  if (!options_.servers.empty()) return options_.servers;
  return {options_.http ? kHttpServer : kGrpcServer};
}

Api* Shell::Connect(Exit& exit) {
  exit = Exit::kOk;
  if (api_ != nullptr) return api_.get();
  absl::StatusOr<std::unique_ptr<Api>> api = Open();
  if (!api.ok()) {
    exit = Fail(Exit::kUsage, absl::StrCat("--server: ", OneLine(api.status().message())));
    return nullptr;
  }
  const absl::Status connected = (*api)->Connect();
  if (absl::IsUnauthenticated(connected) || absl::IsPermissionDenied(connected)) {
    exit = Fail("connecting", connected);
    return nullptr;
  }
  if (!connected.ok()) {
    exit = Fail(Exit::kUnreachable, OneLine(connected.message()));
    return nullptr;
  }
  api_ = *std::move(api);
  return api_.get();
}

absl::StatusOr<std::unique_ptr<Api>> Shell::Open() const {
  return opener_(
      {.servers = servers(), .timeout = options_.timeout, .credentials = options_.credentials},
      options_.http);
}

absl::StatusOr<std::unique_ptr<Api>> Shell::OpenHttp(const std::vector<std::string>& servers) {
  return opener_(
      {.servers = servers, .timeout = options_.timeout, .credentials = options_.credentials},
      /*http=*/true);
}

Exit Shell::Fail(const std::string& what, const absl::Status& status) {
  const Exit exit = ExitOf(status);
  const auto failure = client::FailureOf(status);
  const std::string reason =
      failure.has_value() ? failure->reason() : absl::StatusCodeToString(status.code());
  const bool unknown = client::EffectOf(status) == client::Effect::kUnknown;
  if (json()) {
    nlohmann::ordered_json error;
    error["error"] = {{"command", what},
                      {"reason", reason},
                      {"effect", unknown ? "unknown" : "none"},
                      {"message", std::string(status.message())}};
    err_ << Line(error) << "\n";
  } else {
    err_ << "lockstep: " << what << ": " << OneLine(status.message()) << " [" << OneLine(reason)
         << ": " << (unknown ? "executed or not, nobody knows" : "not executed") << "]\n";
  }
  return exit;
}

Exit Shell::Fail(Exit exit, const std::string& message) {
  if (json()) {
    nlohmann::ordered_json error;
    error["error"] = {{"exit_code", static_cast<int>(exit)}, {"message", message}};
    err_ << Line(error) << "\n";
  } else {
    err_ << "lockstep: " << message << "\n";
  }
  return exit;
}

void Shell::Note(const std::string& text) {
  if (options_.verbose) err_ << "lockstep: " << text << "\n";
}

}  // namespace lockstep::bin
