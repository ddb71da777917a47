#include "actors/replica/recovery.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "actors/replica/shard_log.hpp"
#include "runtime/codec/image_codec.hpp"
#include "runtime/codec/record_codec.hpp"
#include "runtime/ledger/ledger_recovery.hpp"
#include "runtime/ledger/ledger_state.hpp"
#include "runtime/raft/recovery/refounding.hpp"

namespace fastgpu::actors {
namespace {

struct Loaded {
  RaftDisk disk;
  raft::StoredState state;  ///< whole
};

base::Result<Loaded> load(const store::Store& store, const RecoveryOf& of, base::ShardId shard) {
  const auto id = store_id_of(store);
  if (!id.ok()) {
    return id.error();
  }
  RaftLogOptions group;
  group.shard = shard;
  group.self = of.self;
  group.store = id.value().value_or(raft::StoreId{});
  auto contents = read_log(store, shard, group);
  if (!contents.ok()) {
    return contents.error();
  }
  RaftDisk disk(shard, {}, group.store);
  auto stored = disk.load(std::move(contents).value());
  if (!stored.ok()) {
    return stored.error();
  }
  auto whole = raft::checked(std::move(stored).value());
  if (!whole.ok()) {
    return whole.error();
  }
  return Loaded{std::move(disk), std::move(whole).value()};
}

/// The ledger if all of the log counts.
base::Result<ledger::LedgerState> ledger_of(const raft::StoredState& stored, const RecoveryOf& of,
                                            base::ShardId shard) {
  ledger::LedgerState ledger(shard, of.layout, of.retention);
  if (stored.snapshot.last.index) {
    const auto image = codec::decode_ledger_image(stored.snapshot.data.span());
    if (!image.ok()) {
      return image.error();
    }
    ledger.restore(image.value());
  }
  for (const raft::Entry& entry : stored.entries) {
    if (entry.index <= stored.snapshot.last.index || entry.data.empty()) {
      continue;
    }
    const auto records = codec::decode_entry(entry.data.span());
    if (!records.ok()) {
      return records.error();
    }
    ledger.apply(entry.index, records.value());
  }
  return ledger;
}

base::Error of_shard(base::ShardId shard, base::Error error) {
  error.message = "shard " + std::to_string(shard.value) + ": " + error.message;
  return error;
}

}  // namespace

base::Result<std::optional<ReplicaFound>> find_replica(const store::Store& store,
                                                       const RecoveryOf& of, base::ShardId shard) {
  const auto loaded = load(store, of, shard);
  if (!loaded.ok()) {
    return of_shard(shard, loaded.error());
  }
  const raft::StoredState& state = loaded.value().state;
  if (!state.last().index) {
    return std::optional<ReplicaFound>();
  }
  const auto ledger = ledger_of(state, of, shard);
  if (!ledger.ok()) {
    return of_shard(shard, ledger.error());
  }
  ReplicaFound found;
  found.shard = shard;
  found.epoch = loaded.value().disk.epoch();
  found.term = state.hard.term;
  found.last = state.last();
  found.surely_settled = state.snapshot.last.index;
  found.members = raft::members_in(state);
  found.votes = found.members.has_voter(of.self, state.store);
  found.votes_alone = raft::votes_alone(state, of.self);
  found.jobs = ledger.value().jobs().size();
  found.jobs_live = ledger.value().live_jobs();
  for (const auto& [job, about] : ledger.value().jobs()) {
    found.newest_job_at_ms = std::max(found.newest_job_at_ms, about.submitted_at_ms);
  }
  return std::optional(std::move(found));
}

base::Result<std::vector<store::Write>> found_anew(const store::Store& store, const RecoveryOf& of,
                                                   base::ShardId shard) {
  auto loaded = load(store, of, shard);
  if (!loaded.ok()) {
    return of_shard(shard, loaded.error());
  }
  auto& [disk, state] = loaded.value();
  const auto ledger = ledger_of(state, of, shard);
  if (!ledger.ok()) {
    return of_shard(shard, ledger.error());
  }
  const base::Bytes image =
      codec::encode(ledger::refounded(ledger.value().image(), raft::refounding_index(state)));
  const auto persist = raft::refounding(state, disk.epoch(), of.self, image);
  if (!persist.ok()) {
    return of_shard(shard, persist.error());
  }
  return disk.changes(persist.value());
}

}  // namespace fastgpu::actors
