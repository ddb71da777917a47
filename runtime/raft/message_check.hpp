#pragma once

/// The edge of the machine: what no sound peer sends is dropped here, with an Alarm that says why,
/// before any of it reaches a rule. A message may be old, lost or repeated and still be sound.

#include <optional>

#include "runtime/raft/log_view.hpp"
#include "runtime/raft/raft_effects.hpp"
#include "runtime/raft/raft_options.hpp"

namespace fastgpu::raft {

/// What the check needs to know of the machine.
struct Standing {
  const RaftOptions& options;
  base::Epoch epoch;
  base::Term term;
  bool leads{false};
  std::optional<base::NodeId> leader;  ///< of this term
  const LogView& log;
};

bool is_reply(const Body& body);
/// Entries, or a piece of a snapshot.
bool is_from_leader(const Body& body);

/// Why the message is refused, or none.
std::optional<AlarmKind> objection(const Message& message, const Standing& standing);

}  // namespace fastgpu::raft
