// What clients read of servers and of files of pairs: details of failures, messages of the
// exchange, bodies of HTTP answers, statuses, lines to import. Whoever wrote them, a client gets an
// answer or a typed failure that says what became of the call; and what is printed leaves a
// terminal alone.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "bin/lockstep_http_mapping.h"
#include "bin/lockstep_node_text.h"
#include "bin/lockstep_pair_lines.h"
#include "bin/lockstep_status_text.h"
#include "bin/lockstep_text.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"
#include "net/client/directory.h"
#include "net/client/exchange.h"
#include "net/client/failure.h"

namespace lockstep::fuzz {
namespace {

using bin::Encoding;
using bin::HttpAnswer;
using bin::HttpCall;
using bin::Json;
using bin::PairLines;

// --- gRPC

void CheckDetails(absl::string_view bytes) {
  const auto failure = client::DecodeDetails(bytes);
  if (!failure.has_value()) return;
  const absl::Status status = client::WithFailure(absl::UnavailableError("why"), *failure);
  const bool none = failure->effect() == v1::EFFECT_NONE;
  Check((client::EffectOf(status) == client::Effect::kNone) == none);
  const auto again =
      client::DecodeDetails(client::EncodeDetails(status.code(), status.message(), *failure));
  Check(again.has_value());
  Check(again->SerializeAsString() == failure->SerializeAsString());
}

void CheckExchange(absl::string_view bytes) {
  std::vector<net::Piece> pieces;
  size_t total = 0;
  const bool sound = net::DecodeExchange(bytes, [&](uint64_t id, absl::string_view piece) {
    pieces.push_back({id, Bytes::Copy(piece)});
    total += piece.size();
  });
  CheckLe(pieces.size(), size_t{net::kExchangePiecesMax});
  CheckLe(total, bytes.size());
  if (!sound) return;
  std::string encoded(net::ExchangeSize(pieces), '\0');
  net::EncodeExchange(pieces, encoded.data());
  size_t next = 0;
  Check(net::DecodeExchange(encoded, [&](uint64_t id, absl::string_view piece) {
    CheckEq(id, pieces[next].id);
    Check(piece == pieces[next].bytes.view());
    ++next;
  }));
  CheckEq(next, pieces.size());
}

// --- Text for a terminal

void CheckPrintable(absl::string_view text) {
  Check(std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || c == '\t' || !absl::ascii_iscntrl(static_cast<unsigned char>(c));
  }));
}

void CheckStatus(const v1::StatusResponse& status) {
  for (const bool plain : {false, true}) {
    CheckPrintable(bin::StatusText(status, /*shards=*/true, plain));
    CheckPrintable(bin::NodesText(status, plain));
    CheckPrintable(bin::ConfigurationText(status.configuration(), plain));
  }
  Check(Json::accept(bin::Line(bin::NodesJson(status))));
  client::Directory directory({"seed:1"});
  directory.Learn(status);
  CheckLe(directory.addresses().size(), client::kDirectoryNodesMax);
  CheckLe(directory.Servers().size(), client::kDirectoryNodesMax + 1);
  const std::vector<NodeId>& controllers = directory.controllers();
  Check(std::adjacent_find(controllers.begin(), controllers.end(), std::greater_equal<>()) ==
        controllers.end());
  if (!controllers.empty()) Check(controllers.front() != NodeId());
}

void CheckText(absl::string_view text) {
  const std::string escaped = bin::Escaped(text);
  CheckPrintable(escaped);
  Check(bin::IsUtf8(escaped));
  const auto unescaped = bin::Unescaped(escaped);
  Check(unescaped.ok());
  Check(*unescaped == text);
  const auto any = bin::Unescaped(text);
  if (!any.ok()) CheckRefusal(any.status());
  for (const Encoding encoding : {Encoding::kPlain, Encoding::kBase64, Encoding::kHex}) {
    const auto decoded = bin::Decode(text, encoding);
    if (!decoded.ok()) CheckRefusal(decoded.status());
    const auto again = bin::Decode(bin::Encode(text, encoding), encoding);
    Check(again.ok());
    Check(*again == text);
    nlohmann::ordered_json json;
    bin::SetBytes(json, "key", text, encoding);
    const auto got = bin::GetBytes(nlohmann::ordered_json::parse(bin::Line(json)), "key");
    Check(got.ok());
    Check(*got == text);
  }
}

void CheckPairLine(absl::string_view line, PairLines form) {
  const auto pair = bin::PairOf(std::string(line), form);
  if (!pair.ok()) {
    Check(absl::IsInvalidArgument(pair.status()) || absl::IsNotFound(pair.status()));
    return CheckOneLine(pair.status().message());
  }
  for (const PairLines other : {PairLines::kJson, PairLines::kTsv}) {
    const std::string written = bin::LineOf(*pair, other);
    Check(!absl::StrContains(written, '\n'));
    const auto again = bin::PairOf(written, other);
    Check(again.ok());
    Check(again->SerializeAsString() == pair->SerializeAsString());
  }
}

// --- HTTP

void CheckFailed(const absl::Status& status, HttpCall::Kind kind) {
  Check(!status.ok());
  Check(!status.message().empty());
  CheckOneLine(bin::Escaped(status.message()), size_t{1} << 22);
  Check(client::FailureOf(status).has_value());
  if (kind == HttpCall::Kind::kRead) {
    Check(client::EffectOf(status) == client::Effect::kNone);
  }
}

void CheckHttpAnswer(HttpAnswer answer, HttpCall::Kind kind) {
  CheckFailed(bin::FailureOf(answer, kind), kind);
  (void)bin::CodeOf(answer);
  v1::Configuration configuration;
  v1::BatchResponse batch;
  v1::ListResponse list;
  const auto read = [&](const std::function<void(const Json&)>& take) {
    const absl::Status status = bin::Read(answer, kind, take);
    if (!status.ok()) CheckFailed(status, kind);
    return status.ok();
  };
  if (read([&](const Json& body) { bin::TakeConfiguration(body.at("data"), &configuration); })) {
    CheckPrintable(bin::ConfigurationText(configuration, /*plain=*/true));
  }
  (void)read([&](const Json& body) {
    for (const Json& each : body.at("data").at("each")) bin::TakeOutcome(each, batch.add_each());
  });
  (void)read([&](const Json& body) {
    for (const Json& each : body.at("data").at("pairs")) {
      v1::Pair* pair = list.add_pairs();
      pair->set_key(bin::KeyFrom(each));
      pair->set_value(bin::BytesFrom(each.at("value")));
    }
  });
}

void CheckHttp(Input& input) {
  static constexpr int kStatuses[] = {200, 404, 409, 500};
  HttpAnswer answer;
  answer.status = kStatuses[input.Below(4)];
  const auto kind = input.Flip() ? HttpCall::Kind::kRead : HttpCall::Kind::kWrite;
  answer.body = std::string(input.rest());
  CheckHttpAnswer(std::move(answer), kind);
}

void RunClientAnswers(Input input) {
  const uint64_t part = input.Below(8);
  if (part == 4) return CheckHttp(input);
  const absl::string_view rest = input.rest();
  switch (part) {
    case 0:
      return CheckDetails(rest);
    case 1:
      return CheckExchange(rest);
    case 2: {
      v1::StatusResponse status;
      if (status.ParseFromArray(rest.data(), static_cast<int>(rest.size()))) CheckStatus(status);
      return;
    }
    case 3:
      return CheckText(rest);
    case 5:
      return CheckPairLine(rest, PairLines::kJson);
    default:
      return CheckPairLine(rest, PairLines::kTsv);
  }
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunClientAnswers(lockstep::fuzz::Input(data, size));
  return 0;
}
