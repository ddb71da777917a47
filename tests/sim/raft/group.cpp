#include "tests/sim/raft/group.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "runtime/base/check.hpp"
#include "runtime/base/crc32c.hpp"
#include "runtime/raft/raft_invariants.hpp"

namespace fastgpu::raft::testing {
namespace {

std::uint64_t mixed(std::uint64_t state, std::uint64_t value) {
  return base::Random(state ^ (value * 0xff51afd7ed558ccdu)).next();
}

/// A number, then as many more bytes as asked for.
base::Bytes bytes_of(std::uint64_t number, std::size_t size) {
  std::vector<std::uint8_t> data(std::max(size, sizeof number));
  std::memcpy(data.data(), &number, sizeof number);
  return base::Bytes(std::move(data));
}

}  // namespace

RaftLimits quick_limits() {
  RaftLimits limits;
  limits.heartbeat_interval = 20ms;
  limits.election_timeout_min = 100ms;
  limits.election_timeout_max = 200ms;
  limits.resend_after = 40ms;
  limits.transfer_timeout = 200ms;
  limits.entries_kept_behind_snapshot = 4;
  limits.snapshot_chunk_bytes = 48;
  return limits;
}

Group::Group(GroupOptions options) : options_(options), random_(options.seed) {}

Group::Node& Group::add(std::uint32_t id) {
  Node& node = nodes_[{id}];
  node.id = {id};
  node.store = {random_.next() | 1};
  node.disk.durable().store = node.store;
  if (options_.clock_ppm > 0) {
    node.clock_ppm = static_cast<std::int64_t>(
                         random_.below(static_cast<std::uint64_t>(2 * options_.clock_ppm + 1))) -
                     options_.clock_ppm;
  }
  disks_[node.id] = &node.disk;
  return node;
}

void Group::found(std::uint32_t nodes) {
  Configuration members;
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    members.members.push_back({{id}, add(id).store, true});
  }
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    Node& node = at(id);
    node.disk.durable() = founded(node.disk.durable(), node.id, members).value();
    start(id);
  }
}

void Group::start(std::uint32_t id) {
  Node& node = at(id);
  FASTGPU_CHECK(!node.machine, "it runs already");
  RaftOptions options;
  options.self = node.id;
  options.store = node.store;
  options.seed = random_.next();
  options.limits = options_.limits;
  options.fault = options_.fault;
  auto machine = RaftMachine::open(options, node.disk.durable());
  node.damaged = !machine.ok();
  if (node.damaged) {
    return;
  }
  if (options_.fault == Fault::cut_at_damage) {
    node.disk.durable() = checked(node.disk.durable(), options_.fault).value();
  }
  node.machine = std::move(machine).value();
  node.life += 1;
  node.timer_at.reset();
  node.syncing = false;
  node.paused = false;
  node.inbox.clear();
  node.applied = {};
  node.state = 0;
  checker_.on_started(*node.machine);
  step(node.id, Started{});
}

void Group::crash(std::uint32_t id, std::optional<std::size_t> kept) {
  Node& node = at(id);
  const std::size_t waiting = node.disk.waiting();
  node.disk.crash(kept ? *kept : random_.below(waiting + 1));
  node.machine.reset();
  node.life += 1;
  node.inbox.clear();
  node.paused = false;
  node.disk_stalled = false;
  ++crashes_;
  say(node, "crashes");
}

void Group::wipe(std::uint32_t id) {
  if (at(id).machine) {
    crash(id, 0);
  }
  Node& node = at(id);
  node.store = {random_.next() | 1};
  node.disk = {};
  node.disk.durable().store = node.store;
}

void Group::resume(std::uint32_t id) {
  Node& node = at(id);
  node.paused = false;
  std::vector<Event> inbox = std::move(node.inbox);
  node.inbox.clear();
  step(node.id, Tick{});
  const std::uint64_t life = node.life;
  for (const Event& event : inbox) {
    if (node.machine && node.life == life) {
      step(node.id, event);
    }
  }
}

void Group::free_disk(std::uint32_t id) {
  at(id).disk_stalled = false;
  schedule_sync(at(id));
}

void Group::cut(std::uint32_t a, std::uint32_t b) {
  cut_way(a, b);
  cut_way(b, a);
}

void Group::join(std::uint32_t a, std::uint32_t b) {
  cuts_.erase({{a}, {b}});
  cuts_.erase({{b}, {a}});
}

void Group::isolate(std::uint32_t id) {
  for (const auto& [other, node] : nodes_) {
    if (other.value != id) {
      cut(id, other.value);
    }
  }
}

void Group::deliver_held() {
  std::vector<Message> held = std::move(held_);
  held_.clear();
  for (const Message& message : held) {
    post(message, 0ns);
  }
}

// --- what is asked
// ---------------------------------------------------------------------------------

base::LogToken Group::propose(std::uint32_t id) {
  const base::LogToken token = next_token();
  outcomes_[token] = Outcome::pending;
  step({id}, Propose{token, bytes_of(token.value, options_.command_bytes)});
  return token;
}

base::LogToken Group::read(std::uint32_t id) {
  const base::LogToken token = next_token();
  outcomes_[token] = Outcome::pending;
  checker_.on_read_asked(token);
  step({id}, Read{token});
  return token;
}

base::LogToken Group::change(std::uint32_t id, MemberChange what, std::uint32_t node) {
  const base::LogToken token = next_token();
  outcomes_[token] = Outcome::pending;
  step({id}, ChangeMembers{token, what, {node}, at(node).store});
  return token;
}

base::LogToken Group::transfer(std::uint32_t id, std::uint32_t to) {
  const base::LogToken token = next_token();
  outcomes_[token] = Outcome::pending;
  step({id}, Transfer{token, {to}});
  return token;
}

void Group::lose_peer(std::uint32_t id, std::uint32_t peer) {
  step({id}, PeerLost{{peer}});
}

std::optional<Refusal> Group::refusal(base::LogToken token) const {
  const auto found = refusals_.find(token);
  return found == refusals_.end() ? std::nullopt : std::optional(found->second);
}

// --- time
// ------------------------------------------------------------------------------------------

void Group::run_for(base::Duration duration) {
  const base::Time end = now_ + duration;
  while (!actions_.empty() && actions_.top().at <= end) {
    run_one();
  }
  now_ = end;
}

bool Group::run_until(const std::function<bool()>& done, base::Duration at_most) {
  const base::Time end = now_ + at_most;
  while (!done()) {
    if (actions_.empty() || actions_.top().at > end) {
      now_ = end;
      return false;
    }
    run_one();
  }
  return true;
}

bool Group::elect(std::uint32_t id, base::Duration at_most) {
  return run_alone(
      id, [&] { return at(id).machine && machine(id).ready(); }, at_most);
}

bool Group::lead(std::uint32_t id, base::Duration at_most) {
  return run_alone(
      id, [&] { return at(id).machine && machine(id).role() == RoleKind::leader; }, at_most);
}

bool Group::run_alone(std::uint32_t id, const std::function<bool()>& done, base::Duration at_most) {
  for (auto& [other, node] : nodes_) {
    node.ticks = other.value == id;
  }
  const bool came = run_until(done, at_most);
  for (auto& [other, node] : nodes_) {
    node.ticks = true;
  }
  return came;
}

std::optional<std::uint32_t> Group::leader() const {
  std::optional<std::uint32_t> best;
  for (const auto& [id, node] : nodes_) {
    if (node.machine && node.machine->ready() && !node.paused &&
        (!best || node.machine->term() > nodes_.at({*best}).machine->term())) {
      best = id.value;
    }
  }
  return best;
}

void Group::expect(bool holds, const std::string& promise) {
  if (!holds) {
    checker_.fail(promise);
  }
}

base::Time Group::local(const Node& node) const {
  const std::int64_t ns = now_.time_since_epoch().count();
  return base::Time(base::Duration(ns + ns * node.clock_ppm / 1'000'000));
}

base::Time Group::global(const Node& node, base::Time at) const {
  const std::int64_t ns = at.time_since_epoch().count();
  return base::Time(base::Duration(ns * 1'000'000 / (1'000'000 + node.clock_ppm) + 1));
}

void Group::schedule(base::Time at, Kind kind, const Node& node, std::size_t slot) {
  actions_.push({std::max(at, now_), ++order_, kind, node.id, node.life, slot});
}

void Group::arm(Node& node) {
  const auto deadline = node.machine->next_deadline();
  if (!deadline) {
    return;
  }
  const base::Time at = std::max(now_, global(node, *deadline));
  if (!node.timer_at || at < *node.timer_at) {
    node.timer_at = at;
    schedule(at, Kind::timer, node);
  }
}

void Group::run_one() {
  const Action action = actions_.top();
  actions_.pop();
  now_ = std::max(now_, action.at);
  Node& node = nodes_.at(action.node);
  if (action.kind == Kind::deliver) {
    const Message message = std::move(messages_[action.slot]);
    free_slots_.push_back(action.slot);
    if (node.machine) {
      step(node.id, Received{message});
    }
  } else if (node.machine && action.life == node.life) {
    if (action.kind == Kind::synced) {
      on_synced(node);
    } else if (node.timer_at == action.at) {
      on_timer(node);
    }
  }
}

void Group::on_timer(Node& node) {
  node.timer_at.reset();
  if (!node.ticks || node.paused) {
    node.timer_at = now_ + 5ms;
    schedule(*node.timer_at, Kind::timer, node);
  } else if (local(node) >= node.machine->next_deadline().value_or(base::Time::max())) {
    step(node.id, Tick{});
  } else {
    arm(node);
  }
}

void Group::schedule_sync(Node& node) {
  if (node.disk.waiting() > 0 && !node.syncing && !node.disk_stalled) {
    node.syncing = true;
    schedule(now_ + drawn(options_.sync_min, options_.sync_max), Kind::synced, node);
  }
}

// One sync serves what waits, or a part of it.
void Group::on_synced(Node& node) {
  node.syncing = false;
  if (node.disk_stalled || node.disk.waiting() == 0) {
    return;
  }
  if (!peace && random_.chance(options_.fail_sync_ppm)) {
    if (node.paused) {
      crash(node.id.value);  // it would write on before it hears of it
      return;
    }
    node.disk.crash(random_.below(node.disk.waiting() + 1));
    step(node.id, PersistFailed{});
    return;
  }
  PersistTag tag;
  const std::uint64_t at_most = options_.sync_singly ? 1 : node.disk.waiting();
  for (std::uint64_t count = 1 + random_.below(at_most); count > 0; --count) {
    tag = node.disk.sync_one();
  }
  if (!peace && random_.chance(options_.crash_at_sync_ppm)) {
    crash(node.id.value);
    return;
  }
  step(node.id, Persisted{tag});
  if (node.machine) {
    schedule_sync(node);
  }
}

// --- steps
// -----------------------------------------------------------------------------------------

void Group::step(base::NodeId id, const Event& event) {
  Node& node = nodes_.at(id);
  if (!node.machine) {
    return;
  }
  if (node.paused) {
    node.inbox.push_back(event);
    return;
  }
  ++steps_;
  const RaftFacts before = facts_of(*node.machine);
  Effects effects = node.machine->step(event, local(node));
  trace(node, event.index(), effects.size());
  checker_.merge(id, check(*node.machine));
  checker_.merge(id, check_step(before, *node.machine));
  checker_.merge(id, check_effects(effects, *node.machine));
  // One that leaves the group commits that and leads no longer in the same step.
  if (node.machine->role() == RoleKind::leader ||
      (before.leads && before.term == node.machine->term())) {
    checker_.on_led({*node.machine, node.disk}, disks_);
  }
  perform(node, std::move(effects));
  bury();
  if (node.machine) {
    compact_if_due(node);
  }
  if (node.machine) {
    arm(node);
  }
}

void Group::perform(Node& node, Effects effects) {
  for (const Effect& effect : effects) {
    std::visit([&](const auto& known) { perform(node, known); }, effect);
  }
}

void Group::bury() {
  for (const base::NodeId id : std::exchange(dead_, {})) {
    crash(id.value);
  }
}

void Group::compact_if_due(Node& node) {
  const base::LogIndex last = node.machine->snapshot().last.index;
  if (options_.compact_after > 0 && node.applied.value >= last.value + options_.compact_after &&
      !node.machine->installing()) {
    step(node.id, Compact{node.applied, bytes_of(node.state, options_.snapshot_bytes)});
  }
}

void Group::perform(Node& node, const Persist& effect) {
  checker_.on_written(node.id, effect);
  node.disk.write(effect);
  schedule_sync(node);
}

void Group::perform(Node& node, const Send& effect) {
  Message message = effect.message;
  const auto to = nodes_.find(message.to);
  checker_.on_sent({*node.machine, node.disk}, message,
                   to == nodes_.end() ? nullptr : to->second.machine.get());
  std::size_t bytes = 0;
  if (const auto* append = std::get_if<Append>(&message.body)) {
    for (const Entry& entry : append->entries) {
      bytes += entry.size_bytes();
    }
  } else if (const auto* chunk = std::get_if<SnapshotChunk>(&message.body)) {
    bytes = chunk->data.size();
  }
  node.sent_bytes_max = std::max(node.sent_bytes_max, bytes);
  if (options_.verbose) {
    say(node, "sends " + std::to_string(message.body.index()) + " of term " +
                  std::to_string(message.term.value) + " to " + to_string(message.to));
  }
  const Fate what = fate ? fate(message) : Fate::pass;
  const bool lost = !peace && random_.chance(options_.loss_ppm);
  if (what == Fate::hold) {
    held_.push_back(message);
  } else if (what == Fate::pass && !lost && !cuts_.contains({message.from, message.to})) {
    post(message, drawn(options_.delay_min, options_.delay_max));
    if (!peace && random_.chance(options_.duplicate_ppm)) {
      post(message, drawn(options_.delay_min, 20 * options_.delay_max));
    }
  }
}

void Group::post(const Message& message, base::Duration delay) {
  const auto to = nodes_.find(message.to);
  if (to == nodes_.end()) {
    return;
  }
  std::size_t slot = messages_.size();
  if (free_slots_.empty()) {
    messages_.push_back(message);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    messages_[slot] = message;
  }
  schedule(now_ + delay, Kind::deliver, to->second, slot);
}

void Group::perform(Node& node, const Committed& effect) {
  const Entry& entry = effect.entry;
  node.applied = entry.index;
  node.state = mixed(mixed(node.state, entry.index.value), base::crc32c(entry.data.span()));
  checker_.on_given_out(node.id, entry, node.state);
  if (effect.token) {
    outcomes_[*effect.token] = Outcome::done;
    checker_.on_acknowledged(entry.index);
    ++done_;
  }
}

void Group::perform(Node& node, const Restored& effect) {
  node.applied = effect.snapshot.last.index;
  node.state = number_of(effect.snapshot.data);
  checker_.on_restored(node.id, node.applied, node.state);
  ++installs_;
  say(node, "restores " + std::to_string(node.applied.value));
}

void Group::perform(Node& node, const ReadReady& effect) {
  outcomes_[effect.token] = Outcome::done;
  checker_.on_read_answered(effect.token, effect.index, node.applied);
  ++reads_;
}

void Group::perform(Node&, const OutcomeUnknown& effect) {
  outcomes_[effect.token] = Outcome::unknown;
}

void Group::perform(Node&, const Refused& effect) {
  outcomes_[effect.token] = Outcome::refused;
  refusals_[effect.token] = effect.why;
  checker_.on_refused(effect.token.value);
}

void Group::perform(Node& node, const Alarm& effect) {
  ++node.alarms;
  say(node, "alarm " + std::to_string(static_cast<int>(effect.kind)));
}

void Group::perform(Node& node, const Halt&) {
  dead_.push_back(node.id);
}

base::Duration Group::drawn(base::Duration min, base::Duration max) {
  return min + base::Duration(static_cast<std::int64_t>(
                   random_.below(static_cast<std::uint64_t>((max - min).count()) + 1)));
}

void Group::trace(const Node& node, std::size_t event, std::size_t effects) {
  const RaftMachine& machine = *node.machine;
  trace_ = mixed(trace_, static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  trace_ = mixed(trace_, node.id.value * 1000 + event * 100 + effects);
  trace_ = mixed(trace_, machine.term().value * 1'000'000 + machine.commit_index().value);
  trace_ = mixed(trace_, machine.log().last().index.value * 8 + machine.role_state().index());
  if (options_.verbose) {
    say(node, "event " + std::to_string(event) + " -> role " +
                  std::to_string(machine.role_state().index()) + " term " +
                  std::to_string(machine.term().value) + " commit " +
                  std::to_string(machine.commit_index().value) + " last " +
                  std::to_string(machine.log().last().index.value) + " disk " +
                  std::to_string(machine.log().persisted().index.value));
  }
}

void Group::say(const Node& node, const std::string& what) const {
  if (options_.verbose) {
    std::printf("%10.3f ms %s %s\n", static_cast<double>(now_.time_since_epoch().count()) / 1e6,
                to_string(node.id).c_str(), what.c_str());
  }
}

}  // namespace fastgpu::raft::testing
