// Raft's values as text, both ways: what raft::Describe prints can be read back.
#ifndef LOCKSTEP_TESTS_SUPPORT_RAFT_TEXT_H_
#define LOCKSTEP_TESTS_SUPPORT_RAFT_TEXT_H_

#include <string>

#include "core/raft/io.h"
#include "core/raft/messages.h"
#include "core/raft/raft.h"
#include "core/runtime/log.h"
#include "tests/support/datadriven.h"

namespace lockstep::test {

// The rest of a command as a message, in the words of raft::Describe: `term=2 vote? last=(1,4)`.
// Entries are [term.index noop], [term.index 3B] (three bytes) or [term.index text]; the index must
// follow from prev. A snapshot's bytes are given as data=text instead of bytes=3.
raft::Message ParseMessage(Command& command);

// `3,3,4` or `3x5,4`: the terms of consecutive entries from `first` on. Each is a command of one
// byte.
std::vector<Entry> ParseTerms(Command& command, const std::string& text, Index first);
// Base and terms, `(0,0):1,1,2`.
std::string DescribeLog(const raft::RaftLog& log);

std::string Describe(const LogBatch& batch);
// Empty for notes that say what another line says already.
std::string Describe(const raft::LoggedNote& note);
std::string Describe(raft::RefusedWhy why);
const char* NameOf(raft::Role role);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_RAFT_TEXT_H_
