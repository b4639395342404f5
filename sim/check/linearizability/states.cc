#include "sim/check/linearizability/states.h"

#include <algorithm>

namespace lockstep::linearizability {

States::States(const std::vector<absl::string_view>& observed,
               const std::vector<absl::string_view>& texts)
    : grows_(!texts.empty()) {
  for (absl::string_view value : observed) observed_.Insert(value);
  if (!grows_) return;
  StringTable appended;
  for (absl::string_view text : texts) appended.Insert(text);
  texts_ = appended.strings();
  std::sort(texts_.begin(), texts_.end());
  values_ = observed_.strings();
  std::sort(values_.begin(), values_.end());
  const uint32_t count = static_cast<uint32_t>(values_.size());
  for (uint32_t i = 0; i < count; ++i) {
    // What starts with this value stands right behind it.
    nodes_.push_back(Narrow({i, count, 0}, values_[i]));
  }
}

StateId States::Of(const Value& value) {
  if (!value.has_value()) return kMissing;
  const absl::string_view bytes = value->view();
  if (grows_) return Intern(Narrow({0, static_cast<uint32_t>(values_.size()), 0}, bytes));
  const uint32_t number = observed_.Find(bytes);
  return number == StringTable::kAbsent ? kOther : kFirstObserved + number;
}

uint32_t States::TextOf(absl::string_view text) const {
  const auto found = std::lower_bound(texts_.begin(), texts_.end(), text);
  Check(found != texts_.end() && *found == text);
  return static_cast<uint32_t>(found - texts_.begin());
}

StateId States::Append(StateId state, uint32_t text) {
  if (state == kOther) return kOther;
  const uint32_t known = appended_.Find(state, text);
  if (known != PairMap::kAbsent) return known;
  const Node from = state == kMissing ? Node{0, static_cast<uint32_t>(values_.size()), 0}
                                      : nodes_[state - kFirstObserved];
  const StateId to = Intern(Narrow(from, texts_[text]));
  appended_.Insert(state, text, to);
  return to;
}

bool States::MayGrowInto(StateId from, StateId to) const {
  if (from == to) return true;
  if (!grows_ || from == kOther || to == kMissing || to == kOther) return false;
  if (from == kMissing) return true;
  CheckLt(to, observed_end());
  const Node& node = nodes_[from - kFirstObserved];
  const uint32_t value = to - kFirstObserved;
  return node.begin <= value && value < node.until;
}

absl::string_view States::value(StateId state) const {
  CheckLe(kFirstObserved, state);
  CheckLt(state, observed_end());
  return values()[state - kFirstObserved];
}

States::Node States::Narrow(Node node, absl::string_view text) const {
  const auto begin = values_.begin() + node.begin;
  const auto until = values_.begin() + node.until;
  const auto part = [&](absl::string_view value) {
    return value.size() <= node.length ? absl::string_view()
                                       : value.substr(node.length, text.size());
  };
  const auto first = std::partition_point(
      begin, until, [&](absl::string_view value) { return part(value) < text; });
  const auto last = std::partition_point(
      first, until, [&](absl::string_view value) { return part(value) == text; });
  return {static_cast<uint32_t>(first - values_.begin()),
          static_cast<uint32_t>(last - values_.begin()), node.length + text.size()};
}

StateId States::Intern(Node node) {
  if (node.begin == node.until) return kOther;
  if (values_[node.begin].size() == node.length) return kFirstObserved + node.begin;
  // A length that does not fit is no key: such values are beyond what a history can hold.
  CheckLt(node.length, size_t{UINT32_MAX});
  const uint32_t length = static_cast<uint32_t>(node.length);
  const uint32_t known = proper_.Find(node.begin, length);
  if (known != PairMap::kAbsent) return known;
  const StateId state = kFirstObserved + static_cast<StateId>(nodes_.size());
  nodes_.push_back(node);
  proper_.Insert(node.begin, length, state);
  return state;
}

}  // namespace lockstep::linearizability
