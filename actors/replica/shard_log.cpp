#include "actors/replica/shard_log.hpp"

#include <utility>

namespace fastgpu::actors {
namespace {

base::Error another_kind(base::ShardId shard, bool group) {
  const std::string number = std::to_string(shard.value);
  return {base::ErrorKind::rejected, base::ErrorCode::conflict,
          group ? "shard " + number + " was kept here by this node alone, and is to have replicas"
                : "shard " + number + " had replicas, and is to be kept by this node alone",
          "start the node as it was started before, or give it an empty data folder"};
}

base::Error another_store(base::ShardId shard) {
  return {base::ErrorKind::rejected, base::ErrorCode::conflict,
          "this node belongs to the replicas of shard " + std::to_string(shard.value) +
              " with another store than the one in its data folder",
          "a node whose disk was lost joins again as a new node"};
}

/// Whether the store is the one with which the node belongs to the group.
base::Status check_store(base::ShardId shard, const RaftLogOptions& group,
                         const std::vector<store::KeyValue>& contents) {
  const bool is_founder =
      group.founders.members.empty() || group.founders.has_voter(group.self, group.store);
  if (!group.store || (contents.empty() && !is_founder)) {
    return another_store(shard);
  }
  const std::string head_key = store::log_key(store::LogKind::group, shard, 'H');
  for (const store::KeyValue& record : contents) {
    if (record.key != head_key) {
      continue;
    }
    const auto head = actors::read_head(record);
    if (!head.ok()) {
      return head.error();
    }
    if (head.value().store != group.store) {
      return another_store(shard);
    }
  }
  return {};
}

}  // namespace

base::Result<std::vector<store::KeyValue>> read_log(const store::Store& store, base::ShardId shard,
                                                    const std::optional<RaftLogOptions>& group) {
  const std::string solo_prefix = store::SoloLog::key_prefix(shard);
  const std::string group_prefix = RaftDisk::key_prefix(shard);
  const auto other = store.scan(group ? solo_prefix : group_prefix);
  if (!other.ok()) {
    return other.error();
  }
  if (!other.value().empty()) {
    return another_kind(shard, group.has_value());
  }
  auto contents = store.scan(group ? group_prefix : solo_prefix);
  // Told here, where a node that begins can refuse with a reason: the log itself is opened later.
  if (contents.ok()) {
    for (const store::KeyValue& record : contents.value()) {
      if (const auto sound = store::unseal(record); !sound) {
        return sound.error();
      }
    }
  }
  if (group && contents.ok()) {
    if (const base::Status own = check_store(shard, *group, contents.value()); !own.ok()) {
      return own.error();
    }
  }
  return contents;
}

base::Result<ShardLog> open_log(const ShardLogOptions& options,
                                std::vector<store::KeyValue> contents, store::StoreWriter& writer,
                                RaftHost& host) {
  ShardLog opened;
  if (options.group) {
    RaftLogOptions of_group = *options.group;
    of_group.shard = options.shard;
    of_group.seed = options.seed;
    auto log = RaftLog::open(of_group, writer, host, std::move(contents));
    if (!log.ok()) {
      return log.error();
    }
    opened.group = log.value().get();
    opened.log = std::move(log).value();
    return opened;
  }
  store::SoloLogOptions of_one;
  of_one.shard = options.shard;
  of_one.faults = options.solo_faults;
  auto log = store::SoloLog::open(of_one, writer, std::move(contents));
  if (!log.ok()) {
    return log.error();
  }
  opened.log = std::move(log).value();
  return opened;
}

base::Result<std::optional<raft::StoreId>> store_id_of(const store::Store& store) {
  const auto found = store.scan(store_id_key());
  if (!found.ok()) {
    return found.error();
  }
  for (const store::KeyValue& record : found.value()) {
    if (record.key == store_id_key()) {
      const auto id = read_store_id(record);
      if (!id.ok()) {
        return id.error();
      }
      return std::optional(id.value());
    }
  }
  return std::optional<raft::StoreId>();
}

}  // namespace fastgpu::actors
