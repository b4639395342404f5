#include "sim/world/software.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace lockstep::sim {

bool StorageRunner::VisitTable(
    GroupId, absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>) const {
  return false;
}

std::string Software::Describe(PacketKind, const Bytes& data) const {
  constexpr size_t kShown = 60;
  std::string text = absl::CHexEscape(data.view().substr(0, kShown));
  if (data.size() > kShown) absl::StrAppend(&text, " and ", data.size() - kShown, " B more");
  return text;
}

}  // namespace lockstep::sim
