#include "core/kv/describe.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/kv/command.h"

namespace lockstep::kv {
namespace {

constexpr size_t kShownBytesMax = 24;

std::string Quote(absl::string_view bytes) {
  const std::string shown = absl::CEscape(bytes.substr(0, kShownBytesMax));
  if (bytes.size() <= kShownBytesMax) return absl::StrCat("\"", shown, "\"");
  return absl::StrCat("\"", shown, "\"...(", bytes.size(), " bytes)");
}

std::string QuoteOr(bool present, absl::string_view bytes) {
  return present ? Quote(bytes) : "missing";
}

// "batch of 3 on "a" "b" "c"": what is written would be too long for a line.
std::string DescribeBatch(const proto::Batch& batch) {
  constexpr int kShownKeysMax = 4;
  std::string text = absl::StrCat("batch of ", batch.operations_size(), " on");
  for (int i = 0; i < std::min(batch.operations_size(), kShownKeysMax); ++i) {
    absl::StrAppend(&text, " ", Quote(KeyOf(batch.operations(i))));
  }
  if (batch.operations_size() > kShownKeysMax) absl::StrAppend(&text, " ...");
  return text;
}

std::string Operation(const proto::Command& command) {
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
      return "register_session";
    case proto::Command::kCloseSession:
      return "close_session";
    case proto::Command::kPut:
      return absl::StrCat("put ", Quote(command.put().key()), "=", Quote(command.put().value()));
    case proto::Command::kAppend:
      return absl::StrCat("append ", Quote(command.append().key()),
                          "+=", Quote(command.append().value()));
    case proto::Command::kDelete:
      return absl::StrCat("delete ", Quote(command.delete_().key()));
    case proto::Command::kCompareAndSwap: {
      const proto::CompareAndSwap& swap = command.compare_and_swap();
      return absl::StrCat("cas ", Quote(swap.key()), " ",
                          QuoteOr(swap.has_expected(), swap.expected()), " -> ",
                          QuoteOr(swap.has_value(), swap.value()));
    }
    case proto::Command::kBatch:
      return DescribeBatch(command.batch());
    default:
      return "nothing";
  }
}

}  // namespace

std::string DescribePlace(const proto::Command& command) {
  std::string text;
  if (command.session() != 0) absl::StrAppend(&text, "s", command.session(), " ");
  if (command.sequence() != 0) {
    absl::StrAppend(&text, "#", command.sequence(), ">=", command.first_outstanding(), " ");
  }
  return text;
}

std::string Describe(const proto::Command& command) {
  return DescribePlace(command) + Operation(command);
}

std::string Describe(const proto::Query& query) {
  switch (query.operation_case()) {
    case proto::Query::kGet:
      return absl::StrCat("get ", Quote(query.get().key()));
    case proto::Query::kList: {
      const proto::List& list = query.list();
      std::string text = absl::StrCat("list ", Quote(list.prefix()));
      if (!list.start().empty()) absl::StrAppend(&text, " from ", Quote(list.start()));
      if (list.limit() != 0) absl::StrAppend(&text, " limit ", list.limit());
      if (!list.continuation().empty()) absl::StrAppend(&text, " continued");
      return text;
    }
    case proto::Query::kGetMany:
      return absl::StrCat("get ", query.get_many().keys_size(), " keys");
    default:
      return "nothing";
  }
}

std::string Describe(const proto::Result& result) {
  std::string text = proto::Code_Name(result.code());
  if (text.empty()) text = absl::StrCat("code ", static_cast<int>(result.code()));
  if (result.index() != 0) absl::StrAppend(&text, " @", result.index());
  if (result.session() != 0) absl::StrAppend(&text, " s", result.session());
  if (result.has_value()) absl::StrAppend(&text, " value=", Quote(result.value()));
  if (result.value_omitted()) absl::StrAppend(&text, " value omitted");
  if (result.pairs_size() > 0) absl::StrAppend(&text, " ", result.pairs_size(), " pairs");
  if (!result.continuation().empty()) absl::StrAppend(&text, " more");
  if (result.replayed()) absl::StrAppend(&text, " replayed");
  return text;
}

}  // namespace lockstep::kv
