#include "tests/sim/commands/command_world.hpp"

#include <algorithm>
#include <utility>

#include "runtime/ledger/ledger_invariants.hpp"
#include "runtime/worker/worker_invariants.hpp"
#include "tests/support/dependency_check.hpp"

namespace fastgpu::testing {

using namespace std::chrono_literals;

namespace {

/// Short, so that one history holds many ends of leases; above the interval of renewals.
constexpr base::Duration lease_command = 8s;

std::size_t index_of(base::NodeId node) {
  return node.value - 1;
}

}  // namespace

CommandWorld::CommandWorld(CommandWorldOptions options)
    : options_(options),
      random_(options.seed * 0x9e3779b97f4a7c15u + 7),
      log_(agenda_, base::Random(random_.next()), options.replicas,
           {[this](std::size_t replica) { return healthy(replica); },
            [this](std::size_t replica) { return up(replica) ? nodes_[replica]->life : 0; },
            [this](std::size_t replica, std::uint64_t life, const ledger::Event& event) {
              at(replica, life, [this, replica, event] { step_replica(replica, event); });
            },
            [this](std::size_t replica) {
              at(replica, nodes_[replica]->life, [this, replica] { pump(replica); });
            }}) {
  agenda_.set_now(base::Time{1h});
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    auto node = std::make_unique<Node>();
    node->id = {i + 1};
    node->warden =
        std::make_unique<SimWarden>(agenda_, base::Random(random_.next()), record_, node->id);
    nodes_.push_back(std::move(node));
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    start(i);
  log_.elect();
  look_around();
  place_some();
}

// --- time ----------------------------------------------------------------------------------------

void CommandWorld::run_for(base::Duration duration) {
  run_until([] { return false; }, duration);
}

bool CommandWorld::run_until(const std::function<bool()>& done, base::Duration limit) {
  const base::Time end = agenda_.now() + limit;
  while (!done()) {
    const auto next = agenda_.next_event();
    if (!next || *next > end) {
      agenda_.set_now(end);
      return done();
    }
    agenda_.run_one(std::max(*next, agenda_.now()));
  }
  return true;
}

base::Duration CommandWorld::between(base::Duration low, base::Duration high) {
  return low + base::Duration(static_cast<std::int64_t>(
                   random_.below(static_cast<std::uint64_t>((high - low).count()))));
}

void CommandWorld::at(std::size_t index, std::uint64_t life, std::function<void()> what) {
  Node& node = *nodes_[index];
  if (!node.up || node.life != life)
    return;
  if (node.frozen)
    node.backlog.push_back(std::move(what));
  else
    what();
}

void CommandWorld::at_in(base::Duration delay, std::size_t index, std::function<void()> what) {
  agenda_.note_in(delay, [this, index, life = nodes_[index]->life, what = std::move(what)] {
    at(index, life, what);
  });
}

// --- nodes ---------------------------------------------------------------------------------------

void CommandWorld::start(std::size_t index) {
  Node& node = *nodes_[index];
  if (node.up)
    return;
  const base::NodeId id = node.id;
  const std::uint64_t life = node.life + 1;
  auto warden = std::move(node.warden);
  node = Node{};
  node.id = id;
  node.up = true;
  node.life = life;
  node.warden = std::move(warden);
  node.warden->begin_life([this, index, life](const worker::Event& event) {
    at(index, life, [this, index, event] { step_worker(index, event); });
  });
  if (index < options_.replicas) {
    ledger::ShardOptions replica;
    replica.shard = shard;
    replica.layout = {1};
    replica.self = id;
    replica.incarnation = {life};
    replica.limits.lease_command = lease_command;
    replica.faults = options_.faults;
    node.replica = std::make_unique<ledger::ShardMachine>(replica);
    pump(index);
  }
  node.worker =
      std::make_unique<worker::WorkerMachine>(worker::WorkerOptions{{id, 0}, {life}, 2, 64, {}});
  at_in(2ms, index, [this, index] {
    step_worker(index,
                worker::ExecutorReady{protocol::DeviceKind::cpu, "simulated", "sim", 1ull << 30});
  });
}

void CommandWorld::crash(std::size_t index) {
  Node& node = *nodes_[index];
  node.up = false;
  node.frozen = false;
  node.backlog.clear();
  node.replica.reset();
  node.worker.reset();
  node.warden->crash();
}

void CommandWorld::freeze(std::size_t index) {
  nodes_[index]->frozen = nodes_[index]->up;
}

void CommandWorld::thaw(std::size_t index) {
  Node& node = *nodes_[index];
  node.frozen = false;
  while (node.up && !node.frozen && !node.backlog.empty()) {
    const auto what = std::move(node.backlog.front());
    node.backlog.pop_front();
    what();
  }
}

void CommandWorld::cut(std::size_t a, std::size_t b, bool cut) {
  if (cut)
    cuts_.insert(std::minmax(a, b));
  else
    cuts_.erase(std::minmax(a, b));
}

void CommandWorld::make_peace() {
  troubled_ = false;
  cuts_.clear();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    thaw(i);
    start(i);
  }
  log_.elect();
}

/// What each node's monitor would see: silence after a second, and lives that are over.
void CommandWorld::look_around() {
  for (std::size_t i = 0; i < options_.replicas; ++i)
    if (healthy(i))
      look_around(i);
  const auto leader = log_.leader();
  if ((!leader || !healthy(*leader)) && random_.chance(200'000))
    log_.elect();
  agenda_.note_in(200ms, [this] { look_around(); });
}

void CommandWorld::look_around(std::size_t index) {
  Node& node = *nodes_[index];
  bool changed = false;
  std::vector<protocol::NodeLost> lost;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    Seen& seen = node.seen[other];
    const bool heard = healthy(other) && !cuts_.contains(std::minmax(index, other));
    if (heard) {
      const std::uint64_t life = nodes_[other]->life;
      if (life > seen.life && seen.life > 0)
        lost.push_back({nodes_[other]->id, {seen.life}, true});
      changed = changed || life != seen.life || !seen.up;
      seen = {life, true, agenda_.now()};
    } else if (seen.up && agenda_.now() >= seen.at + 1s) {
      seen.up = false;
      lost.push_back({nodes_[other]->id, {seen.life}, false});
      changed = true;
    }
  }
  for (const auto& event : lost)
    step_replica(index, event);
  if (!changed)
    return;
  auto view = std::make_shared<protocol::ClusterView>();
  view->self = node.id;
  for (const auto& [other, seen] : node.seen) {
    protocol::NodeView one;
    one.info.node = nodes_[other]->id;
    one.incarnation = {seen.life};
    one.state = seen.up ? protocol::NodeState::up : protocol::NodeState::suspect;
    view->nodes.push_back(one);
  }
  step_replica(index, ledger::ViewChanged{view});
}

// --- machines ------------------------------------------------------------------------------------

void CommandWorld::step_replica(std::size_t index, const ledger::Event& event) {
  Node& node = *nodes_[index];
  const std::int64_t wall_ms = agenda_.now().time_since_epoch().count() / 1'000'000;
  const ledger::Effects effects = node.replica->step(event, agenda_.now(), wall_ms);
  for (const std::string& broken : ledger::check(*node.replica))
    violation(base::to_string(node.id) + ": " + broken);
  for (const ledger::Effect& effect : effects)
    std::visit([&](const auto& what) { perform(index, what); }, effect);
  arm_replica(index);
}

void CommandWorld::step_worker(std::size_t index, const worker::Event& event) {
  Node& node = *nodes_[index];
  const worker::Effects effects = node.worker->step(event, agenda_.now());
  for (const std::string& broken : worker::broken_invariants(*node.worker))
    violation(base::to_string(node.id) + ": " + broken);
  for (const worker::Effect& effect : effects)
    std::visit([&](const auto& what) { perform(index, what); }, effect);
  arm_worker(index);
}

void CommandWorld::arm_replica(std::size_t index) {
  Node& node = *nodes_[index];
  const auto next = node.replica->next_deadline();
  if (!next || (node.replica_tick && *node.replica_tick <= *next))
    return;
  node.replica_tick = std::max(*next, agenda_.now() + 1ns);
  at_in(*node.replica_tick - agenda_.now(), index, [this, index] {
    nodes_[index]->replica_tick.reset();
    step_replica(index, ledger::Tick{});
  });
}

void CommandWorld::arm_worker(std::size_t index) {
  Node& node = *nodes_[index];
  const auto next = node.worker->next_deadline();
  if (!next || (node.worker_tick && *node.worker_tick <= *next))
    return;
  node.worker_tick = std::max(*next, agenda_.now() + 1ns);
  at_in(*node.worker_tick - agenda_.now(), index, [this, index] {
    nodes_[index]->worker_tick.reset();
    step_worker(index, worker::Tick{});
  });
}

void CommandWorld::pump(std::size_t index) {
  Node& node = *nodes_[index];
  while (node.up && node.applied < log_.committed().size()) {
    const SimLog::Committed entry = log_.committed()[node.applied];
    ++node.applied;
    ledger::Committed event{{node.applied}, std::nullopt, entry.entry};
    if (entry.proposer == index && entry.life == node.life)
      event.token = entry.token;
    step_replica(index, event);
  }
}

// --- what replicas do ----------------------------------------------------------------------------

void CommandWorld::perform(std::size_t index, const ledger::Propose& effect) {
  log_.propose(index, effect.token, effect.entry);
}

void CommandWorld::perform(std::size_t index, const ledger::Read& effect) {
  log_.read(index, effect.token,
            [this, index] { return nodes_[index]->replica->state().applied(); });
}

void CommandWorld::perform(std::size_t, const ledger::Reply& effect) {
  const auto call = calls_.find(effect.reply.call);
  const auto* accepted = std::get_if<protocol::Accepted>(&effect.reply.reply);
  if (call != calls_.end() && accepted != nullptr)
    accepted_.emplace(accepted->job, call->second);
}

void CommandWorld::perform(std::size_t index, const ledger::SendToNode& effect) {
  send(index, effect.node, effect.message);
}

void CommandWorld::perform(std::size_t index, const ledger::ToScheduler& effect) {
  auto& ready = nodes_[index]->ready;
  if (const auto* tasks = std::get_if<protocol::TasksReady>(&effect.message))
    ready[tasks->job] = ledger::united(ready[tasks->job], ledger::normalized(tasks->ranges));
  else if (const auto* gone = std::get_if<protocol::TasksGone>(&effect.message))
    ready[gone->job] = ledger::difference(ready[gone->job], ledger::normalized(gone->ranges));
  else if (std::holds_alternative<protocol::ShardRetired>(effect.message))
    ready.clear();
}

/// What schedulers would choose: a task or a few, for some node, also one that is gone by now.
void CommandWorld::place_some() {
  for (std::size_t i = 0; i < options_.replicas; ++i) {
    Node& node = *nodes_[i];
    if (!healthy(i) || !node.replica->leading())
      continue;
    for (auto& [job, ranges] : std::map(node.ready)) {
      const std::size_t other = random_.below(nodes_.size());
      if (ranges.empty() || (!node.seen[other].up && !random_.chance(100'000)))
        continue;
      base::TaskRange some = ranges.front();
      some.count = std::min<std::uint32_t>(some.count, 1 + random_.below(2));
      node.ready[job] = ledger::difference(ranges, {some});
      step_replica(
          i, protocol::Place{shard, job, {some}, {nodes_[other]->id, 0}, {node.seen[other].life}});
    }
  }
  agenda_.note_in(30ms, [this] { place_some(); });
}

// --- what workers do -----------------------------------------------------------------------------

void CommandWorld::perform(std::size_t index, const worker::SendToNode& effect) {
  send(index, effect.node, effect.message);
}

void CommandWorld::perform(std::size_t index, const protocol::PrepareFolder& effect) {
  const bool ok = !random_.chance(50'000);
  const base::Error away{base::ErrorKind::unavailable, base::ErrorCode::timeout, "away", ""};
  at_in(between(1ms, 30ms), index, [this, index, effect, ok, away] {
    step_worker(index, protocol::FolderReady{effect.device, effect.token, ok,
                                             ok ? "/jobs/" + effect.folder : "",
                                             ok ? base::Error{} : away});
  });
}

void CommandWorld::perform(std::size_t index, const protocol::CollectFolder& effect) {
  at_in(between(1ms, 30ms), index, [this, index, effect] {
    step_worker(index, protocol::FolderCollected{effect.device, effect.token, true, {}, {}});
  });
}

void CommandWorld::perform(std::size_t index, const worker::Launch& effect) {
  const auto& launch = nodes_[index]->worker->in_flight().at(effect.token);
  check_parents(*nodes_[index]->worker->attempts().at(launch.task.attempt).spec);
  nodes_[index]->kernels.push_back(effect.token);
  at_in(between(1ms, 200ms), index, [this, index, token = effect.token] {
    if (std::erase(nodes_[index]->kernels, token) > 0)
      step_worker(index, worker::ExecutorDone{token, {}, "", {}, {}});
  });
}

void CommandWorld::perform(std::size_t index, const worker::KillExecutor&) {
  at_in(1ms, index, [this, index] {
    auto& kernels = nodes_[index]->kernels;
    worker::ExecutorDied died{"killed", {kernels.begin(), kernels.end()}, {}};
    kernels.clear();
    step_worker(index, died);
    at_in(2ms, index, [this, index] {
      step_worker(index,
                  worker::ExecutorReady{protocol::DeviceKind::cpu, "simulated", "sim", 1ull << 30});
    });
  });
}

// Orders to the warden take their time, as those through a pipe do.
void CommandWorld::perform(std::size_t index, const worker::LaunchCommand& effect) {
  check_lease(index, *effect.spec, effect.until);
  check_parents(*effect.spec);
  at_in(between(10us, 5ms), index, [this, index, effect] { nodes_[index]->warden->run(effect); });
}

void CommandWorld::perform(std::size_t index, const worker::ExtendLease& effect) {
  const auto& launch = nodes_[index]->worker->in_flight().at(effect.token);
  check_lease(index, *nodes_[index]->worker->attempts().at(launch.task.attempt).spec, effect.until);
  at_in(between(10us, 5ms), index,
        [this, index, effect] { nodes_[index]->warden->extend(effect); });
}

void CommandWorld::perform(std::size_t index, const worker::StopCommand& effect) {
  at_in(between(10us, 5ms), index, [this, index, effect] { nodes_[index]->warden->stop(effect); });
}

/// No lease is longer than what a leader has answered allows.
void CommandWorld::check_lease(std::size_t index, const protocol::JobSpec& spec, base::Time until) {
  const base::Duration lease =
      spec.lease_ns > 0 ? base::Duration(spec.lease_ns) : base::Duration(lease_command);
  if (until > nodes_[index]->renew_heard + lease)
    violation(base::to_string(nodes_[index]->id) + " gives a command more than its lease");
}

/// Nothing is launched before the end of what its job waits for is committed.
void CommandWorld::check_parents(const protocol::JobSpec& spec) {
  for (; !spec.after.empty() && audited_.applied().value < log_.committed().size();)
    audited_.apply({audited_.applied().value + 1},
                   log_.committed()[audited_.applied().value].entry);
  for (const protocol::Dependency& condition : spec.after)
    if (!has_ended_so(audited_.find(condition.job), condition.kind))
      violation("a task runs before the end of job " + base::to_string(condition.job) +
                ", which its job waits for");
}

// --- network -------------------------------------------------------------------------------------

void CommandWorld::send(std::size_t from, base::NodeId to, const protocol::PeerMessage& message) {
  const std::size_t index = index_of(to);
  if (index >= nodes_.size() || cuts_.contains(std::minmax(from, index)))
    return;
  const bool bad = options_.bad_network && troubled_ && from != index;
  if (bad && random_.chance(50'000))
    return;
  const int copies = bad && random_.chance(50'000) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const base::Duration delay =
        bad && random_.chance(50'000) ? between(10ms, 4s) : between(50us, 5ms);
    agenda_.note_in(delay,
                    [this, from, index, message, id = nodes_[from]->id, life = nodes_[from]->life] {
                      if (cuts_.contains(std::minmax(from, index)))
                        return;
                      at(index, nodes_[index]->life,
                         [this, index, id, life, message] { deliver(index, id, life, message); });
                    });
  }
}

void CommandWorld::deliver(std::size_t index, base::NodeId from, std::uint64_t life,
                           const protocol::PeerMessage& message) {
  std::visit(
      [&](const auto& what) {
        using Message = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<Message, protocol::Renewed>) {
          Node& node = *nodes_[index];
          node.renew_heard =
              std::max(node.renew_heard, base::Time(base::Duration(what.asked_at_ns)));
        }
        if constexpr (std::is_constructible_v<worker::Event, worker::FromLeader<Message>>)
          step_worker(index, worker::FromLeader<Message>{from, what});
        else if constexpr (std::is_constructible_v<ledger::Event, ledger::FromWorker<Message>>)
          if (nodes_[index]->replica)
            step_replica(index, ledger::FromWorker<Message>{from, {life}, what});
      },
      message);
}

// --- users ---------------------------------------------------------------------------------------

void CommandWorld::submit(const protocol::JobSpec& spec) {
  const auto leader = log_.leader();
  if (!leader || !healthy(*leader))
    return;
  const protocol::SharedSpec shared{std::make_shared<const protocol::JobSpec>(spec)};
  const base::CallId call{++last_call_};
  calls_.emplace(call, shared);
  step_replica(*leader, protocol::ShardRequest{call, shard,
                                               protocol::Submit{{shard, 1, last_call_}, shared}});
}

void CommandWorld::cancel(base::JobId job) {
  const auto leader = log_.leader();
  if (leader && healthy(*leader))
    step_replica(*leader,
                 protocol::ShardRequest{
                     {++last_call_}, shard, protocol::CancelJob{{shard, 2, last_call_}, job}});
}

const ledger::LedgerState& CommandWorld::ledger() {
  for (std::size_t i = 0; i < options_.replicas; ++i)
    if (healthy(i) && nodes_[i]->applied == log_.committed().size())
      return nodes_[i]->replica->state();
  return nodes_[0]->replica->state();
}

void CommandWorld::violation(std::string what) {
  if (violations_.size() < 100)
    violations_.push_back(std::move(what));
}

std::vector<std::string> CommandWorld::violations() const {
  std::vector<std::string> all = violations_;
  all.insert(all.end(), record_.violations().begin(), record_.violations().end());
  return all;
}

}  // namespace fastgpu::testing
