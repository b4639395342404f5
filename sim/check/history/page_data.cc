#include "sim/check/history/page_data.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sim/check/history/describe.h"
#include "sim/check/linearizability/order.h"
#include "sim/check/linearizability/partition.h"

namespace lockstep::history {
namespace {

using linearizability::Counterexample;
using linearizability::Kind;
using linearizability::Operation;
using linearizability::Report;
using linearizability::Value;
using linearizability::Verdict;
using Json = nlohmann::ordered_json;

constexpr size_t kDrawnMax = 5000;
constexpr size_t kShownBytesMax = 240;           // of a value
constexpr uint64_t kOrderStepsMax = 20'000'000;  // to number the operations of a right history

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

int64_t StartOf(const Operation& operation) { return operation.invoked.time_since_epoch().count(); }

absl::string_view Style(Kind kind) {
  switch (kind) {
    case Kind::kGet:
      return "read";
    case Kind::kPut:
      return "write";
    case Kind::kAppend:
      return "append";
    case Kind::kDelete:
      return "delete";
    case Kind::kCompareAndSwap:
      break;
  }
  return "cas";
}

class DataOfPage {
 public:
  DataOfPage(const Recorded& recorded, const Report& report)
      : recorded_(recorded),
        operations_(recorded.history.operations),
        report_(report),
        keys_(linearizability::SplitByKey(recorded.history)),
        key_of_(operations_.size()),
        order_(operations_.size()) {
    for (uint32_t key = 0; key < keys_.size(); ++key) {
      for (uint32_t i : keys_[key]) key_of_[i] = key;
    }
  }

  Json Run(absl::string_view title) {
    ChooseFocus();
    Number();
    Choose();
    Json json;
    json["title"] = Text(title);
    json["verdict"] = Text(Name(report_.verdict));
    json["summary"] = absl::StrCat(
        DescribeWork(recorded_, report_), "; model ", Name(recorded_.model),
        recorded_.dropped == 0 ? ""
                               : absl::StrCat("; ", recorded_.dropped, " without effect left out"));
    json["note"] = Note();
    json["times_are_lines"] = recorded_.times_are_lines;
    json["order_name"] = order_name_;
    PutOperations(&json);
    PutFinding(&json);
    return json;
  }

 private:
  // The key that the page opens with: that of the violation, or the busiest.
  void ChooseFocus() {
    if (report_.counterexample.has_value()) {
      focus_ = key_of_[report_.counterexample->unplaced];
      return;
    }
    for (uint32_t key = 0; key < keys_.size(); ++key) {
      if (keys_[key].size() > keys_[focus_].size()) focus_ = key;
    }
  }

  // The place of operations in an order.
  void Number() {
    if (report_.counterexample.has_value()) {
      const Counterexample& example = *report_.counterexample;
      const bool whole = !example.key_prefix.empty();
      Take(whole ? example.key_prefix : example.prefix);
      order_name_ = whole ? "an order of the longest linearizable prefix of the key"
                          : "an order of what shows the violation, before it";
      return;
    }
    if (report_.verdict != Verdict::kLinearizable) return;
    uint64_t left = kOrderStepsMax;
    for (const std::vector<uint32_t>& key : keys_) {
      const uint64_t wanted = std::min<uint64_t>(left, 1000 + 100 * uint64_t{key.size()});
      if (key.size() > left) break;
      Take(linearizability::FindOrder(recorded_.history, key, wanted));
      left -= std::min<uint64_t>(left, key.size());
    }
    order_name_ = "an order of the key that explains every answer";
  }
  void Take(const std::vector<size_t>& order) {
    for (size_t k = 0; k < order.size(); ++k) order_[order[k]] = static_cast<uint32_t>(k + 1);
  }

  // Evidence, then the key of the finding, then what is near to it in time.
  void Choose() {
    std::vector<size_t> all(operations_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    if (all.size() > kDrawnMax) {
      std::vector<bool> evidence(operations_.size());
      int64_t middle = StartOf(operations_[keys_[focus_].front()]);
      if (report_.counterexample.has_value()) {
        for (size_t i : report_.counterexample->operations) evidence[i] = true;
        middle = StartOf(operations_[report_.counterexample->unplaced]);
      }
      const auto rank = [&](size_t i) {
        const uint64_t start = static_cast<uint64_t>(StartOf(operations_[i]));
        const uint64_t from = static_cast<uint64_t>(middle);
        const uint64_t distance = StartOf(operations_[i]) < middle ? from - start : start - from;
        return std::tuple(!evidence[i], key_of_[i] != focus_, distance, i);
      };
      const auto last = all.begin() + static_cast<std::ptrdiff_t>(kDrawnMax);
      std::nth_element(all.begin(), last, all.end(),
                       [&](size_t a, size_t b) { return rank(a) < rank(b); });
      all.erase(last, all.end());
    }
    std::sort(all.begin(), all.end(), [&](size_t a, size_t b) {
      return std::pair(StartOf(operations_[a]), a) < std::pair(StartOf(operations_[b]), b);
    });
    drawn_ = std::move(all);
    drawn_at_.assign(operations_.size(), -1);
    for (size_t k = 0; k < drawn_.size(); ++k) drawn_at_[drawn_[k]] = static_cast<int64_t>(k);
  }

  std::string Note() const {
    if (drawn_.size() == operations_.size()) return "";
    return absl::StrCat(
        "Drawn are ", drawn_.size(), " of ", operations_.size(), " operations: those ",
        report_.counterexample.has_value() ? "of the key and around the violation, in time."
                                           : "of the busiest key, from its beginning.");
  }

  void PutOperations(Json* json) const {
    std::vector<uint64_t> processes;
    std::vector<uint32_t> keys;
    int64_t first = INT64_MAX;
    for (size_t i : drawn_) {
      processes.push_back(operations_[i].process);
      keys.push_back(key_of_[i]);
      first = std::min(first, StartOf(operations_[i]));
    }
    Unique(&processes);
    Unique(&keys);
    Json rows = Json::array();
    for (size_t i : drawn_) rows.push_back(Row(i, processes, keys, first));
    Json process_names = Json::array();
    for (uint64_t process : processes) process_names.push_back(absl::StrCat(process));
    Json key_names = Json::array();
    for (uint32_t key : keys) key_names.push_back(NameOfKey(operations_[keys_[key].front()].key));
    (*json)["processes"] = std::move(process_names);
    (*json)["keys"] = std::move(key_names);
    (*json)["focus"] = PlaceIn(keys, focus_);
    (*json)["time_offset"] = absl::StrCat(first);
    (*json)["operations"] = std::move(rows);
  }

  static std::string NameOfKey(const Bytes& key) {
    return key.empty() ? "the register" : linearizability::Describe(Value(key));
  }

  // As the script reads it: process, key, start, end (-1: never), kind, call, lines, number.
  Json Row(size_t i, const std::vector<uint64_t>& processes, const std::vector<uint32_t>& keys,
           int64_t first) const {
    const Operation& operation = operations_[i];
    const int64_t end =
        operation.open() ? -1 : operation.returned.time_since_epoch().count() - first;
    return Json::array({PlaceIn(processes, operation.process), PlaceIn(keys, key_of_[i]),
                        StartOf(operation) - first, end, Text(Style(operation.kind)),
                        DescribeCall(operation, kShownBytesMax), Where(i), order_[i]});
  }

  std::string Where(size_t i) const {
    const Lines& lines = recorded_.lines[i];
    std::string text = absl::StrCat("line ", lines.invoked);
    if (recorded_.times_are_lines) {
      absl::StrAppend(
          &text, lines.returned == 0 ? ", never returned" : absl::StrCat(" to ", lines.returned));
      return text;
    }
    const Operation& operation = operations_[i];
    absl::StrAppend(&text, ", time ", StartOf(operation));
    if (operation.open()) return text + ", never returned";
    return absl::StrCat(text, " to ", operation.returned.time_since_epoch().count());
  }

  void PutFinding(Json* json) const {
    (*json)["unplaced"] = -1;
    (*json)["blocking"] = Json::array();
    (*json)["evidence"] = Json::array();
    (*json)["reason"] = "";
    if (!report_.counterexample.has_value()) return;
    const Counterexample& example = *report_.counterexample;
    (*json)["unplaced"] = drawn_at_[example.unplaced];
    if (example.blocking.has_value())
      (*json)["blocking"] = {drawn_at_[example.blocking->first],
                             drawn_at_[example.blocking->second]};
    for (size_t i : example.operations) {
      if (drawn_at_[i] >= 0) (*json)["evidence"].push_back(drawn_at_[i]);
    }
    (*json)["reason"] = example.reason;
  }

  template <class Number>
  static void Unique(std::vector<Number>* numbers) {
    std::sort(numbers->begin(), numbers->end());
    numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
  }
  template <class Number>
  static int64_t PlaceIn(const std::vector<Number>& numbers, Number number) {
    return std::lower_bound(numbers.begin(), numbers.end(), number) - numbers.begin();
  }

  const Recorded& recorded_;
  const std::vector<Operation>& operations_;
  const Report& report_;
  const std::vector<std::vector<uint32_t>> keys_;
  std::vector<uint32_t> key_of_;  // by operation
  std::vector<uint32_t> order_;   // by operation: its number, from 1; 0: none
  std::string order_name_;
  uint32_t focus_ = 0;
  std::vector<size_t> drawn_;      // operations, by time
  std::vector<int64_t> drawn_at_;  // by operation: place in drawn_, or -1
};

}  // namespace

std::string PageData(const Recorded& recorded, const Report& report, absl::string_view title) {
  const Json json = DataOfPage(recorded, report).Run(title);
  // "<" occurs within strings only; escaped, it can end no element.
  return absl::StrReplaceAll(
      json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace),
      {{"<", "\\u003c"}});
}

}  // namespace lockstep::history
