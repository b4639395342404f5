#include "sim/check/history/recorded.h"

#include "core/base/check.h"

namespace lockstep::history {

using linearizability::Kind;

absl::string_view Name(Format format) {
  switch (format) {
    case Format::kJson:
      return "json";
    case Format::kEdn:
      return "edn";
    case Format::kJepsenLog:
      return "jepsen-log";
  }
  Check(false, "unknown format");
  return "";
}

absl::string_view Name(Model model) { return model == Model::kKv ? "kv" : "register"; }

absl::string_view Name(Kind kind, Model model) {
  const bool kv = model == Model::kKv;
  switch (kind) {
    case Kind::kGet:
      return kv ? "get" : "read";
    case Kind::kPut:
      return kv ? "put" : "write";
    case Kind::kAppend:
      return "append";
    case Kind::kDelete:
      return kv ? "delete" : "write";
    case Kind::kCompareAndSwap:
      return "cas";
  }
  Check(false, "unknown kind");
  return "";
}

}  // namespace lockstep::history
