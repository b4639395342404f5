#include "net/http/message.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace lockstep::net::http {
namespace {

constexpr std::pair<Method, absl::string_view> kMethods[] = {
    {Method::kGet, "GET"},         {Method::kHead, "HEAD"},     {Method::kPut, "PUT"},
    {Method::kPost, "POST"},       {Method::kDelete, "DELETE"}, {Method::kPatch, "PATCH"},
    {Method::kOptions, "OPTIONS"},
};

constexpr int kWeightMax = 1000;

}  // namespace

absl::string_view Name(Method method) {
  for (const auto& [known, name] : kMethods) {
    if (known == method) return name;
  }
  return "OTHER";
}

Method MethodNamed(absl::string_view name) {
  for (const auto& [method, known] : kMethods) {
    if (known == name) return method;
  }
  return Method::kOther;
}

const std::string* Request::Find(absl::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (absl::EqualsIgnoreCase(field, name)) return &value;
  }
  return nullptr;
}

absl::string_view Request::Field(absl::string_view name) const {
  const std::string* value = Find(name);
  // Not absl::string_view(): StrSplit makes no part of a null one.
  return value == nullptr ? absl::string_view("") : absl::string_view(*value);
}

int WeightOf(absl::string_view list, absl::string_view name) {
  for (absl::string_view item : absl::StrSplit(list, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(item, ';');
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts[0]), name)) continue;
    for (size_t i = 1; i < parts.size(); ++i) {
      absl::string_view parameter = absl::StripAsciiWhitespace(parts[i]);
      if (!absl::ConsumePrefix(&parameter, "q=")) continue;
      double weight = 0;
      if (!absl::SimpleAtod(parameter, &weight)) return 0;
      return static_cast<int>(std::clamp(weight, 0.0, 1.0) * kWeightMax);
    }
    return kWeightMax;
  }
  return 0;
}

}  // namespace lockstep::net::http
