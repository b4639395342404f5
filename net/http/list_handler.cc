// Keys, page by page: as many pages of the gateway as it takes to skip `offset` keys and to give
// `limit` more. Every page is asked for what is still missing and no more, so that the continuation
// of the last one is also the caller's.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "net/http/calls.h"
#include "net/http/handlers.h"
#include "net/http/request_fields.h"

namespace lockstep::net::http {
namespace {

struct ListWish {
  proto::List list;  // without limit
  bool stale = false;
  bool any_replica = false;
  bool values = false;
  bool as_base64 = false;  // keys_base64 even where all keys are text
  bool total = false;      // count to the end
  uint64_t offset = 0;
  uint64_t limit = 0;
};

absl::Status ReadKeys(const Target& target, proto::List* list) {
  if (const std::string* prefix = target.Find("prefix"); prefix != nullptr) {
    list->set_prefix(*prefix);
  }
  if (const std::string* start = target.Find("start"); start != nullptr) list->set_start(*start);
  const std::string* continuation = target.Find("continuation");
  if (continuation == nullptr || continuation->empty()) return absl::OkStatus();
  if (!absl::WebSafeBase64Unescape(*continuation, list->mutable_continuation())) {
    return Refuse("INVALID_REQUEST", "parameter continuation is not one of an earlier answer");
  }
  return absl::OkStatus();
}

absl::Status ReadFlags(const Request& request, ListWish* wish) {
  proto::Query query;
  if (absl::Status status = SetConsistency(request, &query); !status.ok()) return status;
  wish->stale = query.stale();
  wish->any_replica = query.any_replica();
  absl::StatusOr<bool> values = request.target.Flag("values");
  if (!values.ok()) return values.status();
  wish->values = *values;
  absl::StatusOr<bool> total = request.target.Flag("total");
  if (!total.ok()) return total.status();
  wish->total = *total;
  const std::string* keys = request.target.Find("keys");
  wish->as_base64 = keys != nullptr && *keys == "base64";
  return absl::OkStatus();
}

absl::StatusOr<ListWish> ReadWish(const Request& request, const HttpOptions& options) {
  ListWish wish;
  const Target& target = request.target;
  if (absl::Status s = ReadKeys(target, &wish.list); !s.ok()) return s;
  if (absl::Status s = ReadFlags(request, &wish); !s.ok()) return s;
  absl::StatusOr<uint64_t> limit =
      target.Number("limit", options.list_limit_default, options.list_limit_max);
  if (!limit.ok()) return limit.status();
  if (*limit == 0) return Refuse("INVALID_REQUEST", "parameter limit must be at least 1");
  wish.limit = *limit;
  absl::StatusOr<uint64_t> offset = target.Number("offset", 0, options.list_offset_max);
  if (!offset.ok()) return offset.status();
  wish.offset = *offset;
  if (wish.total && !wish.list.continuation().empty()) {
    return Refuse("INVALID_REQUEST", "total counts from the beginning: leave continuation out");
  }
  return wish;
}

class ListHandler final : public Handler {
 public:
  explicit ListHandler(const HttpOptions& options) : options_(options) {}

  Step Start(Request& request, uint64_t patience_us) override {
    absl::StatusOr<ListWish> wish = ReadWish(request, options_);
    if (!wish.ok()) return Step::Fail(FailureOf(wish.status()));
    wish_ = *std::move(wish);
    from_the_start_ = wish_.list.continuation().empty() && wish_.list.start().empty();
    next_ = wish_.list.continuation();
    return AskPage(patience_us);
  }

  Step Continue(const Request&, std::vector<Bytes> replies, uint64_t patience_us) override {
    CheckEq(replies.size(), size_t{1});
    absl::StatusOr<proto::GatewayReply> reply = DecodeReply(replies[0]);
    if (!reply.ok()) return Step::Fail(FailureOf(reply.status()));
    if (reply->kind() != proto::GatewayReply::OK) {
      return Step::Fail(FailureOf(*reply, CallKind::kRead));
    }
    Take(reply->mutable_result());
    if (next_.empty() || (full_ && !wish_.total)) return Step::Answer(Answer());
    return AskPage(patience_us);
  }

  Effect effect_of_silence() const override { return Effect::kNone; }
  Response OnSilence(const Request&) const override {
    return ToResponse(SilenceFailure(Effect::kNone));
  }

 private:
  uint64_t Missing() const {
    if (skipped_ < wish_.offset) return wish_.offset - skipped_;
    return full_ ? kListPairsMax : wish_.limit - keys_.size();
  }

  Step AskPage(uint64_t patience_us) const {
    proto::GatewayRequest question;
    question.set_patience_us(patience_us);
    proto::Query& query = *question.mutable_query();
    query.set_stale(wish_.stale);
    query.set_any_replica(wish_.any_replica);
    *query.mutable_list() = wish_.list;
    query.mutable_list()->set_continuation(next_);
    query.mutable_list()->set_limit(
        static_cast<uint32_t>(std::min<uint64_t>(Missing(), kListPairsMax)));
    return Step::Ask(Encode(question));
  }

  void Take(proto::Result* result) {
    stale_ = stale_ || result->stale();
    next_ = result->continuation();
    counted_ += static_cast<uint64_t>(result->pairs_size());
    if (full_) return;  // Only counting.
    if (skipped_ < wish_.offset) {
      skipped_ += static_cast<uint64_t>(result->pairs_size());
      return;
    }
    for (proto::Pair& pair : *result->mutable_pairs()) TakePair(&pair);
    full_ = keys_.size() >= wish_.limit || bytes_ >= options_.list_bytes_max;
    if (full_) after_ = next_;
  }

  void TakePair(proto::Pair* pair) {
    bytes_ += pair->key().size();
    all_text_ = all_text_ && IsUtf8(pair->key());
    if (wish_.values) {
      bytes_ += pair->value().size();
      Json each;
      SetKey(pair->key(), &each);
      each["value"] = Base64(pair->value());
      pairs_.push_back(std::move(each));
    }
    keys_.push_back(std::move(*pair->mutable_key()));
  }

  Response Answer() {
    Json data;
    Json& keys = data["keys"] = Json::array();
    for (const std::string& key : keys_) keys.push_back(key);
    if (!all_text_ || wish_.as_base64) {
      Json& exact = data["keys_base64"] = Json::array();
      for (const std::string& key : keys_) exact.push_back(Base64(key));
    }
    if (wish_.values) data["pairs"] = std::move(pairs_);
    if (next_.empty() && from_the_start_) data["total"] = counted_;
    const std::string& after = full_ ? after_ : next_;
    data["has_more"] = !after.empty();
    data["continuation"] = after.empty() ? Json(nullptr) : Json(absl::WebSafeBase64Escape(after));
    data["stale"] = stale_;
    Response response = Success(data);
    if (stale_) response.fields.emplace_back("Lockstep-Stale", "true");
    return response;
  }

  const HttpOptions& options_;
  ListWish wish_;
  bool from_the_start_ = false;  // so that what is counted is all there is
  std::string next_;             // where the next page begins; empty behind the last
  uint64_t skipped_ = 0;         // Invariant: at most wish_.offset.
  uint64_t counted_ = 0;
  std::vector<std::string> keys_;
  bool all_text_ = true;
  Json pairs_ = Json::array();
  uint64_t bytes_ = 0;
  bool full_ = false;
  std::string after_;  // once full: where the caller goes on
  bool stale_ = false;
};

}  // namespace

HandlerPtr MakeList(const HandlerContext& context) {
  return std::make_unique<ListHandler>(context.options);
}

}  // namespace lockstep::net::http
