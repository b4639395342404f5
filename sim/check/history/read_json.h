// Our own format: JSON lines. docs/check.md is its description.
//
//   {"format":"lockstep-history","version":1,"model":"kv","initial":null}
//   {"process":7,"op":"put","key":"a","value":"1","start":10,"end":14,"outcome":"ok"}
//
// or, with the order of the lines as time,
//
//   {"process":7,"type":"invoke","op":"put","key":"a","value":"1"}
//   {"process":7,"type":"ok"}
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_READ_JSON_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_READ_JSON_H_

#include <optional>

#include "core/base/bytes.h"
#include "sim/check/history/recorded.h"

namespace lockstep::history {

// `model`: absent: as the header says, or kv.
ReadResult ReadJson(const Bytes& text, std::optional<Model> model);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_READ_JSON_H_
