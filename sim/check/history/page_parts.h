// The files in page/, as the build puts them into the library.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_PAGE_PARTS_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_PAGE_PARTS_H_

namespace lockstep::history {

// With {{STYLE}}, {{SCRIPT}} and {{DATA}} to be filled in.
extern const char kPageHtml[];
extern const char kPageStyle[];
extern const char kPageScript[];

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_PAGE_PARTS_H_
