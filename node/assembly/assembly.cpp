#include "node/assembly/assembly.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "actors/gateway_actor.hpp"
#include "actors/link_actor.hpp"
#include "actors/logs_actor.hpp"
#include "actors/monitor_actor.hpp"
#include "actors/objects_actor.hpp"
#include "actors/replica/members_record.hpp"
#include "actors/replica/shard_log.hpp"
#include "actors/scheduler_actor.hpp"
#include "actors/shard_actor.hpp"
#include "actors/store_actor.hpp"
#include "actors/worker_actor.hpp"

namespace fastgpu::node {
namespace {

/// How each shard's log is opened, and what it finds on the disk, read before the store takes
/// writes.
base::Result<std::vector<actors::ShardActorOptions>> read_shards(const NodeParts& parts) {
  const auto store_id = actors::store_id_of(*parts.store);
  if (!store_id.ok()) {
    return store_id.error();
  }
  std::vector<actors::ShardActorOptions> shards;
  for (const base::ShardId shard : parts.shards) {
    actors::ShardActorOptions options;
    options.shard = shard;
    if (const auto group = parts.groups.find(shard); group != parts.groups.end()) {
      options.group.emplace();
      options.group->self = parts.context->self.node;
      options.group->store = store_id.value().value_or(raft::StoreId{});
      options.group->founders = group->second;
      options.group->limits = parts.raft_limits;
      options.group->fault = parts.raft_fault;
    }
    auto contents = actors::read_log(*parts.store, shard, options.group);
    if (!contents.ok()) {
      return contents.error();
    }
    options.contents = std::move(contents).value();
    if (shard.value == 0) {
      options.founders = parts.founders;
      options.founding_token = parts.founding_token;
      options.founding_clients = parts.founding_clients;
      options.founding_replicas = parts.founding_replicas;
    }
    options.ledger_limits = parts.ledger_limits;
    options.ledger_faults = parts.ledger_faults;
    options.log_faults = parts.log_faults;
    shards.push_back(std::move(options));
  }
  return shards;
}

/// In the order in which they may begin: nobody is told anything by one that has begun before it
/// has its own Begin, where that matters. The store comes before the logs on it, the shards before
/// the monitor that shows them the cluster.
std::vector<caf::actor> all_of(const actors::Directory& directory) {
  std::vector<caf::actor> all{directory.store, directory.objects, directory.logs,
                              directory.link,  directory.gateway, directory.scheduler};
  for (const auto& [shard, actor] : directory.shards) {
    all.push_back(actor);
  }
  all.insert(all.end(), directory.workers.begin(), directory.workers.end());
  all.push_back(directory.monitor);
  std::erase_if(all, [](const caf::actor& actor) { return !actor; });
  return all;
}

}  // namespace

caf::actor_system_config& quiet(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads",
             std::size_t{std::max(2u, std::thread::hardware_concurrency())});
  return config;
}

base::Status assemble(caf::actor_system& system, NodeParts parts) {
  const actors::ContextPtr context = parts.context;
  auto shards = read_shards(parts);
  if (!shards.ok()) {
    return shards.error();
  }
  auto kept_members = actors::read_members(*parts.store);
  if (!kept_members.ok()) {
    return kept_members.error();
  }
  context->kept_members = std::move(kept_members).value();

  actors::Directory& directory = context->directory;
  directory.store =
      system.spawn<actors::StoreActor>(context, std::move(parts.store), parts.disk_reserve_bytes);
  actors::ObjectsParts objects{parts.blob_folder, std::move(parts.blobs), parts.jobs,
                               parts.pin_limits};
  directory.objects =
      parts.blocking_disk
          ? system.spawn<actors::ObjectsActor, caf::detached>(context, std::move(objects))
          : system.spawn<actors::ObjectsActor>(context, std::move(objects));
  directory.logs =
      parts.blocking_disk
          ? system.spawn<actors::LogsActor, caf::detached>(context, std::move(parts.logs))
          : system.spawn<actors::LogsActor>(context, std::move(parts.logs));
  directory.link =
      system.spawn<actors::LinkActor>(context, parts.link, parts.raft_limits.heartbeat_interval);
  directory.monitor = system.spawn<actors::MonitorActor>(context);
  directory.scheduler = system.spawn<actors::SchedulerActor>(context);
  directory.gateway = system.spawn<actors::GatewayActor>(context);
  for (std::size_t i = 0; i < parts.executors.size(); ++i) {
    actors::WorkerParts worker;
    worker.executor = std::move(parts.executors[i]);
    if (i < parts.expected_devices.size()) {
      worker.expected = std::move(parts.expected_devices[i]);
    }
    worker.hidden_folders = parts.hidden_folders;
    if (!parts.no_commands_why.empty()) {
      worker.no_commands_why = parts.no_commands_why;
    }
    if (i < parts.runners.size()) {
      worker.runner = std::move(parts.runners[i]);
    }
    if (i < parts.device_files.size()) {
      worker.device_files = std::move(parts.device_files[i]);
    }
    directory.workers.push_back(system.spawn<actors::WorkerActor>(
        context, static_cast<std::uint16_t>(i), std::move(worker)));
  }
  for (actors::ShardActorOptions& options : shards.value()) {
    const base::ShardId shard = options.shard;
    directory.shards[shard] = system.spawn<actors::ShardActor>(context, std::move(options));
  }

  for (const caf::actor& actor : all_of(directory)) {
    caf::anon_send(actor, actors::Begin{});
  }
  // Last: nothing comes in from outside before the actors have begun.
  parts.link->start(actors::LinkActor::sink_to(directory.link));
  const auto listening = parts.link->listen(context->self.address);
  if (!listening.ok()) {
    close(*context);
    return listening.error();
  }
  return {};
}

void close(actors::NodeContext& context) {
  context.dead = true;
  for (const caf::actor& actor : all_of(context.directory)) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  }
}

void await_end(caf::actor_system& system, actors::NodeContext& context) {
  {
    caf::scoped_actor self(system);
    self->wait_for(all_of(context.directory));
  }
  context.directory = {};
}

}  // namespace fastgpu::node
