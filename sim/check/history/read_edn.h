// Jepsen's operations in EDN, one map a line; the order of the lines is time.
//
//   {:process 7, :type :invoke, :f :append, :key "3", :value "x 7 1 y"}
//   {:process 7, :type :ok, :f :append, :key "3", :value "x 7 1 y"}
//
// :type is :invoke, :ok, :fail (certainly had no effect) or :info (unknown). :f is :get, :put,
// :append, :delete or :cas on a key, which begins as ""; or :read, :write or :cas on registers,
// which begin as nil. The key is :key, or the first of a pair [key value] (jepsen.independent), or,
// for a register, nothing. A :cas has the value [expected new]. What else a map holds is skipped,
// and so are lines of processes that are no clients (:nemesis), tags and comments.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_READ_EDN_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_READ_EDN_H_

#include <optional>

#include "core/base/bytes.h"
#include "sim/check/history/recorded.h"

namespace lockstep::history {

// `model`: absent: what the first operation of a client speaks of.
ReadResult ReadEdn(const Bytes& text, std::optional<Model> model);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_READ_EDN_H_
