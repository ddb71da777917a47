#pragma once

/// What nodes say to each other. The frame around a message names cluster, sending node and its
/// incarnation; a message to or from a shard's leader names shard, epoch and term in its attempt or
/// itself. Every message may be lost, repeated or late; receivers answer a repeat from their books.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/dependency.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/raft_messages.hpp"

namespace fastgpu::protocol {

// --- monitor to monitor --------------------------------------------------------------------------

/// I live, I lead these, my devices stand so. Sent to every member each heartbeat interval.
struct Heartbeat {
  NodeInfo self;
  std::vector<LedShard> leads;
  std::vector<DeviceBooks> devices;
  std::uint64_t members_version{};     ///< of the root's member list on the sender's disk
  std::optional<NodeDuties> duties{};  ///< none: not all parts of the sender have told it theirs
  bool operator==(const Heartbeat&) const = default;
};
/// Send me your list of members: yours is newer.
struct MembersAsk {
  bool operator==(const MembersAsk&) const = default;
};
struct Members {
  std::uint64_t version{};  ///< the root's log index that changed it last
  std::vector<NodeInfo> members;
  std::vector<ShardPlan> plan{};     ///< by shard
  std::vector<ClientKey> clients{};  ///< by name
  std::vector<JoinToken> tokens{};   ///< not used yet, by hash
  std::uint32_t replicas{};          ///< of each shard, as was asked for; 0 = nobody did: 3
  bool operator==(const Members&) const = default;
};

// --- shard leader to worker ----------------------------------------------------------------------

/// Run these tasks under this attempt, if your books allow it. Answered by AssignReply.
struct Assign {
  base::AttemptId attempt;
  base::JobId job;
  std::vector<base::TaskRange> ranges;
  base::DeviceId device;
  base::Incarnation incarnation;  ///< the life of the worker's node that is meant; else refused
  SharedSpec spec;
  /// Of commands, on the worker's own clock: later it starts them only when a Renew that listed the
  /// attempt was answered, since they may have been placed anew by then.
  std::int64_t start_before_ns{};
  bool lost_before{false};  ///< a node was lost that had them: they go before all that waits
  bool operator==(const Assign&) const = default;
};
/// Stop these tasks, or forget them: cancelled, superseded, or terminal. Answered by Finish or by
/// leaving them out of the next Renew.
struct Stop {
  base::AttemptId attempt;
  base::JobId job;
  base::DeviceId device;
  std::vector<base::TaskRange> ranges;
  bool operator==(const Stop&) const = default;
};
/// I lead this shard now: refuse lower terms, and report with Renew and your unsettled Finishes.
struct Adopt {
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;
  bool operator==(const Adopt&) const = default;
};
/// Your Finish of these tasks is decided for good (recorded, or refused by the fence): forget it.
struct Settled {
  base::AttemptId attempt;
  base::JobId job;
  base::DeviceId device;
  std::vector<base::TaskRange> ranges;
  bool operator==(const Settled&) const = default;
};
/// The lease holds for `lease_ns` from the worker's sending of the Renew that it answers.
struct Renewed {
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;
  base::DeviceId device;
  std::int64_t asked_at_ns{};  ///< `Renew::asked_at_ns`, given back; the worker's own clock
  std::int64_t lease_ns{};
  std::vector<Stop> stop;  ///< attempts that the worker listed and should not go on with
  /// The same for running commands whose job names no length of its own, and from there as well.
  std::int64_t command_lease_ns{};
  bool operator==(const Renewed&) const = default;
};

// --- worker to shard leader ----------------------------------------------------------------------

enum class RefusalReason : std::uint8_t {
  none,
  stale_incarnation,
  stale_attempt,  ///< a lower epoch or term than seen, or not above the newest of that task
  no_memory,
  queue_full,
  wrong_device_kind,
  unhealthy,
  draining,
};
const char* to_word(RefusalReason reason);

/// The grant is truth: all of the attempt's tasks are granted, or none.
struct AssignReply {
  base::AttemptId attempt;
  base::JobId job;
  base::DeviceId device;
  RefusalReason refused{RefusalReason::none};  ///< none = granted
  DeviceBooks books;                           ///< after the decision
  /// The worker's own clock at the grant, also of one that it repeats; 0 when refused.
  std::int64_t granted_at_ns{};
  bool operator==(const AssignReply&) const = default;
};
/// Outcomes, resent until Settled. `device_ns` is the time held for these tasks.
struct Finish {
  base::AttemptId attempt;
  base::JobId job;
  base::DeviceId device;
  std::vector<TaskReport> reports;
  std::int64_t device_ns{};
  bool operator==(const Finish&) const = default;
};
/// Tasks of an attempt that a worker has: waiting, running, or ended and unsettled.
struct HeldAttempt {
  base::AttemptId attempt;
  base::JobId job;
  std::vector<base::TaskRange> ranges;   ///< all of them
  std::vector<base::TaskRange> running;  ///< those launched and not ended
  WaitingReason waiting{};               ///< why others wait, where it is not for their turn
  bool operator==(const HeldAttempt&) const = default;
};
/// Give me a lease of this shard; this is all that I hold of it.
struct Renew {
  base::ShardId shard;
  base::Epoch epoch;  ///< highest that the worker has seen
  base::Term term;    ///< highest that the worker has seen of that epoch
  base::DeviceId device;
  base::Incarnation incarnation;
  std::int64_t asked_at_ns{};  ///< the worker's own clock when it sent this
  std::vector<HeldAttempt> held;
  bool operator==(const Renew&) const = default;
};

// --- objects to objects --------------------------------------------------------------------------

struct ObjectFetch {
  base::ObjectHash hash;
  std::uint64_t offset{};
  std::uint32_t length{};
  bool operator==(const ObjectFetch&) const = default;
};
struct ObjectPart {
  base::ObjectHash hash;
  std::uint64_t offset{};
  std::uint64_t size_bytes{};  ///< of the whole object; 0 with `missing`
  bool missing{false};
  base::Bytes data;
  bool operator==(const ObjectPart&) const = default;
};

// --- gateway to gateway --------------------------------------------------------------------------

/// A client's request, passed on to the node that leads its shard.
struct Forward {
  std::uint64_t call{};  ///< the asking gateway's number for it
  ClientRequest request;
  bool operator==(const Forward&) const = default;
};
struct ForwardReply {
  std::uint64_t call{};
  ClientReply reply;
  bool operator==(const ForwardReply&) const = default;
};

// --- pins: gateway to objects, objects to shard leader -------------------------------------------

/// Keep these, inputs of the submit that bears this request id, before it is proposed; what is not
/// there is brought there first. Answered by ObjectPinned once they are durably pinned, or with why
/// not; asked again until then.
struct ObjectPin {
  std::uint64_t call{};  ///< the asking gateway's number for the submit
  std::uint32_t part{};  ///< of its inputs, from 1: each part is asked of one node
  base::RequestId request;
  std::vector<ObjectRef> objects;
  bool operator==(const ObjectPin&) const = default;
};
struct ObjectPinned {
  std::uint64_t call{};
  std::uint32_t part{};  ///< both of the ObjectPin, given back
  bool ok{false};
  base::Error error;  ///< meaningful when not ok
  bool operator==(const ObjectPinned&) const = default;
};
/// These have pinned objects here: which of them does the shard's ledger not name (any more)?
/// Answered by its leader alone.
struct PinCheck {
  base::ShardId shard;
  std::uint64_t question{};
  std::vector<base::RequestId> requests;
  std::vector<base::JobId> jobs;
  bool operator==(const PinCheck&) const = default;
};
/// True of the ledger at a moment after the question came. Who is not named here stays.
struct PinAnswer {
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;
  std::uint64_t question{};  ///< PinCheck::question, given back
  std::vector<base::RequestId> gone_requests;
  std::vector<base::JobId> gone_jobs;
  bool operator==(const PinAnswer&) const = default;
};

// --- copies: objects to objects ------------------------------------------------------------------

/// Have copies of these, which the sender has, and pin them for the owner: the job, or where that
/// is 0 the request of a submit. Answered by CopiesKept once they are durably pinned, or with why
/// not; asked again until then.
struct KeepCopies {
  std::uint64_t call{};  ///< the asking node's number for it
  base::RequestId request;
  base::JobId job;
  std::vector<ObjectRef> objects;
  bool operator==(const KeepCopies&) const = default;
};
/// All of them, or none.
struct CopiesKept {
  std::uint64_t call{};
  bool ok{false};
  base::Error error;  ///< meaningful when not ok
  bool operator==(const CopiesKept&) const = default;
};

// --- shard leader to shard leader ----------------------------------------------------------------

/// How do these jobs of your shard stand? Jobs of mine wait for them. Asked again until they ended.
struct DependencyAsk {
  base::ShardId shard;  ///< of the jobs that are asked for: its leader answers
  base::ShardId asker;
  base::Epoch asker_epoch;
  base::Term asker_term;
  std::uint64_t number{};  ///< of the ask in that leadership, growing
  std::vector<base::JobId> jobs;
  bool operator==(const DependencyAsk&) const = default;
};
/// As a quorum round that began after the ask has confirmed it.
struct DependencyAnswer {
  base::ShardId asker;
  base::Epoch asker_epoch;
  base::Term asker_term;
  std::uint64_t number{};  ///< these four as the ask had them
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;  ///< the leadership that answers
  std::vector<JobStanding> jobs;
  bool operator==(const DependencyAnswer&) const = default;
};

using PeerMessage =
    std::variant<Heartbeat, MembersAsk, Members, Assign, Stop, Adopt, Settled, Renewed, AssignReply,
                 Finish, Renew, ObjectFetch, ObjectPart, Forward, ForwardReply, ObjectPin,
                 ObjectPinned, PinCheck, PinAnswer, DependencyAsk, DependencyAnswer, RaftMessage,
                 RaftBatch, KeepCopies, CopiesKept>;

}  // namespace fastgpu::protocol
