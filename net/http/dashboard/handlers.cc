// The dashboard: its files, its data, and the stream of what changes.
#include "net/http/handlers.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "net/http/calls.h"
#include "net/http/dashboard/assets.h"
#include "net/http/dashboard/board.h"

namespace lockstep::net::http {
namespace {

// The page may load what the node itself has, and nothing else; nobody may put it into a frame.
constexpr std::pair<absl::string_view, absl::string_view> kPageFields[] = {
    {"Cache-Control", "no-cache"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
};

bool HasTag(absl::string_view list, absl::string_view tag) {
  for (absl::string_view each : absl::StrSplit(list, ',')) {
    each = absl::StripAsciiWhitespace(each);
    if (each == "*" || each == tag) return true;
  }
  return false;
}

Response AnswerFile(const Request& request) {
  const std::string name = request.arguments.empty() ? "index.html" : request.arguments.front();
  const absl::Span<const Asset> assets = Assets();
  const auto found = std::find_if(assets.begin(), assets.end(),
                                  [&](const Asset& asset) { return asset.name == name; });
  if (found == assets.end()) {
    return ToResponse(Failure{.code = "NOT_FOUND",
                              .message = absl::StrCat("the dashboard has no such file: ",
                                                      absl::string_view(name).substr(0, 200))});
  }
  Response response;
  for (const auto& [field, value] : kPageFields) response.fields.emplace_back(field, value);
  response.fields.emplace_back("ETag", found->tag);
  if (HasTag(request.Field("If-None-Match"), found->tag)) {
    response.status = 304;
    return response;
  }
  response.content_type = std::string(found->content_type);
  response.body = std::string(found->bytes);
  return response;
}

std::shared_ptr<const DashboardTexts> Look(DashboardBoard* board) {
  return board == nullptr ? nullptr : board->Look();
}

// A part of what is on the board, or that there is nothing yet.
HandlerPtr Telling(const HandlerContext& context,
                   std::function<std::string(const DashboardTexts&)> part) {
  return Immediately([board = context.board, part = std::move(part)](const Request&) {
    const std::shared_ptr<const DashboardTexts> texts = Look(board);
    if (texts == nullptr) {
      return ToResponse(
          Failure{.code = "UNAVAILABLE", .message = "the node has not looked at its cluster yet"});
    }
    Response response;
    response.fields.emplace_back("Cache-Control", "no-store");
    response.body = absl::StrCat("{\"success\":true,\"data\":", part(*texts), "}");
    return response;
  });
}

}  // namespace

HandlerPtr MakeDashboardFile(const HandlerContext&) { return Immediately(AnswerFile); }

HandlerPtr MakeDashboard(const HandlerContext& context) {
  return Telling(context, [](const DashboardTexts& texts) { return texts.All(); });
}

HandlerPtr MakeTopology(const HandlerContext& context) {
  return Telling(context, [](const DashboardTexts& texts) { return texts.topology; });
}

HandlerPtr MakeMetricsJson(const HandlerContext& context) {
  return Telling(context, [](const DashboardTexts& texts) { return texts.metrics; });
}

HandlerPtr MakeDashboardStream(const HandlerContext&) {
  return Immediately([](const Request& request) {
    Response response;
    response.content_type = "text/event-stream";
    response.fields.emplace_back("Cache-Control", "no-store");
    response.is_stream = request.method != Method::kHead;
    return response;
  });
}

}  // namespace lockstep::net::http
