#include "sim/check/session_model.h"

namespace lockstep::sim {

void SessionModel::OnCommitted(const CommandIdentity& command) {
  const Index index(places_.size() + 1);
  Index first;
  if (command.sequence != 0) {
    const auto [found, fresh] = first_.try_emplace({command.session, command.sequence}, index);
    first = found->second;
    if (!fresh) ++duplicates_;
  }
  places_.push_back({command, first});
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
