// One file: read, judged, told, and what a worker process hands to its parent.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_FILE_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_FILE_H_

#include <string>

#include "bin/lockstep_sim_check_options.h"

namespace lockstep::bin {

struct FileReport {
  int exit_code = 0;    // 0, 1, 3, 127 or 129
  std::string line;     // for people: the file, the verdict, what was judged
  std::string details;  // for people: several lines, or none
  std::string json;     // for machines: one object
};

// When a page is drawn of a file.
enum class Page { kNever, kOfFindings, kAlways };

// `html`: where the page goes.
FileReport CheckFile(const std::string& file, const CheckOptions& options, Page page,
                     const std::string& html);
// The worker that had the file died.
FileReport ReportDeath(const std::string& file, const std::string& death);

std::string EncodeFileReport(const FileReport& report);
// REQUIRES: `text` comes from EncodeFileReport.
FileReport DecodeFileReport(const std::string& text);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_FILE_H_
