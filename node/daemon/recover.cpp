#include "node/daemon/recover.hpp"

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <utility>

#include "node/daemon/node_config.hpp"
#include "node/daemon/recover_text.hpp"
#include "node/daemon/report.hpp"
#include "node/host/who_listens.hpp"
#include "runtime/base/check.hpp"
#include "runtime/store/rocksdb_store.hpp"

namespace fastgpu::node {
namespace {

using actors::RecoveryOf;
using actors::ReplicaFound;
using base::ErrorCode;
using base::ErrorKind;

constexpr std::chrono::milliseconds answer_limit{1000};

/// All that there is to know before anything is decided.
struct Scene {
  RecoverView view;
  RecoveryOf of;
  std::vector<protocol::NodeInfo> nodes;
  std::unique_ptr<store::RocksDbStore> store;
  std::vector<ReplicaFound> found;
  std::vector<base::Error> damaged;
};

base::Error no_node_there(const std::string& folder, const std::string& what) {
  return {ErrorKind::rejected, ErrorCode::not_found, folder + what,
          "give the --dir of a node that held replicas, with the disk that they are on"};
}

base::Result<Scene> open(const RecoverArguments& arguments) {
  const NodeFolder folder(arguments.folder);
  if (!folder.is_founded()) {
    return no_node_there(arguments.folder, " is no node's folder: it has no identity.toml");
  }
  const base::Result<NodeIdentity> identity = folder.identity();
  if (!identity.ok()) {
    return identity.error();
  }
  if (!std::filesystem::exists(folder.store())) {
    return no_node_there(arguments.folder, " has no store any more: nothing is left to go on from");
  }
  const NodeIdentity& who = identity.value();
  Scene scene;
  scene.view.folder = arguments.folder;
  scene.view.self = who.node;
  scene.of = {who.node, {who.shard_count}};
  scene.nodes = who.members;
  for (const protocol::NodeInfo& later : folder.remembered()) {
    std::erase_if(scene.nodes, [&](const auto& known) { return known.node == later.node; });
    scene.nodes.push_back(later);
  }
  for (const protocol::NodeInfo& node : scene.nodes) {
    scene.view.names[node.node] = node.name;
  }
  auto store = store::RocksDbStore::open({.folder = folder.store().string()});
  if (!store.ok()) {
    return store.error();
  }
  scene.store = std::move(store).value();
  return scene;
}

/// Of all shards, or those that were named.
base::Status look(Scene& scene, const std::vector<std::uint32_t>& named) {
  for (const std::uint32_t shard : named) {
    if (shard >= scene.of.layout.shard_count) {
      return base::Error{
          ErrorKind::invalid, ErrorCode::bad_argument, "there is no shard " + std::to_string(shard),
          "the cluster has the shards 0 to " + std::to_string(scene.of.layout.shard_count - 1)};
    }
  }
  for (std::uint32_t shard = 0; shard < scene.of.layout.shard_count; ++shard) {
    const bool is_named = std::find(named.begin(), named.end(), shard) != named.end();
    if (!named.empty() && !is_named) {
      continue;
    }
    auto replica = actors::find_replica(*scene.store, scene.of, {shard});
    if (!replica.ok()) {
      scene.damaged.push_back(replica.error());
    } else if (replica.value()) {
      scene.found.push_back(std::move(*replica.value()));
    } else if (is_named) {
      return base::Error{ErrorKind::rejected, ErrorCode::not_found,
                         "this node holds nothing of shard " + std::to_string(shard),
                         "recover it on a node that does"};
    }
  }
  if (scene.found.empty() && scene.damaged.empty()) {
    return no_node_there(scene.view.folder, " holds no replica of any shard");
  }
  return {};
}

std::vector<ReplicaFound> choose(const Scene& scene, bool are_named) {
  std::vector<ReplicaFound> chosen;
  for (const ReplicaFound& replica : scene.found) {
    if (!replica.votes_alone && (replica.votes || are_named)) {
      chosen.push_back(replica);
    }
  }
  return chosen;
}

/// Why nobody may be declared lost, if others of a majority are still there.
base::Status check_lost(const std::vector<ReplicaFound>& chosen, const Scene& scene) {
  std::map<base::NodeId, std::string> addresses;
  for (const protocol::NodeInfo& node : scene.nodes) {
    if (node.node != scene.of.self) {
      addresses[node.node] = node.address;
    }
  }
  std::vector<std::string> all;
  for (const auto& [node, address] : addresses) {
    all.push_back(address);
  }
  const std::set<std::string> listening = who_listens(all, answer_limit);
  for (const ReplicaFound& replica : chosen) {
    std::size_t alive = replica.votes ? 1 : 0;
    std::string who;
    for (const raft::Member& member : replica.members.members) {
      const auto at = addresses.find(member.node);
      if (member.voter && at != addresses.end() && listening.contains(at->second)) {
        ++alive;
        who +=
            (who.empty() ? "" : ", ") + scene.view.name_of(member.node) + " (" + at->second + ")";
      }
    }
    if (alive >= replica.members.majority() && !who.empty()) {
      return base::Error{ErrorKind::rejected, ErrorCode::conflict,
                         "a majority of shard " + std::to_string(replica.shard.value) +
                             "'s voters may be alive: somebody listens at " + who,
                         "start this node (fastgpu-node run): the shard goes on by itself; if "
                         "their disks are lost, stop what listens there first"};
    }
  }
  return {};
}

/// What the store's thread tells the waiting one.
class OnDisk {
 public:
  void set(store::StoreToken up_to) {
    const std::lock_guard lock(mutex_);
    up_to_ = up_to;
    changed_.notify_one();
  }
  /// A write that fails ends the process in the store.
  void await(store::StoreToken token) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return up_to_ >= token; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  store::StoreToken up_to_;
};

/// One after the other, each on the disk before the next.
void write(store::RocksDbStore& store, std::vector<std::vector<store::Write>> all) {
  const auto on_disk = std::make_shared<OnDisk>();
  store.start([on_disk](const store::StoreDurable& durable) { on_disk->set(durable.up_to); });
  store::StoreToken token;
  for (std::vector<store::Write>& writes : all) {
    ++token.value;
    const base::Admission taken = store.write(token, std::move(writes));
    FASTGPU_CHECK(taken == base::Admission::accepted, "a store takes a write where none waits");
    on_disk->await(token);
  }
}

int found_anew(Scene& scene, const std::vector<ReplicaFound>& chosen) {
  std::vector<std::vector<store::Write>> all;
  for (const ReplicaFound& replica : chosen) {
    auto writes = actors::found_anew(*scene.store, scene.of, replica.shard);
    if (!writes.ok()) {
      return report(writes.error());
    }
    all.push_back(std::move(writes).value());
  }
  write(*scene.store, std::move(all));
  for (const ReplicaFound& replica : chosen) {
    const auto now = replica.epoch.value + scene.of.self.value;
    std::cout << "Shard " << replica.shard.value << ": founded anew with epoch " << now
              << " from entry " << replica.last.index.value << "; its only voter is "
              << scene.view.name_of(scene.of.self) << ".\n";
  }
  std::cout << aftermath(chosen, scene.view);
  return 0;
}

}  // namespace

int recover(const RecoverArguments& arguments) {
  base::Result<Scene> opened = open(arguments);
  if (!opened.ok()) {
    return report(opened.error());
  }
  Scene& scene = opened.value();
  if (const base::Status looked = look(scene, arguments.shards); !looked.ok()) {
    return report(looked.error());
  }
  if (arguments.force && !scene.damaged.empty()) {
    return report(scene.damaged.front());
  }
  std::cout << "What " << scene.view.name_of(scene.of.self) << " holds:\n\n"
            << table_of(scene.found, scene.view);
  const std::vector<ReplicaFound> chosen = choose(scene, !arguments.shards.empty());
  if (!arguments.force || chosen.empty()) {
    std::vector<base::ShardId> shards;
    for (const ReplicaFound& replica : chosen) {
      shards.push_back(replica.shard);
    }
    std::cout << advice(scene.found, shards, scene.view);
    int code = 0;
    for (const base::Error& error : scene.damaged) {
      code = report(error);
    }
    return code;
  }
  if (const base::Status lost = check_lost(chosen, scene); !lost.ok()) {
    return report(lost.error());
  }
  std::cout << "\n";
  return found_anew(scene, chosen);
}

}  // namespace fastgpu::node
