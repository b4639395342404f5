// ToText and FromText of message_mutator.h.
#include <limits>
#include <vector>

#include "fuzz/support/message_mutator.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"

namespace lockstep::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// Says nothing: most inputs that cannot be read are libFuzzer's own, while it looks for shorter
// ones.
class Silent final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
  void AddWarning(int, int, const std::string&) override {}
};

void AppendElement(const TextFormat::Printer& printer, const Message& message,
                   const FieldDescriptor* field, int at, std::string* text) {
  std::string value;
  printer.PrintFieldValueToString(message, field, at, &value);
  const bool nested = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  text->append(field->name()).append(nested ? " { " : ": ").append(value);
  text->append(nested ? "}\n" : "\n");
}

}  // namespace

std::string ToText(const Message& message) {
  TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const int size = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : -1;
    if (size < 0) AppendElement(printer, message, field, -1, &text);
    for (int i = 0; i < size; ++i) AppendElement(printer, message, field, i, &text);
  }
  return text;
}

bool FromText(absl::string_view text, Message* message) {
  if (text.size() > size_t{std::numeric_limits<int>::max()}) return false;
  TextFormat::Parser parser;
  Silent silent;
  parser.RecordErrorsTo(&silent);
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  return parser.Parse(&stream, message);
}

}  // namespace lockstep::fuzz
