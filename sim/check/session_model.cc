#include "sim/check/session_model.h"

#include <algorithm>

namespace lockstep::sim {

void SessionModel::OnCommitted(const CommandIdentity& command) {
  OnCommittedAt(Index(places_.size() + 1), command);
  places_.push_back({command, command.sequence == 0 ? Index() : FirstOf(command)});
}

void SessionModel::OnCommittedAt(Index index, const CommandIdentity& command) {
  if (command.registers) Register(index);
  if (command.closes) Expel(command.session);
  if (command.sequence != 0) Execute(command, index);
}

void SessionModel::Execute(const CommandIdentity& command, Index index) {
  if (first_.contains({command.session, command.sequence})) {
    ++duplicates_;
    return;
  }
  uint64_t& done_before = done_before_[command.session];
  if (gone_.contains(command.session) || command.sequence < done_before) return;
  first_.emplace(std::pair(command.session, command.sequence), index);
  done_before = std::max(done_before, command.first_outstanding);
  Use(command.session, index);
}

void SessionModel::Register(Index index) {
  while (used_.size() >= sessions_max_) Expel(by_use_.begin()->second);
  Use(SessionId(index.value()), index);
}

void SessionModel::Expel(SessionId session) {
  const auto found = used_.find(session);
  if (found == used_.end()) return;
  by_use_.erase(found->second);
  used_.erase(found);
  gone_.insert(session);
}

void SessionModel::Use(SessionId session, Index index) {
  const auto [found, fresh] = used_.try_emplace(session, index);
  if (!fresh) by_use_.erase(found->second);
  found->second = index;
  by_use_[index] = session;
}

const SessionModel::Place* SessionModel::At(Index index) const {
  if (!index || index.value() > places_.size()) return nullptr;
  return &places_[index.value() - 1];
}

Index SessionModel::FirstOf(const CommandIdentity& command) const {
  const auto found = first_.find({command.session, command.sequence});
  return found == first_.end() ? Index() : found->second;
}

}  // namespace lockstep::sim
