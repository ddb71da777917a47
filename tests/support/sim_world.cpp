#include "tests/support/sim_world.hpp"

#include <algorithm>
#include <cstdio>

namespace fastgpu::testing {
namespace {

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
  // Virtual time begins well after zero, so that "long ago" is a valid moment.
  set_now(base::Time{std::chrono::hours{1}});
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
        agenda_, base::Random(command_random_.next()), *warden, options_.command));
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

void SimWorld::end_life(Node& node) {
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
  if (scheduler().has_job()) {
    run_actor();
    return true;
  }
  return pass_time(limit);
}

// Any actor that has mail may be next: the seed picks, so that it explores the interleavings.
void SimWorld::run_actor() {
  auto& jobs = scheduler().jobs;
  mix(jobs.size());
  const std::size_t pick = random_.below(std::min<std::size_t>(jobs.size(), 4));
  std::rotate(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(pick),
              jobs.begin() + static_cast<std::ptrdiff_t>(pick) + 1);
  scheduler().run_once();
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
    if (node->store) {
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
  for (const auto& node : nodes_) {
    if (node->store && node->store->next_event() && *node->store->next_event() <= now()) {
      node->store->run_until(now());
      return true;
    }
  }
  scheduler().trigger_timeout();
  return true;
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

caf::scheduler::test_coordinator& SimWorld::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

}  // namespace fastgpu::testing
