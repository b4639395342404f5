#include "fuzz/support/message_values.h"

#include <memory>
#include <string>

namespace lockstep::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr uint64_t kTextBytesMax = 40;  // of what is drawn; what is there grows by less at a time

uint64_t NewNumber(Rng& rng, uint64_t old) {
  switch (rng.Below(8)) {
    case 0:
    case 1:
    case 2:
      return rng.Below(8);
    case 3:
      return old + 1 + rng.Below(4);
    case 4:
      return old - 1 - rng.Below(4);
    case 5:
      return old ^ (uint64_t{1} << rng.Below(64));
    case 6: {
      // Around powers of two is where numbers overflow.
      const uint64_t power = uint64_t{1} << rng.Below(64);
      return power - rng.Below(2);
    }
    default:
      return rng.Chance({1, 8}) ? UINT64_MAX - rng.Below(2) : rng.Below(1024);
  }
}

// ASCII where the type says so: other text cannot be parsed again.
std::string NewText(Rng& rng, std::string text, bool ascii) {
  const auto byte = [&] {
    static constexpr char kFew[] = "abcd01{}";
    const bool few = rng.Chance({3, 4});
    const uint64_t any = rng.Next();
    return few ? kFew[any % (sizeof(kFew) - 1)] : static_cast<char>(any % (ascii ? 128 : 256));
  };
  const auto place = [&] { return static_cast<size_t>(rng.Below(text.size())); };
  const uint64_t dice = text.empty() ? 0 : rng.Below(6);
  if (dice == 0) {
    const uint64_t length = rng.Chance({7, 8}) ? rng.Below(4) : rng.Below(kTextBytesMax);
    text.clear();
    for (uint64_t i = 0; i < length; ++i) text.push_back(byte());
  } else if (dice == 1) {
    text[place()] = byte();
  } else if (dice == 2) {
    text.insert(place(), 1, byte());
  } else if (dice == 3) {
    text.erase(place(), 1);
  } else if (dice == 4) {
    text.append(text.substr(0, kTextBytesMax / 2));
  } else {
    char& flipped = text[place()];
    flipped = static_cast<char>(flipped ^ (1 << rng.Below(ascii ? 6 : 8)));
  }
  return text;
}

int NewEnum(Rng& rng, const FieldDescriptor* field) {
  // Enums are open: a number that this version does not know may come.
  if (rng.Chance({1, 16})) return static_cast<int>(rng.Below(64));
  const auto* type = field->enum_type();
  return type->value(static_cast<int>(rng.Below(static_cast<uint64_t>(type->value_count()))))
      ->number();
}

}  // namespace

void ChangeScalar(Rng& rng, const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  if (reflection->HasField(*message, field) && rng.Chance({1, 10})) {
    return reflection->ClearField(message, field);
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->SetInt32(
          message, field,
          static_cast<int32_t>(NewNumber(
              rng, static_cast<uint64_t>(int64_t{reflection->GetInt32(*message, field)}))));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(
          message, field,
          static_cast<int64_t>(
              NewNumber(rng, static_cast<uint64_t>(reflection->GetInt64(*message, field)))));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->SetUInt32(
          message, field,
          static_cast<uint32_t>(NewNumber(rng, reflection->GetUInt32(*message, field))));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->SetUInt64(message, field,
                                   NewNumber(rng, reflection->GetUInt64(*message, field)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->SetBool(message, field, !reflection->GetBool(*message, field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnumValue(message, field, NewEnum(rng, field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool ascii = field->type() == FieldDescriptor::TYPE_STRING;
      return reflection->SetString(message, field,
                                   NewText(rng, reflection->GetString(*message, field), ascii));
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

void ChangeElement(Rng& rng, const FieldDescriptor* field, int at, Message* message) {
  AddScalar(rng, field, message);
  const Reflection* reflection = message->GetReflection();
  const int last = reflection->FieldSize(*message, field) - 1;
  if (last < 0) return;
  reflection->SwapElements(message, field, at, last);
  reflection->RemoveLast(message, field);
}

void AddScalar(Rng& rng, const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  const int size = reflection->FieldSize(*message, field);
  const bool near = size > 0 && rng.Chance({1, 2});
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->AddInt32(message, field, static_cast<int32_t>(NewNumber(rng, 0)));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->AddInt64(message, field, static_cast<int64_t>(NewNumber(rng, 0)));
    case FieldDescriptor::CPPTYPE_UINT32: {
      const uint32_t old = near ? reflection->GetRepeatedUInt32(*message, field, size - 1) : 0;
      return reflection->AddUInt32(message, field, static_cast<uint32_t>(NewNumber(rng, old)));
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t old = near ? reflection->GetRepeatedUInt64(*message, field, size - 1) : 0;
      return reflection->AddUInt64(message, field, NewNumber(rng, old));
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->AddBool(message, field, rng.Chance({1, 2}));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->AddEnumValue(message, field, NewEnum(rng, field));
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string old = near ? reflection->GetRepeatedString(*message, field, size - 1) : "";
      const bool ascii = field->type() == FieldDescriptor::TYPE_STRING;
      return reflection->AddString(message, field, NewText(rng, std::move(old), ascii));
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return;
  }
}

void CopyElement(const Message& from, const FieldDescriptor* field, int at, Message* to) {
  const Reflection* reflection = from.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->AddInt32(to, field, reflection->GetRepeatedInt32(from, field, at));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->AddInt64(to, field, reflection->GetRepeatedInt64(from, field, at));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->AddUInt32(to, field, reflection->GetRepeatedUInt32(from, field, at));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->AddUInt64(to, field, reflection->GetRepeatedUInt64(from, field, at));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->AddBool(to, field, reflection->GetRepeatedBool(from, field, at));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->AddEnumValue(to, field, reflection->GetRepeatedEnumValue(from, field, at));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->AddString(to, field, reflection->GetRepeatedString(from, field, at));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection->AddFloat(to, field, reflection->GetRepeatedFloat(from, field, at));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->AddDouble(to, field, reflection->GetRepeatedDouble(from, field, at));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  const std::unique_ptr<Message> copy(reflection->GetRepeatedMessage(from, field, at).New());
  copy->CopyFrom(reflection->GetRepeatedMessage(from, field, at));
  reflection->AddMessage(to, field)->CopyFrom(*copy);
}

}  // namespace lockstep::fuzz
