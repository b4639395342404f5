#include "tests/unit/linearizability/support.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::linearizability {
namespace {

Operation Make(Kind kind, int64_t invoked, int64_t returned) {
  Operation operation;
  operation.process = 1;
  operation.kind = kind;
  operation.key = Bytes::Copy("x");
  operation.outcome = Outcome::kDone;
  operation.invoked = At(invoked);
  operation.returned = At(returned);
  return operation;
}

}  // namespace

Operation Get(int64_t invoked, int64_t returned, Value result) {
  Operation operation = Make(Kind::kGet, invoked, returned);
  operation.result = std::move(result);
  return operation;
}
Operation Put(int64_t invoked, int64_t returned, absl::string_view value) {
  Operation operation = Make(Kind::kPut, invoked, returned);
  operation.value = Bytes::Copy(value);
  return operation;
}
Operation Append(int64_t invoked, int64_t returned, absl::string_view value) {
  Operation operation = Make(Kind::kAppend, invoked, returned);
  operation.value = Bytes::Copy(value);
  return operation;
}
Operation Delete(int64_t invoked, int64_t returned) {
  return Make(Kind::kDelete, invoked, returned);
}
Operation Cas(int64_t invoked, int64_t returned, Value expected, Value value) {
  Operation operation = Make(Kind::kCompareAndSwap, invoked, returned);
  operation.expected = std::move(expected);
  operation.value = std::move(value);
  return operation;
}
Operation Mismatch(int64_t invoked, int64_t returned, Value expected, Value value, Value found) {
  Operation operation = Cas(invoked, returned, std::move(expected), std::move(value));
  operation.outcome = Outcome::kMismatch;
  operation.result = std::move(found);
  return operation;
}
Operation BareMismatch(int64_t invoked, int64_t returned, Value expected, Value value) {
  Operation operation = Mismatch(invoked, returned, std::move(expected), std::move(value), {});
  operation.result_known = false;
  return operation;
}
Operation Open(Operation operation) {
  operation.outcome = Outcome::kUnknown;
  operation.result.reset();
  operation.returned = kNever;
  return operation;
}
Operation On(absl::string_view key, Operation operation) {
  operation.key = Bytes::Copy(key);
  return operation;
}

History Of(std::vector<Operation> operations) {
  History history;
  for (size_t i = 0; i < operations.size(); ++i) operations[i].process = i + 1;
  history.operations = std::move(operations);
  return history;
}

namespace {

// A store in which each call takes effect at one moment between its invocation and its return.
class Store {
 public:
  Store(Rng rng, const Shape& shape) : rng_(rng), shape_(shape), current_(shape.processes) {}

  History Run() {
    history_.initial = shape_.initial;
    for (uint32_t p = 0; p < shape_.processes; ++p) Renew(current_[p]);
    while (issued_ < shape_.operations || Busy()) {
      time_ += shape_.numbered ? 1 : static_cast<int64_t>(rng_.Below(3));
      const uint32_t p = static_cast<uint32_t>(rng_.Below(shape_.processes));
      StepClient(current_[p]);
      if (!lost_.empty() && rng_.Chance({1, 4})) StepLost();
    }
    return std::move(history_);
  }

 private:
  struct Client {
    uint64_t process = 0;
    bool busy = false;
    bool effective = false;
    size_t operation = 0;
  };

  bool Busy() const {
    return std::any_of(current_.begin(), current_.end(), [](const Client& c) { return c.busy; });
  }
  void Renew(Client& client) { client = {++processes_, false, false, 0}; }

  void StepClient(Client& client) {
    if (!client.busy) {
      if (issued_ < shape_.operations) Invoke(client);
    } else if (!client.effective) {
      client.effective = true;
      Effect(history_.operations[client.operation]);
    } else {
      history_.operations[client.operation].returned = At(time_);
      client.busy = false;
    }
  }

  // An open operation takes effect some time after its client has given up, or never.
  void StepLost() {
    const size_t i = lost_[rng_.Below(lost_.size())];
    lost_.erase(std::find(lost_.begin(), lost_.end(), i));
    Operation& operation = history_.operations[i];
    if (rng_.Chance({1, 2})) Effect(operation);
    if (!rng_.Chance(shape_.open_witness)) operation.witness.reset();
    operation.outcome = Outcome::kUnknown;
    operation.result.reset();
  }

  void Invoke(Client& client) {
    ++issued_;
    client.busy = true;
    client.effective = false;
    client.operation = history_.operations.size();
    history_.operations.push_back(Draw());
    Operation& operation = history_.operations.back();
    operation.process = client.process;
    operation.invoked = At(time_);
    if (!rng_.Chance(shape_.open)) return;
    lost_.push_back(client.operation);
    Renew(client);
  }

  Operation Draw() {
    Operation operation;
    operation.key = Bytes::Copy(absl::StrCat("k", rng_.Below(shape_.keys)));
    const uint64_t dice = rng_.Below(10);
    if (dice < 4) {
      operation.kind = Kind::kGet;
    } else if (dice < 6 && shape_.swaps) {
      operation.kind = Kind::kCompareAndSwap;
      operation.expected = Expectation(operation.key);
      if (!shape_.deletes || !rng_.Chance({1, 4})) operation.value = Fresh();
    } else if (dice < 8 && shape_.appends) {
      operation.kind = Kind::kAppend;
      operation.value = Fresh();
    } else if (dice < 9 || !shape_.deletes) {
      operation.kind = Kind::kPut;
      operation.value = Fresh();
    } else {
      operation.kind = Kind::kDelete;
    }
    return operation;
  }

  Value Fresh() {
    if (shape_.unique) return Text(absl::StrCat("v", ++values_, ";"));
    static constexpr absl::string_view kFew[] = {"a", "b", "ab", ""};
    return Text(kFew[rng_.Below(4)]);
  }

  Value Expectation(const Bytes& key) {
    const uint64_t dice = rng_.Below(4);
    if (dice < 3) return Held(key);
    if (!shape_.unique) return Fresh();
    return Text(absl::StrCat("v", rng_.Between(uint64_t{1}, values_ + 1), ";"));
  }

  Value Held(const Bytes& key) const {
    const auto found = state_.find(std::string(key.view()));
    return found == state_.end() ? shape_.initial : found->second;
  }

  void Effect(Operation& operation) {
    Value& held = state_.emplace(operation.key.view(), shape_.initial).first->second;
    operation.outcome = Outcome::kDone;
    if (operation.kind == Kind::kGet) {
      operation.result = held;
    } else {
      ++index_;
    }
    operation.witness = Witness{0, index_};
    if (operation.kind == Kind::kPut) held = operation.value;
    if (operation.kind == Kind::kDelete) held.reset();
    if (operation.kind == Kind::kAppend) {
      const absl::string_view old = held.has_value() ? held->view() : absl::string_view();
      held = Text(absl::StrCat(old, operation.value->view()));
    }
    if (operation.kind != Kind::kCompareAndSwap) return;
    if (held == operation.expected) {
      held = operation.value;
      return;
    }
    operation.outcome = Outcome::kMismatch;
    operation.result_known = !(shape_.bare && rng_.Chance({1, 2}));
    if (operation.result_known) operation.result = held;
  }

  Rng rng_;
  const Shape& shape_;
  std::vector<Client> current_;
  std::vector<size_t> lost_;
  std::map<std::string, Value> state_;
  History history_;
  int64_t time_ = 0;
  uint32_t issued_ = 0;
  uint64_t processes_ = 0;
  uint64_t values_ = 0;
  uint64_t index_ = 0;
};

// Some value that occurs in the history, or missing.
Value SomeValue(Rng& rng, const History& history) {
  const Operation& other = history.operations[rng.Below(history.operations.size())];
  const uint64_t dice = rng.Below(8);
  if (dice < 4) return other.result;
  if (dice < 7) return other.value;
  return std::nullopt;
}

}  // namespace

History Simulate(Rng rng, const Shape& shape) { return Store(rng, shape).Run(); }

Shape RandomShape(Rng& rng, bool unique) {
  Shape shape;
  shape.unique = unique;
  shape.operations = static_cast<uint32_t>(rng.Between(uint64_t{2}, 9));
  shape.processes = static_cast<uint32_t>(rng.Between(uint64_t{1}, 5));
  shape.keys = rng.Chance({1, 5}) ? 2 : 1;
  shape.appends = rng.Chance({1, 2});
  shape.swaps = rng.Chance({1, 2});
  shape.deletes = rng.Chance({1, 2});
  shape.bare = rng.Chance({1, 4});
  shape.numbered = rng.Chance({1, 2});
  if (rng.Chance({1, 2})) shape.open = {1, 4};
  if (rng.Chance({1, 4})) shape.initial = Text("");
  return shape;
}

void Mutate(Rng& rng, History* history) {
  if (history->operations.empty()) return;
  const size_t i = rng.Below(history->operations.size());
  Operation& operation = history->operations[i];
  const uint64_t dice = rng.Below(8);
  if (dice < 4 && !operation.open()) {
    operation.result = SomeValue(rng, *history);
  } else if (dice == 4 && !operation.open()) {
    const Operation& other = history->operations[rng.Below(history->operations.size())];
    const Duration length = operation.returned - operation.invoked;
    operation.invoked = other.invoked;
    operation.returned = operation.invoked + length;
  } else if (dice == 5 && !operation.open()) {
    const Duration length = operation.returned - operation.invoked;
    operation.returned = operation.invoked + length / 2;
  } else if (dice == 6) {
    history->operations.erase(history->operations.begin() + static_cast<std::ptrdiff_t>(i));
  } else if (operation.kind == Kind::kCompareAndSwap && operation.outcome == Outcome::kMismatch) {
    operation.outcome = Outcome::kDone;
  } else if (operation.kind == Kind::kPut) {
    operation.value = SomeValue(rng, *history);
    if (!operation.value.has_value()) operation.kind = Kind::kDelete;
  }
}

namespace {

class AllOrders {
 public:
  explicit AllOrders(const History& history) : history_(history) {}

  bool Search(uint32_t placed, std::map<std::string, Value> state) {
    if (Finished(placed)) return true;
    std::string memo = absl::StrCat(placed);
    for (const auto& [key, value] : state)
      absl::StrAppend(&memo, "|", key, value.has_value() ? "=" : "-",
                      value.has_value() ? value->view() : "");
    if (!seen_.insert(memo).second) return false;
    for (uint32_t i = 0; i < history_.operations.size(); ++i) {
      if ((placed >> i) & 1 || !MayBeNext(placed, i)) continue;
      std::map<std::string, Value> after = state;
      const Operation& operation = history_.operations[i];
      Value& held = after.emplace(operation.key.view(), history_.initial).first->second;
      if (Execute(operation, held) && Search(placed | (1U << i), after)) return true;
    }
    return false;
  }

 private:
  bool Finished(uint32_t placed) const {
    for (uint32_t i = 0; i < history_.operations.size(); ++i) {
      if (!history_.operations[i].open() && !((placed >> i) & 1)) return false;
    }
    return true;
  }
  bool MayBeNext(uint32_t placed, uint32_t i) const {
    for (uint32_t j = 0; j < history_.operations.size(); ++j) {
      const Operation& other = history_.operations[j];
      if (j == i || other.open() || (placed >> j) & 1) continue;
      if (other.returned < history_.operations[i].invoked) return false;
    }
    return true;
  }
  static bool Execute(const Operation& operation, Value& held) {
    switch (operation.kind) {
      case Kind::kGet:
        return operation.open() || operation.result == held;
      case Kind::kPut:
        held = operation.value;
        return true;
      case Kind::kAppend:
        held = Text(absl::StrCat(held.has_value() ? held->view() : "", operation.value->view()));
        return true;
      case Kind::kDelete:
        held.reset();
        return true;
      case Kind::kCompareAndSwap:
        break;
    }
    const bool matches = held == operation.expected;
    if (operation.outcome == Outcome::kMismatch)
      return !matches && (!operation.result_known || operation.result == held);
    if (matches) held = operation.value;
    return matches || operation.open();
  }

  const History& history_;
  std::set<std::string> seen_;
};

}  // namespace

bool BruteForce(const History& history) { return AllOrders(history).Search(0, {}); }

History Part(const History& history, const Counterexample& example) {
  const Instant cut = history.operations[example.unplaced].returned;
  History part;
  part.initial = history.initial;
  for (size_t i : example.operations) {
    Operation operation = history.operations[i];
    if (operation.invoked > cut) continue;
    if (!operation.open() && operation.returned > cut) {
      if (operation.kind == Kind::kGet || operation.outcome == Outcome::kMismatch) continue;
      operation = Open(operation);
    }
    part.operations.push_back(operation);
  }
  return part;
}

Verdict Only(Algorithm algorithm, const History& history) {
  Options options;
  options.use = {false, false, false, false};
  options.use[static_cast<size_t>(algorithm)] = true;
  options.shrink_steps_max = 0;
  return CheckHistory(history, options).verdict;
}

std::string Dump(const History& history) {
  std::string text = absl::StrCat("initial ", Describe(history.initial), "\n");
  for (const Operation& operation : history.operations) {
    absl::StrAppend(&text, Describe(operation));
    if (operation.witness.has_value()) absl::StrAppend(&text, " @", operation.witness->index);
    text += "\n";
  }
  return text;
}

}  // namespace lockstep::linearizability
