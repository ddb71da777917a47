#pragma once

/// Brings the group of a shard to the members that are intended for it, one change at a time.
///
/// Place: between the plan of members (made by the root shard, told by the monitor) and the log of
/// the group; stepped by MembersDesk on the shard actor, on every replica, and does something only
/// where this one leads. Pure: no clock, no thread, nothing stored: the group's own log is the
/// truth about its members, so a leader that comes later goes on from what it finds there.
///
/// Rules, in this order:
/// 1. A member whose node has another disk than the one intended goes first, then comes anew.
/// 2. An intended node that is no member becomes a learner as soon as it is up.
/// 3. A learner that is to vote is promoted once it is near and acquainted (see below). A lone
/// voter
///    is joined by two at a time where two are to come: two voters survive nothing, so the time
///    with two is short.
/// 4. Only when all intended voters vote, by a plan that has stood for a moment (members may come
///    one by one when a cluster is founded), do others lose their vote: those that do not answer
///    first, and never one whose vote the rest needs for a majority that answers. This replica
///    hands the leadership over before it loses its own. But one that does not answer goes earlier
///    where a promotion waits for its acquaintance, and three others vote.
/// 5. A learner that is not intended goes once it knows that it has no vote (so it will not ask for
///    votes later), or cannot be told.
/// 6. The leadership goes to the first of the plan once that has been up, a voter and near for a
///    while. What fails, or comes back soon, is tried again later each time.
/// Of two intended replicas the first votes alone.
///
/// Acquaintance: a node knows another if it has its address and key on its disk; only so does it
/// call it, or let it in, after a restart. Any majority of the voters must find each other when all
/// of them have restarted: not each must know each, but by what they tell each other of the list of
/// members (membership/monitor_machine) each must come to know all. Kept by two rules:
/// - Who is to vote knows all voters, and of up to three voters most know it; of more all know it,
///   and each other. (So up to three always know each other: most of one or two are all. Of four
///   one may not know the newest, but any three of them have one who knows all, and whom it knows.
///   Five and more know each other.)
/// - Of four voters none goes unless the three that stay know each other. (Any two of three may be
///   all that is left. More than four know each other anyway, though their last word of it may not
///   have been heard here, so that is not asked for.)
/// What a dead node knew is on its disk: who died unacquainted delays changes, until it comes back
/// or is planned for no more, and harms nothing else. Another disk is another member.
///
/// Failure: what the log refuses is tried again after a while. Every wait has a reason, said when
/// it changes, and a moment at which it is looked at (and, if it lasts, said) again.

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/raft/raft_effects.hpp"
#include "runtime/raft/raft_events.hpp"

namespace fastgpu::raft {

struct KeeperLimits {
  base::Duration look_interval{std::chrono::milliseconds{250}};  ///< at what grows without a word
  base::Duration remind_interval{std::chrono::seconds{30}};      ///< of a wait that lasts
  base::Duration farewell{std::chrono::seconds{5}};  ///< for a learner to hear that it is one
  base::Duration change_patience{std::chrono::seconds{2}};  ///< with a change on its way to disks
  base::Duration plan_stands{std::chrono::seconds{1}};      ///< before anybody loses a vote by it
  base::Duration settled_after{std::chrono::seconds{3}};    ///< the first of the plan may lead
  base::Duration handover_pause_min{std::chrono::seconds{2}};
  base::Duration handover_pause_max{std::chrono::minutes{5}};
};

/// A replica as it is intended.
struct Intended {
  base::NodeId node;
  StoreId store;
  auto operator<=>(const Intended&) const = default;
};
using Plan = std::vector<Intended>;  ///< in order: the first should lead

// --- events --------------------------------------------------------------------------------------

/// None: nothing is known, so nothing changes. A replica without a store: not known yet, so it is
/// not added, and a member of that node is taken for it.
struct PlanKnown {
  Plan plan;
  bool operator==(const PlanKnown&) const = default;
};
/// How the group stands, seen from this replica. All but `leads` matters only where it leads.
struct GroupSight {
  bool leads{false};         ///< and is ready to
  bool changing{false};      ///< the members in force are not committed yet
  bool handing_over{false};  ///< the leadership
  Configuration members;
  /// Members that answer and have nearly all of the log: the leader itself among them.
  std::set<base::NodeId> near;
  std::set<base::NodeId> told;  ///< members that have the members in force on their disks
  std::set<base::NodeId> up;    ///< nodes, as the view shows them
  /// By member: which other members it has on its disk, as far as it has said so.
  std::map<base::NodeId, std::set<base::NodeId>> known;
  bool operator==(const GroupSight&) const = default;
};
/// The log refused what the last step asked for.
struct KeeperRefused {
  Refusal why{};
  bool operator==(const KeeperRefused&) const = default;
};
using KeeperEvent = std::variant<PlanKnown, GroupSight, KeeperRefused>;

// --- effects -------------------------------------------------------------------------------------

struct KeeperChange {
  MemberChange change{};
  base::NodeId node;
  StoreId store;  ///< of a new learner
  bool operator==(const KeeperChange&) const = default;
};
struct KeeperHandOver {
  base::NodeId to;
  bool operator==(const KeeperHandOver&) const = default;
};
/// A line for the trace: "fact -> consequence".
struct KeeperSays {
  std::string line;
  bool operator==(const KeeperSays&) const = default;
};
/// At most one change or handover in a step.
using KeeperEffect = std::variant<KeeperSays, KeeperChange, KeeperHandOver>;
using KeeperEffects = std::vector<KeeperEffect>;

class GroupKeeper {
 public:
  explicit GroupKeeper(base::NodeId self, KeeperLimits limits = {});

  const Plan& plan() const { return plan_; }
  /// Why the group is not as it is intended; empty where it is, or where nothing is to be done
  /// here.
  const std::string& waits_for() const { return reason_; }
  /// When a GroupSight is due, if nothing happens before.
  std::optional<base::Time> next_deadline() const { return look_at_; }

  KeeperEffects step(const KeeperEvent& event, base::Time now);

 private:
  void handle(const PlanKnown& event);
  void handle(const GroupSight& event);
  void handle(const KeeperRefused& event);

  void await_change();

  // What there is to do, in the order of the rules. True: something was done, or must be waited
  // for.
  bool replace_disks();
  bool add_learners();
  bool promote();
  bool take_votes();
  bool take_vote_of_the_silent();
  bool leave_first();
  bool remove_learners();
  bool lead_by_first();

  bool is_intended(const Member& member) const;
  bool has_another_disk(const Intended& intended) const;
  bool should_vote(base::NodeId node) const;
  const Member* member(base::NodeId node) const { return sight_.members.find(node); }
  bool is_near(base::NodeId node) const { return sight_.near.contains(node); }
  bool is_up(base::NodeId node) const { return node == self_ || sight_.up.contains(node); }
  /// What must be so before `node` may vote no more, as words; empty where it may.
  std::string needed_without(base::NodeId node) const;
  bool is_acquainted(base::NodeId learner) const;
  bool knows(base::NodeId who, base::NodeId whom) const;
  bool know_each_other(const std::vector<base::NodeId>& nodes) const;
  std::vector<base::NodeId> voters() const;
  std::size_t learners_ready() const;

  bool act(MemberChange change, base::NodeId node, StoreId store, std::string why);
  bool hand_over(base::NodeId to, const std::string& why);
  void note_handover();
  void handover_failed();
  bool wait(std::string reason, base::Duration look_again);
  void say(std::string line) { effects_.push_back(KeeperSays{std::move(line)}); }

  const base::NodeId self_;
  const KeeperLimits limits_;
  Plan plan_;
  base::Time plan_since_{};

  // The step that is under way.
  base::Time now_{};
  GroupSight sight_;
  KeeperEffects effects_;

  std::string reason_;
  base::Time said_at_{};  ///< the reason
  bool acted_{false};     ///< since the group was as it is intended
  std::optional<base::Time> look_at_;
  std::optional<base::Time> not_before_;  ///< after a refusal
  std::optional<base::Time> changing_since_;
  std::optional<base::Time> first_ready_since_;
  struct Farewell {
    base::NodeId node;
    base::Time until;
  };
  std::optional<Farewell> farewell_;

  // Handovers, over the leaderships of this replica.
  std::optional<base::NodeId> handing_to_;  ///< and this replica has led ever since
  std::optional<base::Time> handed_at_;     ///< the last one
  std::uint32_t handovers_in_vain_{0};
  base::Time hand_over_from_{};  ///< none before
};

}  // namespace fastgpu::raft
