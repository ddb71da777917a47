#pragma once

/// Everything that can happen to a shard replica: the input of ShardMachine::step. Log events come
/// decoded from the shard's ReplicatedLog; messages of peers come with who sent them.

#include <optional>
#include <variant>

#include "runtime/base/ids.hpp"
#include "runtime/base/replicated_log.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

// --- from the log --------------------------------------------------------------------------------

/// The replica leads from now on; all entries of earlier terms were given out before.
struct Leading {
  base::Epoch epoch;
  base::Term term;
  bool operator==(const Leading&) const = default;
};
struct NotLeading {
  bool operator==(const NotLeading&) const = default;
};
/// An entry is durable for good; given out in index order.
struct Committed {
  base::LogIndex index;
  std::optional<base::LogToken> token;  ///< of this machine's Propose
  protocol::Entry entry;
  bool operator==(const Committed&) const = default;
};
struct OutcomeUnknown {
  base::LogToken token;
  bool operator==(const OutcomeUnknown&) const = default;
};
/// Leadership was confirmed after the Read of this token; state through `index` may be read.
struct ReadReady {
  base::LogToken token;
  base::LogIndex index;
  bool operator==(const ReadReady&) const = default;
};
/// The log did not take a Propose or a Read: surely not done. Never `accepted`.
struct ProposeRefused {
  base::LogToken token;
  base::Admission admission{base::Admission::full};
  bool operator==(const ProposeRefused&) const = default;
};
/// The state at a snapshot; before any Committed.
struct Restored {
  protocol::LedgerImage image;
  bool operator==(const Restored&) const = default;
};

// --- from workers, through the link --------------------------------------------------------------

/// AssignReply, Finish, Renew or (of a node's objects) PinCheck, and the life of the node that sent
/// it.
template <class Message>
struct FromWorker {
  base::NodeId node;
  base::Incarnation incarnation;
  Message message;
  bool operator==(const FromWorker&) const = default;
};
using AssignReplyEvent = FromWorker<protocol::AssignReply>;
using FinishEvent = FromWorker<protocol::Finish>;
using RenewEvent = FromWorker<protocol::Renew>;
using PinCheckEvent = FromWorker<protocol::PinCheck>;

// --- from other shards' leaders, through the link ------------------------------------------------

/// DependencyAsk or DependencyAnswer, and the node that sent it.
template <class Message>
struct FromShard {
  base::NodeId node;
  Message message;
  bool operator==(const FromShard&) const = default;
};
using DependencyAskEvent = FromShard<protocol::DependencyAsk>;
using DependencyAnswerEvent = FromShard<protocol::DependencyAnswer>;

// --- from this node's other actors ---------------------------------------------------------------

/// The cluster as the monitor sees it now: whom to tell of a new leadership, and which lives are
/// over.
struct ViewChanged {
  protocol::SharedView view;
  bool operator==(const ViewChanged&) const = default;
};
/// `next_deadline()` has come.
struct Tick {
  bool operator==(const Tick&) const = default;
};

using Event =
    std::variant<Leading, NotLeading, Committed, OutcomeUnknown, ReadReady, ProposeRefused,
                 Restored, AssignReplyEvent, FinishEvent, RenewEvent, DependencyAskEvent,
                 DependencyAnswerEvent, protocol::ShardRequest, protocol::Place, protocol::Waiting,
                 protocol::NodeLost, ViewChanged, Tick, PinCheckEvent, protocol::DiskRoom>;

}  // namespace fastgpu::ledger
