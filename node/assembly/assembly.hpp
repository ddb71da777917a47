#pragma once

/// Every actor of a node, in construction order, from parts that are real or simulated: the same
/// for the daemon, for embedded nodes and for the simulator. Nothing else spawns them.

#include <caf/all.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/base_actor.hpp"
#include "runtime/base/result.hpp"
#include "runtime/books/device_books.hpp"
#include "runtime/exec/executor.hpp"
#include "runtime/exec/warden/command_runner.hpp"
#include "runtime/ledger/shard_machine.hpp"
#include "runtime/link/link.hpp"
#include "runtime/logs/log_store.hpp"
#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/jobs/job_disk.hpp"
#include "runtime/objects/pins/pin_machine.hpp"
#include "runtime/raft/raft_faults.hpp"
#include "runtime/raft/raft_options.hpp"
#include "runtime/raft/raft_types.hpp"
#include "runtime/store/solo_log.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::node {

/// What a node stands on. Owned by its actors afterwards.
struct NodeParts {
  actors::ContextPtr context;
  std::shared_ptr<link::Link> link;     ///< not started
  std::unique_ptr<store::Store> store;  ///< not started
  std::shared_ptr<objects::BlobFolder> blob_folder;
  std::unique_ptr<objects::BlobStore> blobs;
  std::unique_ptr<logs::LogStore> logs;
  objects::PinLimits pin_limits{};
  /// What new work leaves free of the disk of `store`; 0 = it takes what there is.
  std::uint64_t disk_reserve_bytes{0};
  std::shared_ptr<objects::JobDisk> jobs;                  ///< the folders of commands
  std::vector<std::unique_ptr<exec::Executor>> executors;  ///< by device ordinal; not started
  /// By device ordinal, or none: what is known of the device before its executor is up.
  std::vector<books::DeviceShape> expected_devices;
  /// By device ordinal, or none: that device takes no commands.
  std::vector<std::unique_ptr<exec::CommandRunner>> runners;
  /// By device ordinal, or none: files of /dev that its commands are given.
  std::vector<std::vector<std::string>> device_files;
  std::string no_commands_why;  ///< why there are no runners, if there is more to say than that
  std::vector<std::string> hidden_folders;  ///< host paths that no command may see
  std::vector<base::ShardId> shards;        ///< that this node keeps
  /// Of those with several replicas: the members that the group is founded with, this node with the
  /// number of its store among them. The others have this replica alone.
  std::map<base::ShardId, raft::Configuration> groups;
  /// Root shard only: members that the cluster is founded with.
  std::vector<protocol::NodeInfo> founders;
  std::string founding_token;  ///< of founders: lets the first other node in; empty = none
  std::vector<protocol::ClientKey> founding_clients{};  ///< root shard only: as `founders`
  std::uint32_t founding_replicas{0};  ///< of each shard; 0 = nobody asked for any number
  /// Blobs and logs on a real disk block: their actors get threads of their own.
  bool blocking_disk{true};
  ledger::ShardLimits ledger_limits;
  raft::RaftLimits raft_limits;  ///< of the shards in `groups`
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
  raft::Fault raft_fault{raft::Fault::none};
};

/// For the actor system of nodes: its threads sleep until there is work, and there are no more of
/// them than processors. CAF's default looks for work over and over in each of at least four, which
/// costs a node that idles more than all else it does; and threads beyond the processors are woken
/// for work that is taken before they come to it.
caf::actor_system_config& quiet(caf::actor_system_config& config);

/// Spawns the actors, fills the context's directory, starts the parts and sends Begin. Refuses a
/// store whose contents are corrupt, or that is not the one with which the node belongs to the
/// groups of its shards, before anything runs.
base::Status assemble(caf::actor_system& system, NodeParts parts);

/// Ends the node's actors; they drop what they are told from now on. Does not wait for them.
void close(actors::NodeContext& context);

/// Waits until all of them are gone and lets go of them. After `close`; blocks.
void await_end(caf::actor_system& system, actors::NodeContext& context);

}  // namespace fastgpu::node
