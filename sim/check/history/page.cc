#include "sim/check/history/page.h"

#include "absl/strings/str_replace.h"
#include "sim/check/history/page_data.h"
#include "sim/check/history/page_parts.h"

namespace lockstep::history {

std::string DrawPage(const Recorded& recorded, const linearizability::Report& report,
                     absl::string_view title) {
  // In one go, so that nothing in the data is taken for a place to fill in.
  return absl::StrReplaceAll(kPageHtml, {{"{{STYLE}}", kPageStyle},
                                         {"{{SCRIPT}}", kPageScript},
                                         {"{{DATA}}", PageData(recorded, report, title)}});
}

}  // namespace lockstep::history
