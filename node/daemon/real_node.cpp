#include "node/daemon/real_node.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "actors/worker_actor.hpp"
#include "node/assembly/assembly.hpp"
#include "node/daemon/clock.hpp"
#include "node/daemon/founding.hpp"
#include "node/daemon/gpu_guard.hpp"
#include "node/daemon/node_keys.hpp"
#include "node/daemon/node_users.hpp"
#include "node/host/random.hpp"
#include "node/host/reach.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/books/device_books.hpp"
#include "runtime/exec/cuda/device_files.hpp"
#include "runtime/exec/cuda/discovery.hpp"
#include "runtime/exec/process_executor.hpp"
#include "runtime/exec/warden/leftovers.hpp"
#include "runtime/exec/warden/process_runner.hpp"
#include "runtime/link/zmq_link.hpp"
#include "runtime/logs/file_logs.hpp"
#include "runtime/objects/file_folder.hpp"
#include "runtime/objects/jobs/file_jobs.hpp"
#include "runtime/store/rocksdb_store.hpp"

namespace fastgpu::node {
namespace {

std::vector<protocol::NodeInfo> merged(std::vector<protocol::NodeInfo> members,
                                       const std::vector<protocol::NodeInfo>& newer) {
  for (const protocol::NodeInfo& member : newer) {
    std::erase_if(members, [&](const auto& known) { return known.node == member.node; });
    members.push_back(member);
  }
  return members;
}

using Gpus = std::vector<exec::GpuDescription>;

/// Says what it finds; that a host has no driver at all is worth no more than a line of the trace.
Gpus find_gpus(const RealNodeOptions& options) {
  if (!options.use_gpus) {
    return {};
  }
  exec::GpuListing listing = exec::list_gpus(options.executor_program);
  const std::string found = exec::describe(listing);
  if (!listing.no_driver) {
    std::fprintf(stderr, "fastgpu-node: %s%s\n", found.c_str(),
                 listing.devices.empty() ? "; it has CPU devices only" : "");
  } else if (options.trace) {
    options.trace(found + " -> CPU devices only");
  }
  return std::move(listing.devices);
}

/// By device ordinal. A GPU's driver tells what it is before its executor is up; nothing is known
/// of the others.
void make_devices(const NodeFolder& folder, const NodeSettings& settings,
                  const RealNodeOptions& node, const NodeUsers& users, const Gpus& gpus,
                  NodeParts& parts) {
  exec::ProcessExecutorOptions options;
  options.program = node.executor_program;
  options.user = users.kernels;
  options.cache_folder = folder.kernels().string();
  options.arena_bytes = settings.arena_bytes;
  const std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  options.threads = std::max(1u, cores / std::max(1u, settings.cpu_devices));
  const auto add = [&](const std::string& device, const books::DeviceShape& expected) {
    options.device = device;
    parts.executors.push_back(exec::make_process_executor(options));
    parts.expected_devices.push_back(expected);
  };
  for (std::uint32_t i = 0; i < settings.cpu_devices; ++i) {
    add("cpu:" + std::to_string(i), {});
  }
  for (std::uint32_t i = 0; i < settings.null_devices; ++i) {
    add("null", {});
  }
  for (const exec::GpuDescription& gpu : gpus) {
    add("cuda:" + gpu.uuid, {protocol::DeviceKind::gpu, gpu.model, gpu.uuid, gpu.memory_bytes});
  }
}

/// By device ordinal, for each that executes anything. Each has a folder of its own: the mark in it
/// tells whose commands are whose.
void make_runners(const NodeFolder& folder, const NodeSettings& settings,
                  const std::string& program, const NodeUsers& users, const Gpus& gpus,
                  NodeParts& parts) {
  exec::ProcessRunnerOptions options;
  options.program = program;
  std::error_code told_by_the_runner;
  std::filesystem::create_directories(folder.wardens(), told_by_the_runner);
  const std::size_t first_gpu = settings.cpu_devices + settings.null_devices;
  parts.runners.resize(first_gpu + gpus.size());
  parts.device_files.resize(first_gpu + gpus.size());
  std::size_t user = 0;
  for (std::size_t i = 0; i < parts.runners.size(); ++i) {
    if (i >= settings.cpu_devices && i < first_gpu) {
      continue;  // null devices execute nothing
    }
    options.user = users.commands.at(user++);
    options.data_folder = (folder.wardens() / std::to_string(i)).string();
    parts.runners[i] = exec::make_process_runner(options);
    if (i >= first_gpu) {
      parts.device_files[i] = exec::gpu_device_files(gpus[i - first_gpu].uuid);
    }
  }
}

/// Their workers are there by now.
std::unique_ptr<exec::GpuWatch> watch(const Gpus& gpus, std::size_t first_gpu,
                                      const NodeFolder& folder, const std::string& program,
                                      const actors::NodeContext& context) {
  GpuGuardOptions options;
  std::map<std::string, caf::actor> workers;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    options.devices.insert(gpus[i].uuid);
    workers.emplace(gpus[i].uuid, context.directory.workers.at(first_gpu + i));
    const base::Result<std::string> marker =
        exec::marker_of((folder.wardens() / std::to_string(first_gpu + i)).string());
    if (marker.ok()) {
      options.wardens.insert(exec::warden_number(marker.value()));
    }
  }
  options.tell_worker = [workers = std::move(workers)](const std::string& uuid,
                                                       const GpuWord& word) {
    std::visit([&](const auto& message) { caf::anon_send(workers.at(uuid), message); }, word);
  };
  options.tell = [](const std::string& what) {
    std::fprintf(stderr, "fastgpu-node: %s\n", what.c_str());
  };
  return guard_gpus(program, std::move(options));
}

/// Of the disk with the data folder, what new work leaves free.
std::uint64_t reserve_of(const NodeFolder& folder) {
  std::error_code failed;
  const std::filesystem::space_info disk = std::filesystem::space(folder.path(), failed);
  return failed ? 0
                : std::min<std::uint64_t>(base::limits::disk_reserve_bytes,
                                          disk.capacity / base::limits::disk_reserve_divisor);
}

/// Opens what the node keeps on disk. The store first: its lock says whether another process is
/// this node already.
base::Status open_disk(const NodeFolder& folder, NodeParts& parts) {
  parts.disk_reserve_bytes = reserve_of(folder);
  base::Result<std::unique_ptr<store::RocksDbStore>> store =
      store::RocksDbStore::open({.folder = folder.store().string()});
  if (!store.ok()) {
    return store.error();
  }
  base::Result<std::unique_ptr<objects::FileFolder>> blob_folder =
      objects::FileFolder::open(folder.objects().string());
  if (!blob_folder.ok()) {
    return blob_folder.error();
  }
  base::Result<std::unique_ptr<objects::BlobStore>> blobs =
      objects::BlobStore::open(*blob_folder.value(), {.reserve_bytes = parts.disk_reserve_bytes});
  if (!blobs.ok()) {
    return blobs.error();
  }
  base::Result<std::unique_ptr<objects::FileJobs>> jobs =
      objects::FileJobs::open(folder.jobs().string());
  if (!jobs.ok()) {
    return jobs.error();
  }
  parts.jobs = std::move(jobs).value();
  parts.store = std::move(store).value();
  parts.blob_folder = std::move(blob_folder).value();
  parts.blobs = std::move(blobs).value();
  return {};
}

/// The store is locked by now: no other process is this node, or starts commands for it.
base::Status end_earlier_commands(const NodeFolder& folder) {
  exec::EarlierLives lives;
  lives.folder = folder.wardens().string();
  lives.tell = [](const std::string& what) {
    std::fprintf(stderr, "fastgpu-node: waits for the end of its earlier life: %s\n", what.c_str());
  };
  return exec::end_earlier_lives(lives);
}

/// What tasks print, under the number of this life.
base::Status open_logs(const NodeFolder& folder, base::Incarnation life, NodeParts& parts) {
  base::Result<std::unique_ptr<logs::FileLogs>> files =
      logs::FileLogs::open(folder.logs().string());
  if (!files.ok()) {
    return files.error();
  }
  base::Result<std::unique_ptr<logs::LogStore>> store =
      logs::LogStore::open(std::move(files).value(), {.life = life.value});
  if (!store.ok()) {
    return store.error();
  }
  parts.logs = std::move(store).value();
  return {};
}

/// Notes on the disk who is a member, whenever that changes, and passes the view on.
std::function<void(const protocol::SharedView&)> remembering(const NodeFolder& folder,
                                                             const RealNodeOptions& options) {
  return [folder, told = options.on_view,
          known = folder.remembered()](const protocol::SharedView& view) mutable {
    std::vector<protocol::NodeInfo> members;
    if (view->members) {
      members = view->members->members;
      std::erase_if(members, [](const protocol::NodeInfo& member) {
        return member.state == protocol::MemberState::removed;
      });
    }
    if (!members.empty() && members != known) {
      known = std::move(members);
      folder.remember(known);
    }
    if (told) {
      told(view);
    }
  };
}

actors::ContextPtr make_context(const NodeFolder& folder, const NodeSettings& settings,
                                const NodeIdentity& who, base::Incarnation incarnation,
                                const RealNodeOptions& options) {
  auto context = std::make_shared<actors::NodeContext>();
  context->cluster = who.cluster;
  context->self = {who.node, settings.name, settings.listen};
  context->incarnation = incarnation;
  context->layout = {who.shard_count};
  context->replicated = true;
  context->seeds = merged(merged(who.members, folder.remembered()), {context->self});
  context->random_seed = random_seed();
  context->clock = boot_time;
  context->wall_clock = wall_time;
  context->on_view = remembering(folder, options);
  context->warn = [](const std::string& what) {
    std::fprintf(stderr, "fastgpu-node: %s\n", what.c_str());
  };
  if (options.trace) {
    context->trace = [name = context->self.name, trace = options.trace](const std::string& line) {
      trace(name + " " + line);
    };
  }
  return context;
}

}  // namespace

base::Result<std::unique_ptr<RealNode>> RealNode::start(caf::actor_system& system,
                                                        const NodeFolder& folder,
                                                        RealNodeOptions options) {
  const base::Result<NodeSettings> settings = folder.settings();
  const base::Result<NodeIdentity> identity = folder.identity();
  if (!settings.ok() || !identity.ok()) {
    return settings.ok() ? identity.error() : settings.error();
  }
  const NodeIdentity& who = identity.value();
  const auto keys = NodeKeys::open(folder, who);
  if (!keys.ok()) {
    return keys.error();
  }
  options.on_view = learning(keys.value(), options.on_view);
  NodeParts parts;
  if (const base::Status opened = open_disk(folder, parts); !opened.ok()) {
    return opened.error();
  }
  // From its first frame on, the others take this life for the end of the earlier ones' commands.
  if (const base::Status ended = end_earlier_commands(folder); !ended.ok()) {
    return ended.error();
  }
  const Gpus gpus = find_gpus(options);
  const base::Result<NodeUsers> users =
      claim_users(settings.value(), who, settings.value().cpu_devices + gpus.size());
  if (!users.ok()) {
    return users.error();
  }
  const base::Result<base::Incarnation> incarnation = folder.next_incarnation();
  if (!incarnation.ok()) {
    return incarnation.error();
  }
  if (const base::Status opened = open_logs(folder, incarnation.value(), parts); !opened.ok()) {
    return opened.error();
  }
  link::LinkOptions link_options;
  link_options.identity = {who.cluster, who.node, incarnation.value()};
  parts.context = make_context(folder, settings.value(), who, incarnation.value(), options);
  parts.context->self.key = keys.value()->public_key();
  parts.link = std::make_shared<link::ZmqLink>(link_options, boot_time, keys.value()->for_link());
  keys.value()->attach(parts.link);
  make_devices(folder, settings.value(), options, users.value(), gpus, parts);
  if (const base::Status reach = check_reach(folder.path()); reach.ok()) {
    make_runners(folder, settings.value(), options.executor_program, users.value(), gpus, parts);
  } else {
    parts.no_commands_why = reach.error().message + "; " + reach.error().hint;
    std::fprintf(stderr, "fastgpu-node: takes no commands, kernels only: %s\n",
                 parts.no_commands_why.c_str());
  }
  parts.hidden_folders = {folder.path().string()};
  parts.raft_limits.heartbeat_interval = base::limits::replica_heartbeat_interval;
  // Of all shards: those that are not this node's wait to be called and cost nothing.
  parts.groups = founding_groups(who);
  for (const auto& [shard, group] : parts.groups) {
    parts.shards.push_back(shard);
  }
  if (who.founder) {
    parts.founders = who.members;
    parts.founding_token = who.join_token;
    parts.founding_clients = who.clients;
    parts.founding_replicas = who.replicas;
  }
  std::unique_ptr<RealNode> node(new RealNode(system, parts.context));
  if (const base::Status assembled = assemble(system, std::move(parts)); !assembled.ok()) {
    return assembled.error();
  }
  node->gpu_watch_ = watch(gpus, settings.value().cpu_devices + settings.value().null_devices,
                           folder, options.executor_program, *node->context_);
  return node;
}

RealNode::RealNode(caf::actor_system& system, actors::ContextPtr context)
    : system_(system), context_(std::move(context)) {}

RealNode::~RealNode() {
  gpu_watch_.reset();
  close(*context_);
  await_end(system_, *context_);
}

void RealNode::append_log(std::vector<base::LogRecord> records) {
  caf::anon_send(context_->directory.logs, protocol::LogAppend{std::move(records)});
}

}  // namespace fastgpu::node
