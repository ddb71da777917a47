#include "node/assembly/assembly.hpp"

#include <utility>

#include "actors/gateway_actor.hpp"
#include "actors/link_actor.hpp"
#include "actors/logs_actor.hpp"
#include "actors/monitor_actor.hpp"
#include "actors/objects_actor.hpp"
#include "actors/scheduler_actor.hpp"
#include "actors/shard_actor.hpp"
#include "actors/store_actor.hpp"
#include "actors/worker_actor.hpp"

namespace fastgpu::node {
namespace {

/// What each shard's log finds on the disk, read before the store takes writes.
base::Result<std::vector<std::vector<store::KeyValue>>> read_logs(
    const store::Store& store, const std::vector<base::ShardId>& shards) {
  std::vector<std::vector<store::KeyValue>> logs;
  for (const base::ShardId shard : shards) {
    auto contents = store.scan(store::SoloLog::key_prefix(shard));
    if (!contents.ok()) {
      return contents.error();
    }
    logs.push_back(std::move(contents).value());
  }
  return logs;
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

base::Status assemble(caf::actor_system& system, NodeParts parts) {
  const actors::ContextPtr context = parts.context;
  auto logs = read_logs(*parts.store, parts.shards);
  if (!logs.ok()) {
    return logs.error();
  }

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
  directory.link = system.spawn<actors::LinkActor>(context, parts.link);
  directory.monitor = system.spawn<actors::MonitorActor>(context);
  directory.scheduler = system.spawn<actors::SchedulerActor>(context);
  directory.gateway = system.spawn<actors::GatewayActor>(context);
  for (std::size_t i = 0; i < parts.executors.size(); ++i) {
    actors::WorkerParts worker;
    worker.executor = std::move(parts.executors[i]);
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
  for (std::size_t i = 0; i < parts.shards.size(); ++i) {
    actors::ShardActorOptions options;
    options.shard = parts.shards[i];
    options.contents = std::move(logs.value()[i]);
    if (parts.shards[i].value == 0) {
      options.founders = parts.founders;
      options.join_token = parts.join_token;
    }
    options.ledger_faults = parts.ledger_faults;
    options.log_faults = parts.log_faults;
    directory.shards[parts.shards[i]] =
        system.spawn<actors::ShardActor>(context, std::move(options));
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
