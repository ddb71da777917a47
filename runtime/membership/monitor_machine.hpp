#pragma once

/// Who is there, who lives, what they lead and what their devices can take: this node's opinion.
///
/// Place in the flow: heartbeats of all members come in through the router, the own devices' books
/// from the workers, the own duties from replicas and objects; the view goes to everybody on the
/// node, lost nodes to the shards. One per node, owned by the monitor actor, stepped on its thread
/// only; no clock, no I/O.
///
/// Rules:
/// - A node is up while it is heard; suspect after limits::suspect_after of silence, or at once
///   when its connection breaks or is refused; down after `down_after`. The own node is always up.
/// - Suspicion is told as NodeLost without proof, once per suspicion. Being heard again ends it.
/// - A newer life of a node proves that the older one is over: NodeLost with proof. Nothing of an
///   older life counts any more.
/// - The members are the newest list heard of; who speaks of a newer one is asked for it.
/// - A list goes to the disk, and only then is it spoken of: what a node has said that it knows, it
///   knows in all its lives on that disk. Groups take in members by that (GroupKeeper), since a
///   replica that restarts knows no commit, and so nothing that the root's log told it, until it
///   has found the others. Addresses and keys of members never change: who moves joins anew.
/// - What a node says of its duties by an older list of members than the newest known here is shown
///   as not counted: it may not know yet who comes, goes or drains.
/// What is kept is O(nodes + devices), the work per message O(its own size).

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/membership/monitor_effects.hpp"
#include "runtime/membership/monitor_events.hpp"
#include "runtime/membership/monitor_state.hpp"
#include "runtime/membership/own_duties.hpp"

namespace fastgpu::membership {

struct MonitorOptions {
  base::ClusterId cluster;
  protocol::NodeInfo self;
  base::Incarnation incarnation;
  protocol::Members members;  ///< as kept by the last life; may lack `self`
  /// Known from the founding or from joining, to be dialled whatever the list says; may be empty.
  std::vector<protocol::NodeInfo> seeds{};
};

class MonitorMachine {
 public:
  static constexpr base::Duration down_after = std::chrono::seconds(10);
  static constexpr base::Duration ask_interval = std::chrono::milliseconds(500);
  /// Heartbeats while nothing changes; what does change is told after limits::heartbeat_interval at
  /// the latest.
  static constexpr base::Duration quiet_beat_interval = base::limits::books_interval;
  /// A view that only shows other numbers comes at most this often.
  static constexpr base::Duration view_interval = base::limits::heartbeat_interval;

  explicit MonitorMachine(MonitorOptions options);

  const protocol::Members& members() const { return members_; }
  std::optional<base::Time> next_deadline() const;

  /// The first step, whatever it is, dials the members known and says the first view.
  Effects step(const Event& event, base::Time now);

 private:
  void on(const FromPeer<protocol::Heartbeat>& event);
  void on(const FromPeer<protocol::MembersAsk>& event);
  void on(const FromPeer<protocol::Members>& event);
  void on(const PeerUp& event);
  void on(const PeerDown& event);
  void on(const protocol::DeviceBooks& event);
  void on(const ShardLed& event);
  void on(const MembersKnown& event);
  void on(const MembersKept& event);
  void on(const Tick& event);
  void on(const NodeBegun& event);
  void on(const protocol::ReplicaStands& event);
  void on(const protocol::CopiesStand& event);

  void begin();
  void learn(const protocol::Members& members);
  void note_in_lists();
  void keep_where_needed();
  void show_lists_where_changed();
  void dial_where_needed();
  bool heard(Peer& peer, base::Incarnation incarnation);
  void lose(Peer& peer, base::Incarnation life, bool proven);
  void suspect_the_silent();
  base::Time beat_due() const;
  void take_duties(Peer& peer, const protocol::Heartbeat& beat);
  std::optional<protocol::NodeDuties> duties() const { return duties_.told(members_.version); }
  void beat_where_due();
  void show_where_due();
  std::vector<protocol::LedShard> led() const;
  protocol::SharedView view() const;
  /// This node as the members know it.
  protocol::NodeInfo self() const;

  const MonitorOptions options_;
  protocol::Members members_;
  std::shared_ptr<const protocol::Members> members_shown_;  ///< the same, for views; null at first
  std::map<base::NodeId, Peer> peers_;                      ///< all members but this node
  std::uint64_t keeping_version_{0};                        ///< of the list on its way to the disk
  protocol::MemberLists lists_;
  bool lists_changed_{false};
  std::map<base::ShardId, protocol::LedShard> leads_;
  std::map<base::DeviceId, protocol::DeviceBooks> devices_;
  OwnDuties duties_;

  bool started_{false};
  bool beat_now_{true};                              ///< what others must know at once has changed
  bool devices_changed_{true};                       ///< since the last heartbeat
  std::optional<protocol::NodeDuties> duties_told_;  ///< in the last heartbeat
  bool view_urgent_{true};  ///< somebody came, went or leads something else
  bool view_changed_{true};
  std::optional<base::Time> beaten_at_;
  std::optional<base::Time> books_told_at_;
  std::optional<base::Time> viewed_at_;

  base::Time now_{};  ///< of the step under way
  Effects effects_;   ///< of the step under way
};

}  // namespace fastgpu::membership
