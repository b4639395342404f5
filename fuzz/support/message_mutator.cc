#include "fuzz/support/message_mutator.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "fuzz/support/message_values.h"
#include "google/protobuf/descriptor.h"

namespace lockstep::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

// Lists and the depth of what is drawn anew. What is copied may be larger: `bytes_max` is the
// bound.
constexpr int kFreshElementsMax = 2;
constexpr int kFreshDepthMax = 4;
constexpr uint64_t kRunMax = 8;  // elements copied or removed together

// A field of some message in the tree, or a oneof of it.
struct Site {
  Message* in = nullptr;
  const FieldDescriptor* field = nullptr;
  const OneofDescriptor* oneof = nullptr;
};

bool IsMessage(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

// All messages of the tree, itself first.
void Collect(Message* message, std::vector<Message*>* all) {
  all->push_back(message);
  const Reflection* reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(*message, &set);
  for (const FieldDescriptor* field : set) {
    if (!IsMessage(field)) continue;
    if (!field->is_repeated()) {
      Collect(reflection->MutableMessage(message, field), all);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      Collect(reflection->MutableRepeatedMessage(message, field, i), all);
    }
  }
}

void CollectSites(const std::vector<Message*>& all, std::vector<Site>* lists,
                  std::vector<Site>* others) {
  for (Message* message : all) {
    const Descriptor* type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->real_containing_oneof() != nullptr) continue;
      (field->is_repeated() ? lists : others)->push_back({.in = message, .field = field});
    }
    for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
      const OneofDescriptor* oneof = type->oneof_decl(i);
      others->push_back({.in = message, .oneof = oneof});
      // What is set is a place for changes too.
      const FieldDescriptor* set =
          message->GetReflection()->GetOneofFieldDescriptor(*message, oneof);
      if (set != nullptr) others->push_back({.in = message, .field = set});
    }
  }
}

template <class T>
const T& AnyOf(Rng& rng, const std::vector<T>& all) {
  return all[static_cast<size_t>(rng.Below(all.size()))];
}

class Mutator {
 public:
  Mutator(Rng& rng, Message* root) : rng_(rng) {
    Collect(root, &all_);
    CollectSites(all_, &lists_, &others_);
  }

  void Change() {
    const bool list = others_.empty() || (!lists_.empty() && rng_.Chance({1, 2}));
    if (list) {
      // The outermost is the script itself: the one that matters most.
      const bool outer = rng_.Chance({1, 2});
      return ChangeList(outer ? lists_.front() : AnyOf(rng_, lists_));
    }
    if (others_.empty()) return;  // A type without fields.
    const Site& site = AnyOf(rng_, others_);
    if (site.oneof != nullptr) return SwitchOneof(site);
    if (IsMessage(site.field)) return ChangeMessage(site);
    ChangeScalar(rng_, site.field, site.in);
  }

  void Fill(Message* message, int depth) {
    const Descriptor* type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->real_containing_oneof() == nullptr && rng_.Chance({2, 3})) {
        FillField(field, depth, message);
      }
    }
    for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
      FillField(AnyMemberOf(type->oneof_decl(i)), depth, message);
    }
  }

 private:
  const FieldDescriptor* AnyMemberOf(const OneofDescriptor* oneof) {
    return oneof->field(static_cast<int>(rng_.Below(static_cast<uint64_t>(oneof->field_count()))));
  }

  void FillField(const FieldDescriptor* field, int depth, Message* message) {
    const Reflection* reflection = message->GetReflection();
    const uint64_t count = field->is_repeated() ? rng_.Below(kFreshElementsMax + 1) : 1;
    for (uint64_t i = 0; i < count; ++i) {
      if (!IsMessage(field)) {
        field->is_repeated() ? AddScalar(rng_, field, message) : ChangeScalar(rng_, field, message);
      } else if (depth < kFreshDepthMax) {
        Fill(field->is_repeated() ? reflection->AddMessage(message, field)
                                  : reflection->MutableMessage(message, field),
             depth + 1);
      }
    }
  }

  void SwitchOneof(const Site& site) {
    if (rng_.Chance({1, 16})) return site.in->GetReflection()->ClearOneof(site.in, site.oneof);
    const FieldDescriptor* member = AnyMemberOf(site.oneof);
    site.in->GetReflection()->ClearField(site.in, member);
    FillField(member, 0, site.in);
  }

  void ChangeMessage(const Site& site) {
    const Reflection* reflection = site.in->GetReflection();
    const bool set = reflection->HasField(*site.in, site.field);
    if (set && rng_.Chance({1, 4})) return reflection->ClearField(site.in, site.field);
    Message* message = reflection->MutableMessage(site.in, site.field);
    if (!rng_.Chance({1, 2}) || !Overwrite(message)) Fill(message, 0);
  }

  // By another one of its type. False: there is none.
  bool Overwrite(Message* message) {
    std::vector<Message*> same;
    for (Message* other : all_) {
      if (other != message && other->GetDescriptor() == message->GetDescriptor())
        same.push_back(other);
    }
    if (same.empty()) return false;
    // By way of a copy: one may be a part of the other.
    const std::unique_ptr<Message> copy(message->New());
    copy->CopyFrom(*AnyOf(rng_, same));
    message->CopyFrom(*copy);
    return true;
  }

  void ChangeList(const Site& site) {
    const Reflection* reflection = site.in->GetReflection();
    const auto size = static_cast<uint64_t>(reflection->FieldSize(*site.in, site.field));
    const uint64_t dice = size == 0 ? 0 : rng_.Below(10);
    if (dice < 3) return Add(site);
    const int at = static_cast<int>(rng_.Below(size));
    if (dice < 5)
      return Remove(site, at, 1 + static_cast<int>(rng_.Below(2) * rng_.Below(kRunMax)));
    if (dice < 7)
      return Repeat(site, at, 1 + static_cast<int>(rng_.Below(2) * rng_.Below(kRunMax)));
    if (dice == 7) {
      const int other = static_cast<int>(rng_.Below(size));
      return reflection->SwapElements(site.in, site.field, at, other);
    }
    if (dice == 8) return MoveElement(site, at, static_cast<int>(rng_.Below(size)));
    if (!IsMessage(site.field)) return ChangeElement(rng_, site.field, at, site.in);
    Message* element = reflection->MutableRepeatedMessage(site.in, site.field, at);
    element->Clear();
    Fill(element, 0);
  }

  void Add(const Site& site) {
    FillOne(site);
    const int last = site.in->GetReflection()->FieldSize(*site.in, site.field) - 1;
    MoveElement(site, last, static_cast<int>(rng_.Below(static_cast<uint64_t>(last) + 1)));
  }

  void FillOne(const Site& site) {
    if (!IsMessage(site.field)) return AddScalar(rng_, site.field, site.in);
    Fill(site.in->GetReflection()->AddMessage(site.in, site.field), 0);
  }

  // Moves, so that what lies between keeps its order.
  static void MoveElement(const Site& site, int from, int to) {
    const Reflection* reflection = site.in->GetReflection();
    for (; from < to; ++from) reflection->SwapElements(site.in, site.field, from, from + 1);
    for (; from > to; --from) reflection->SwapElements(site.in, site.field, from, from - 1);
  }

  static void Remove(const Site& site, int at, int count) {
    const Reflection* reflection = site.in->GetReflection();
    for (; count > 0 && at < reflection->FieldSize(*site.in, site.field); --count) {
      MoveElement(site, at, reflection->FieldSize(*site.in, site.field) - 1);
      reflection->RemoveLast(site.in, site.field);
    }
  }

  // A run of elements once more, somewhere.
  void Repeat(const Site& site, int at, int count) {
    const Reflection* reflection = site.in->GetReflection();
    const int size = reflection->FieldSize(*site.in, site.field);
    const int to = static_cast<int>(rng_.Below(static_cast<uint64_t>(size) + 1));
    for (int i = 0; i < count && at + i < size; ++i) {
      CopyElement(*site.in, site.field, at + i, site.in);
    }
    const int copied = reflection->FieldSize(*site.in, site.field) - size;
    for (int i = 0; i < copied; ++i) MoveElement(site, size + i, to + i);
  }

  Rng& rng_;
  std::vector<Message*> all_;
  std::vector<Site> lists_;
  std::vector<Site> others_;
};

// What `change` does to a copy, if that is not too large.
template <class Change>
void WithinBytes(size_t bytes_max, Message* message, Change change) {
  const std::unique_ptr<Message> copy(message->New());
  copy->CopyFrom(*message);
  change(copy.get());
  const size_t bytes = ToText(*copy).size();
  const bool fits = bytes <= bytes_max || bytes <= ToText(*message).size();
  if (fits) message->GetReflection()->Swap(message, copy.get());
}

// A run of a list of `other`, somewhere in the same list here.
void Splice(Rng& rng, Message& other, const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  const auto size = static_cast<uint64_t>(reflection->FieldSize(other, field));
  if (size == 0) return;
  const uint64_t from = rng.Below(size);
  const uint64_t count = 1 + rng.Below(size - from);
  const int before = reflection->FieldSize(*message, field);
  const int to = static_cast<int>(rng.Below(static_cast<uint64_t>(before) + 1));
  for (uint64_t i = 0; i < count; ++i) {
    CopyElement(other, field, static_cast<int>(from + i), message);
  }
  // Behind, or in the middle: then what was behind follows.
  for (int i = to; i < before; ++i) CopyElement(*message, field, i, message);
  const int after = reflection->FieldSize(*message, field);
  for (int i = to; i + before - to < after; ++i) {
    reflection->SwapElements(message, field, i, i + before - to);
  }
  for (int i = to; i < before; ++i) reflection->RemoveLast(message, field);
}

}  // namespace

void Mutate(Rng& rng, size_t bytes_max, Message* message) {
  const uint64_t changes = 1 + (rng.Chance({1, 2}) ? 0 : rng.Below(3));
  for (uint64_t i = 0; i < changes; ++i) {
    WithinBytes(bytes_max, message, [&](Message* copy) { Mutator(rng, copy).Change(); });
  }
}

void CrossOver(Rng& rng, const Message& other, size_t bytes_max, Message* message) {
  const std::unique_ptr<Message> donor(other.New());
  donor->CopyFrom(other);
  std::vector<Message*> donors;
  Collect(donor.get(), &donors);
  std::vector<Site> lists;
  std::vector<Site> unused;
  CollectSites({donor.get()}, &lists, &unused);
  const bool splice = !lists.empty() && rng.Chance({1, 2});
  WithinBytes(bytes_max, message, [&](Message* copy) {
    if (splice) return Splice(rng, *donor, AnyOf(rng, lists).field, copy);
    Message* part = AnyOf(rng, donors);
    std::vector<Message*> all;
    Collect(copy, &all);
    std::erase_if(
        all, [&](const Message* one) { return one->GetDescriptor() != part->GetDescriptor(); });
    if (!all.empty()) AnyOf(rng, all)->CopyFrom(*part);
  });
}

}  // namespace lockstep::fuzz
