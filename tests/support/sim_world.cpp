#include "tests/support/sim_world.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "runtime/ledger/tables/replica_plan.hpp"

namespace fastgpu::testing {
namespace {

// Virtual time begins well after zero, so that "long ago" is a valid moment.
constexpr base::Time time_zero{std::chrono::hours{1}};
constexpr std::int64_t million = 1'000'000;

/// What a clock shows that runs so much faster, and the other way; moments far away stay.
base::Time shown_by_clock(base::Time now, std::int32_t drift_ppm) {
  const std::int64_t passed = (now - time_zero).count();
  return now +
         base::Duration{passed / million * drift_ppm + passed % million * drift_ppm / million};
}

base::Time true_time(base::Time shown, std::int32_t drift_ppm) {
  if (shown < time_zero || shown - time_zero > std::chrono::hours{24 * 365}) {
    return shown;
  }
  const std::int64_t passed = (shown - time_zero).count();
  const std::int64_t rate = million + drift_ppm;
  return time_zero + base::Duration{passed / rate * million + passed % rate * million / rate};
}

/// Shares a store with the harness, which drives it, while the store actor owns this.
class DrivenStore final : public store::Store {
 public:
  explicit DrivenStore(std::shared_ptr<store::MemoryStore> store) : store_(std::move(store)) {}
  base::Result<std::vector<store::KeyValue>> scan(std::string_view prefix) const override {
    return store_->scan(prefix);
  }
  void start(Sink sink) override { store_->start(std::move(sink)); }
  base::Admission write(store::StoreToken token, std::vector<store::Write> writes) override {
    return store_->write(token, std::move(writes));
  }
  store::StoreCounters counters() const override { return store_->counters(); }
  std::uint64_t bytes_free() const override { return store_->bytes_free(); }

 private:
  std::shared_ptr<store::MemoryStore> store_;
};

}  // namespace

SimWorld::SimWorld(SimOptions options, std::shared_ptr<actors::Observer> observer)
    : options_(options),
      random_(options.seed),
      log_random_(options.seed ^ 0x10c5),
      command_random_(options.seed ^ 0xc0dd),
      store_random_(options.seed ^ 0xd15c),
      network_(base::Random(random_.next()), options.network),
      cluster_{random_.next(), random_.next()},
      observer_(std::move(observer)) {
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
  set_now(time_zero);
  for (std::uint32_t i = 0; i < options.nodes; ++i) {
    auto node = std::make_unique<Node>();
    const std::string number = std::to_string(i + 1);
    node->info = {{i + 1}, "n" + number, "127.0.0." + number + ":7600"};
    make_wardens(*node);
    node->founding_store = make_store(*node);
    if (options.founding_nodes > 0) {
      node->info.store = node->founding_store;
    }
    nodes_.push_back(std::move(node));
  }
  for (std::uint32_t i = 0; i < founding_nodes(); ++i) {
    start(i);
  }
}

SimWorld::~SimWorld() {
  for (std::uint32_t i = 0; i < node_count(); ++i) {
    if (is_up(i)) {
      crash(i);
    }
  }
  while (scheduler().try_run_once()) {
  }
}

void SimWorld::start(std::uint32_t index) {
  const base::Status started = try_start(index);
  FASTGPU_CHECK(started.ok(), started.error().message.c_str());
}

base::Status SimWorld::try_start(std::uint32_t index) {
  Node& node = *nodes_[index];
  FASTGPU_CHECK(!node.context, "a node has one life at a time");
  ++node.incarnation.value;
  node.context = new_context(node.info, node.incarnation);
  for (const auto& other : nodes_) {
    if (other->info.node.value <= founding_nodes() || other->info.node == node.info.node) {
      node.context->seeds.push_back(other->info);
    }
  }
  set_clocks(index);
  node.store =
      std::make_shared<store::MemoryStore>(node.disk, options_.store, base::Random(random_.next()));
  link::LinkOptions link_options;
  link_options.identity = {cluster_, node.info.node, node.incarnation};
  node.link = std::make_shared<link::SimLink>(network_, host(index), link_options);

  node::NodeParts parts;
  parts.context = node.context;
  parts.link = node.link;
  parts.store = std::make_unique<DrivenStore>(node.store);
  parts.blobs = std::move(objects::BlobStore::open(node.folder)).value();
  node.blobs = parts.blobs.get();
  parts.pin_limits = options_.pin_limits;
  parts.disk_reserve_bytes = options_.disk_reserve_bytes;
  parts.logs = std::move(logs::LogStore::open(node.logs, {.life = node.incarnation.value})).value();
  parts.jobs = node.jobs;
  for (std::uint32_t device = 0; device < options_.devices; ++device) {
    const auto apart = options_.executors_apart.find({index, device});
    parts.executors.push_back(std::make_unique<SimExecutor>(
        agenda_, base::Random(random_.next()),
        apart == options_.executors_apart.end() ? options_.executor : apart->second));
  }
  for (const auto& warden : node.wardens) {
    parts.runners.push_back(std::make_unique<SimCommandRunner>(
        agenda_, base::Random(command_random_.next()), *warden, command_options(index)));
  }
  add_shards(index, parts);
  parts.blocking_disk = false;
  parts.ledger_limits = options_.ledger_limits;
  parts.raft_limits = options_.raft_limits;
  parts.ledger_faults = options_.ledger_faults;
  parts.log_faults = options_.log_faults;
  parts.raft_fault = options_.raft_fault;
  note("start " + node.info.name);
  const base::Status assembled = node::assemble(*system_, std::move(parts));
  if (!assembled.ok()) {
    end_life(node);
  }
  return assembled;
}

raft::Configuration SimWorld::founders_of(std::uint32_t shard) const {
  raft::Configuration group;
  for (std::uint32_t i = 0; i < std::min(options_.replicas, founding_nodes()); ++i) {
    const Node& member = *nodes_[(shard + i) % founding_nodes()];
    group.members.push_back({member.info.node, member.founding_store, true});
  }
  std::sort(group.members.begin(), group.members.end(),
            [](const auto& a, const auto& b) { return a.node < b.node; });
  return group;
}

void SimWorld::add_shards(std::uint32_t index, node::NodeParts& parts) const {
  for (std::uint32_t shard = 0; shard < shard_count(); ++shard) {
    const raft::Configuration group = founders_of(shard);
    const bool founds = group.find(nodes_[index]->info.node) != nullptr;
    if (!founds && options_.founding_nodes == 0) {
      continue;
    }
    parts.shards.push_back({shard});
    if (options_.replicas > 1) {
      parts.groups[{shard}] = founds ? group : raft::Configuration{};
    }
    if (shard == 0) {
      if (options_.founding_nodes > 0 && options_.replicas > ledger::replicas_wanted) {
        parts.founding_replicas = options_.replicas;
      }
      for (std::uint32_t i = 0; i < founding_nodes(); ++i) {
        parts.founders.push_back(nodes_[i]->info);
      }
    }
  }
}

void SimWorld::crash(std::uint32_t index) {
  Node& node = *nodes_[index];
  note("crash " + node.info.name);
  node::close(*node.context);
  node.link->crash();
  node.store->crash();
  node.folder.crash(random_);
  node.logs->crash(log_random_);
  for (const auto& warden : node.wardens) {
    warden->crash();
  }
  end_life(node);
}

void SimWorld::crash_in_sync(std::uint32_t index, std::optional<store::SyncPoint> point) {
  if (is_up(index)) {
    nodes_[index]->store->end_at(point);
  }
}

void SimWorld::freeze(std::uint32_t index) {
  Node& node = *nodes_[index];
  note("freeze " + node.info.name);
  network_.set_paused(host(index), true);
  const actors::Directory& all = node.context->directory;
  for (const caf::actor& actor :
       {all.link, all.gateway, all.scheduler, all.monitor, all.store, all.objects, all.logs}) {
    if (actor) {
      node.frozen.insert(actor.id());
    }
  }
  for (const auto& [shard, actor] : all.shards) {
    node.frozen.insert(actor.id());
  }
  for (const caf::actor& actor : all.workers) {
    node.frozen.insert(actor.id());
  }
}

void SimWorld::thaw(std::uint32_t index) {
  note("thaw " + nodes_[index]->info.name);
  nodes_[index]->frozen.clear();
  network_.set_paused(host(index), false);
}

void SimWorld::end_life(Node& node) {
  node.frozen.clear();
  network_.set_paused({node.info.node.value}, false);
  node.context->directory = {};
  node.context.reset();
  node.link.reset();
  node.store.reset();
  node.blobs = nullptr;
}

void SimWorld::lose_disk(std::uint32_t index) {
  FASTGPU_CHECK(!is_up(index), "a disk is lost between two lives");
  make_store(*nodes_[index]);
}

// Where shards have one replica nobody asks for the number, and disks are as they always were.
raft::StoreId SimWorld::make_store(Node& node) {
  node.disk = {};
  if (options_.replicas == 1) {
    return {};
  }
  const raft::StoreId id{store_random_.next() | 1};
  node.disk.apply(actors::put_store_id(id));
  return id;
}

void SimWorld::make_wardens(Node& node) {
  for (std::uint32_t device = 0; options_.commands && device < options_.devices; ++device) {
    node.wardens.push_back(std::make_unique<SimWarden>(
        agenda_, base::Random(command_random_.next()), executions_, node.info.node));
  }
}

void SimWorld::run_for(base::Duration duration) {
  const base::Time end = now() + duration;
  while (step(end)) {
  }
  set_now(end);
}

bool SimWorld::run_until(const std::function<bool()>& done, base::Duration limit) {
  const base::Time end = now() + limit;
  while (!done()) {
    if (!step(end)) {
      return done();
    }
  }
  return true;
}

std::shared_ptr<link::SimLink> SimWorld::client_link(const link::LinkIdentity& identity) {
  link::LinkOptions options;
  options.identity = identity;
  return std::make_shared<link::SimLink>(network_, link::SimHost{1000 + ++clients_}, options);
}

actors::ContextPtr SimWorld::client_context() {
  return new_context({{}, "client" + std::to_string(clients_), ""}, {1});
}

// One message of one actor, or, when no actor has anything to do, the next thing in time.
bool SimWorld::step(base::Time limit) {
  ++steps_;
  return run_actor() || pass_time(limit);
}

std::optional<std::size_t> SimWorld::pick_job() {
  constexpr std::size_t most = 4;
  const auto& jobs = scheduler().jobs;
  const bool any_frozen = std::any_of(nodes_.begin(), nodes_.end(),
                                      [](const auto& node) { return !node->frozen.empty(); });
  if (!any_frozen) {
    return jobs.empty() ? std::nullopt
                        : std::optional(random_.below(std::min<std::size_t>(jobs.size(), most)));
  }
  const auto stands_still = [this](caf::resumable* job) {
    const auto* actor = dynamic_cast<caf::local_actor*>(job);
    return actor != nullptr && std::any_of(nodes_.begin(), nodes_.end(), [actor](const auto& node) {
             return node->frozen.contains(actor->id());
           });
  };
  std::array<std::size_t, most> places{};
  std::size_t found = 0;
  for (std::size_t place = 0; place < jobs.size() && found < most; ++place) {
    if (!stands_still(jobs[place])) {
      places[found++] = place;
    }
  }
  return found == 0 ? std::nullopt : std::optional(places[random_.below(found)]);
}

// Any actor that has mail may be next: the seed picks, so that it explores the interleavings.
bool SimWorld::run_actor() {
  const std::optional<std::size_t> pick = pick_job();
  if (!pick) {
    return false;
  }
  auto& jobs = scheduler().jobs;
  mix(jobs.size());
  const auto picked = jobs.begin() + static_cast<std::ptrdiff_t>(*pick);
  std::rotate(jobs.begin(), picked, picked + 1);
  scheduler().run_once();
  return true;
}

bool SimWorld::pass_time(base::Time limit) {
  const auto& timers = scheduler().clock().schedule();
  std::optional<base::Time> next;
  const auto consider = [&next](std::optional<base::Time> at) {
    if (at && (!next || *at < *next)) {
      next = at;
    }
  };
  if (!timers.empty()) {
    consider(base::Time{timers.begin()->first.time_since_epoch()});
  }
  consider(agenda_.next_event());
  consider(network_.next_event());
  for (const auto& node : nodes_) {
    if (node->store && node->frozen.empty()) {
      consider(node->store->next_event());
    }
  }
  if (!next || *next > limit) {
    return false;
  }
  set_now(std::max(*next, now()));
  mix(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  // One kind of thing per step, so that actors run in between.
  if (agenda_.run_one(now())) {
    return true;
  }
  if (network_.next_event() && *network_.next_event() <= now()) {
    network_.run_until(now());
    return true;
  }
  if (!run_stores()) {
    scheduler().trigger_timeout();
  }
  return true;
}

/// Lets one store do what is due; a node whose life ended in it goes with it.
bool SimWorld::run_stores() {
  for (std::uint32_t i = 0; i < node_count(); ++i) {
    Node& node = *nodes_[i];
    if (!node.store || !node.frozen.empty() || !node.store->next_event() ||
        *node.store->next_event() > now()) {
      continue;
    }
    node.store->run_until(now());
    if (node.store->crashed()) {
      crash(i);
      if (on_death_) {
        on_death_(i);
      }
    }
    return true;
  }
  return false;
}

void SimWorld::set_now(base::Time now) {
  agenda_.set_now(now);
  network_.set_now(now);
  scheduler().clock().current_time =
      caf::actor_clock::time_point{caf::actor_clock::duration_type{now.time_since_epoch()}};
}

// FNV-1a over everything that happened, with its time.
void SimWorld::mix(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) {
    trace_hash_ = (trace_hash_ ^ (value >> (8 * i) & 0xff)) * 0x100000001b3u;
  }
}

void SimWorld::note(std::string_view what) {
  const std::int64_t at = now().time_since_epoch().count();
  mix(static_cast<std::uint64_t>(at));
  for (const char byte : what) {
    mix(static_cast<std::uint8_t>(byte));
  }
  if (verbose_) {
    std::fprintf(stderr, "%12.6f %.*s\n", static_cast<double>(at) / 1e9 - 3600,
                 static_cast<int>(what.size()), what.data());
  }
}

actors::ContextPtr SimWorld::new_context(const protocol::NodeInfo& self,
                                         base::Incarnation incarnation) {
  auto context = std::make_shared<actors::NodeContext>();
  context->cluster = cluster_;
  context->self = self;
  context->incarnation = incarnation;
  context->layout = {shard_count()};
  context->replicated = options_.replicas > 1;
  context->random_seed = random_.next();
  context->clock = [this] { return now(); };
  context->wall_clock = [this] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()).count();
  };
  context->trace = [this, name = self.name](const std::string& line) { note(name + " " + line); };
  context->observer = observer_;
  return context;
}

void SimWorld::set_clocks(std::uint32_t index) {
  Node& node = *nodes_[index];
  if (index < options_.clock_drift_ppm.size()) {
    node.context->clock = [this, drift = options_.clock_drift_ppm[index]] {
      return shown_by_clock(now(), drift);
    };
  }
  node.context->wall_clock = [this, &node] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now().time_since_epoch()).count() +
           node.wall_offset_ms;
  };
}

// A warden keeps time by its own means, in which the node's moments are told.
SimCommandOptions SimWorld::command_options(std::uint32_t index) const {
  SimCommandOptions options = options_.command;
  if (index < options_.clock_drift_ppm.size()) {
    options.true_time = [drift = options_.clock_drift_ppm[index]](base::Time shown) {
      return true_time(shown, drift);
    };
  }
  return options;
}

caf::scheduler::test_coordinator& SimWorld::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

}  // namespace fastgpu::testing
