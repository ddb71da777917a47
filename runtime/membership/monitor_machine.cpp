#include "runtime/membership/monitor_machine.hpp"

#include <algorithm>
#include <utility>

namespace fastgpu::membership {

namespace {

namespace limits = base::limits;
using protocol::NodeState;

}  // namespace

MonitorMachine::MonitorMachine(MonitorOptions options) : options_(std::move(options)) {}

Effects MonitorMachine::step(const Event& event, base::Time now) {
  now_ = now;
  effects_.clear();
  if (!std::exchange(started_, true))
    begin();
  std::visit([this](const auto& what) { on(what); }, event);
  dial_where_needed();
  keep_where_needed();
  suspect_the_silent();
  beat_where_due();
  show_where_due();
  show_lists_where_changed();
  return std::exchange(effects_, {});
}

// Who founds a cluster with others knows them before any list does.
void MonitorMachine::begin() {
  learn({0, options_.seeds});
  dial_where_needed();
  lists_.nodes[options_.self.node].kept = options_.members.version;
  keeping_version_ = options_.members.version;
  if (!options_.members.members.empty())
    learn(options_.members);
}

void MonitorMachine::on(const Tick&) {}

std::optional<base::Time> MonitorMachine::next_deadline() const {
  if (!beaten_at_)
    return std::nullopt;
  base::Time first = beat_due();
  if (view_changed_ && viewed_at_)
    first = std::min(first, *viewed_at_ + view_interval);
  for (const auto& [id, peer] : peers_) {
    if (peer.state == NodeState::up)
      first = std::min(first, peer.heard_at + limits::suspect_after);
  }
  return first;
}

// --- members -------------------------------------------------------------------------------------

void MonitorMachine::learn(const protocol::Members& members) {
  if (members.version < members_.version || members == members_)
    return;
  if (members.version == members_.version && members_.version != 0)
    return;
  members_ = members;
  members_shown_ = std::make_shared<const protocol::Members>(members);
  std::map<base::NodeId, Peer> peers;
  for (const auto& info : members.members) {
    if (info.node == options_.self.node || !info.node ||
        info.state == protocol::MemberState::removed)
      continue;
    const auto known = peers_.find(info.node);
    Peer& peer = peers[info.node];
    if (known != peers_.end())
      peer = std::move(known->second);
    else
      peer.heard_at = now_;
    peer.info = info;
    if (peer.duties)
      peer.duties->copies_counted = false;
  }
  peers_ = std::move(peers);
  note_in_lists();
  view_urgent_ = true;
  beat_now_ = true;
}

// Which list named a member first is not known to who starts with a later one: that one is taken,
// and whoever lives comes to have it.
void MonitorMachine::note_in_lists() {
  for (const auto& info : members_.members) {
    std::uint64_t& since = lists_.nodes[info.node].since;
    if (since == 0 && members_.version != 0) {
      since = members_.version;
      lists_changed_ = true;
    }
  }
}

void MonitorMachine::keep_where_needed() {
  if (members_.version <= keeping_version_)
    return;
  keeping_version_ = members_.version;
  effects_.push_back(KeepMembers{members_shown_});
}

void MonitorMachine::on(const MembersKept& event) {
  std::uint64_t& kept = lists_.nodes[options_.self.node].kept;
  if (event.version <= kept)
    return;
  kept = event.version;
  lists_changed_ = true;
  beat_now_ = true;
}

void MonitorMachine::show_lists_where_changed() {
  if (std::exchange(lists_changed_, false))
    effects_.push_back(std::make_shared<const protocol::MemberLists>(lists_));
}

void MonitorMachine::dial_where_needed() {
  for (auto& [id, peer] : peers_) {
    if (peer.dialled_address == peer.info.address)
      continue;
    peer.dialled_address = peer.info.address;
    effects_.push_back(DialNode{peer.info});
  }
}

void MonitorMachine::on(const MembersKnown& event) {
  learn(event.members);
}

void MonitorMachine::on(const FromPeer<protocol::Members>& event) {
  learn(event.message);
}

void MonitorMachine::on(const FromPeer<protocol::MembersAsk>& event) {
  if (members_.version != 0)
    effects_.push_back(SendToNode{event.from, members_});
}

// --- life and death ------------------------------------------------------------------------------

/// A sign of life. False when it is of a life that is over.
bool MonitorMachine::heard(Peer& peer, base::Incarnation incarnation) {
  if (incarnation < peer.incarnation)
    return false;
  if (incarnation > peer.incarnation) {
    if (peer.incarnation)
      lose(peer, peer.incarnation, true);
    peer.incarnation = incarnation;
    lists_.nodes[peer.info.node].kept = 0;  // its disk may be another one
    lists_changed_ = true;
    peer.leads.clear();
    peer.devices.clear();
    peer.duties.reset();
    view_urgent_ = true;
  }
  peer.heard_at = now_;
  if (peer.state != NodeState::up) {
    peer.state = NodeState::up;
    view_urgent_ = true;
  }
  return true;
}

void MonitorMachine::lose(Peer& peer, base::Incarnation life, bool proven) {
  effects_.push_back(protocol::NodeLost{peer.info.node, life, proven});
  view_urgent_ = true;
}

void MonitorMachine::on(const FromPeer<protocol::Heartbeat>& event) {
  const protocol::Heartbeat& beat = event.message;
  const auto found = peers_.find(event.from);
  if (found != peers_.end() && heard(found->second, event.incarnation)) {
    Peer& peer = found->second;
    if (peer.leads != beat.leads) {
      peer.leads = beat.leads;
      view_urgent_ = true;
    }
    if (!beat.devices.empty() && peer.devices != beat.devices) {
      view_urgent_ = view_urgent_ || peer.devices.size() != beat.devices.size();
      peer.devices = beat.devices;
      view_changed_ = true;
    }
    std::uint64_t& kept = lists_.nodes[event.from].kept;
    lists_changed_ = lists_changed_ || kept < beat.members_version;
    kept = std::max(kept, beat.members_version);
    take_duties(peer, beat);
  }
  if (beat.members_version <= members_.version)
    return;
  // Somebody not known yet may be asked more than once; a member at most each ask_interval.
  if (found != peers_.end()) {
    auto& asked_at = found->second.asked_members_at;
    if (asked_at && now_ < *asked_at + ask_interval)
      return;
    asked_at = now_;
  }
  effects_.push_back(SendToNode{event.from, protocol::MembersAsk{}});
}

void MonitorMachine::take_duties(Peer& peer, const protocol::Heartbeat& beat) {
  std::optional<protocol::NodeDuties> duties = beat.duties;
  if (duties && beat.members_version < members_.version)
    duties->copies_counted = false;
  if (peer.duties == duties)
    return;
  peer.duties = duties;
  view_changed_ = true;
}

void MonitorMachine::on(const PeerUp& event) {
  const auto found = peers_.find(event.node);
  if (found == peers_.end())
    return;
  if (heard(found->second, event.incarnation))
    beat_now_ = true;
}

void MonitorMachine::on(const PeerDown& event) {
  const auto found = peers_.find(event.node);
  if (found == peers_.end())
    return;
  Peer& peer = found->second;
  // The end of a connection to an older life says nothing of this one.
  const bool of_older = event.incarnation && event.incarnation < peer.incarnation;
  if (peer.state != NodeState::up || of_older)
    return;
  peer.state = NodeState::suspect;
  lose(peer, peer.incarnation, false);
}

void MonitorMachine::suspect_the_silent() {
  for (auto& [id, peer] : peers_) {
    const base::Duration silence = now_ - peer.heard_at;
    if (peer.state == NodeState::up && silence >= limits::suspect_after) {
      peer.state = NodeState::suspect;
      lose(peer, peer.incarnation, false);
    }
    if (peer.state == NodeState::suspect && silence >= down_after) {
      peer.state = NodeState::down;
      view_urgent_ = true;
    }
  }
}

// --- this node -----------------------------------------------------------------------------------

void MonitorMachine::on(const protocol::DeviceBooks& event) {
  auto& books = devices_[event.device];
  if (books.device == event.device && event.version <= books.version)
    return;
  view_urgent_ = view_urgent_ || books.version == 0 || books.healthy != event.healthy ||
                 books.no_commands_why.empty() != event.no_commands_why.empty();
  books = event;
  devices_changed_ = true;
  view_changed_ = true;
}

void MonitorMachine::on(const ShardLed& event) {
  const auto found = leads_.find(event.shard.shard);
  if (!event.shard.term) {
    if (found == leads_.end())
      return;
    leads_.erase(found);
  } else {
    if (found != leads_.end() && found->second == event.shard)
      return;
    leads_[event.shard.shard] = event.shard;
  }
  beat_now_ = true;
  view_urgent_ = true;
}

void MonitorMachine::on(const NodeBegun& event) {
  duties_.expect(event.replicas);
}

void MonitorMachine::on(const protocol::ReplicaStands& event) {
  duties_.take(event);
  view_changed_ = true;
}

void MonitorMachine::on(const protocol::CopiesStand& event) {
  duties_.take(event);
  view_changed_ = true;
}

std::vector<protocol::LedShard> MonitorMachine::led() const {
  std::vector<protocol::LedShard> all;
  for (const auto& [id, shard] : leads_)
    all.push_back(shard);
  return all;
}

base::Time MonitorMachine::beat_due() const {
  const bool news = devices_changed_ || duties() != duties_told_;
  return *beaten_at_ + (news ? limits::heartbeat_interval : quiet_beat_interval);
}

void MonitorMachine::beat_where_due() {
  if (!beat_now_ && beaten_at_ && now_ < beat_due())
    return;
  protocol::Heartbeat beat{self(), led(), {}, lists_.nodes[options_.self.node].kept};
  beat.duties = duties_told_ = duties();
  if (devices_changed_ || beat_now_ || !books_told_at_ ||
      now_ >= *books_told_at_ + limits::books_interval) {
    for (const auto& [device, books] : devices_)
      beat.devices.push_back(books);
    books_told_at_ = now_;
    devices_changed_ = false;
  }
  for (const auto& [id, peer] : peers_)
    effects_.push_back(SendToNode{id, beat});
  beat_now_ = false;
  beaten_at_ = now_;
}

void MonitorMachine::show_where_due() {
  const bool quiet = viewed_at_ && now_ < *viewed_at_ + view_interval;
  const bool stale = !viewed_at_ || now_ >= *viewed_at_ + limits::books_interval;
  if (!view_urgent_ && !stale && (!view_changed_ || quiet))
    return;
  viewed_at_ = now_;
  view_urgent_ = false;
  view_changed_ = false;
  effects_.push_back(view());
}

protocol::NodeInfo MonitorMachine::self() const {
  const auto known =
      std::find_if(members_.members.begin(), members_.members.end(),
                   [&](const auto& info) { return info.node == options_.self.node; });
  return known == members_.members.end() ? options_.self : *known;
}

protocol::SharedView MonitorMachine::view() const {
  auto shown = std::make_shared<protocol::ClusterView>();
  shown->cluster = options_.cluster;
  shown->self = options_.self.node;
  shown->members = members_shown_;
  protocol::NodeView self{this->self(), options_.incarnation, NodeState::up, 0, led(), {},
                          duties()};
  for (const auto& [device, books] : devices_)
    self.devices.push_back(books);
  for (const auto& [id, peer] : peers_)
    shown->nodes.push_back({peer.info, peer.incarnation, peer.state, (now_ - peer.heard_at).count(),
                            peer.leads, peer.devices, peer.duties});
  const auto place =
      std::upper_bound(shown->nodes.begin(), shown->nodes.end(), self,
                       [](const auto& a, const auto& b) { return a.info.node < b.info.node; });
  shown->nodes.insert(place, std::move(self));
  return shown;
}

}  // namespace fastgpu::membership
