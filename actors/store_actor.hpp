#pragma once

/// Hands the writes of all shards to the node's store, in order of arrival, and tells each writer
/// when its own are durable. Owns the store; the store's thread does the syncs and reports here by
/// message. When the store is full, writes wait here: each log bounds what it has in flight, so
/// there are never more than `SoloLogOptions::writes_in_flight_max` for each shard, or with several
/// replicas `raft::RaftLimits::persists_in_flight_max` and what its leader has in flight. Tells the
/// shards when the disk is too full for new work (DiskWatch).

#include <deque>
#include <memory>

#include "actors/base_actor.hpp"
#include "runtime/store/disk_watch.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::actors {

class StoreActor final : public BaseActor {
 public:
  /// `reserve_bytes` of the disk are for work accepted already; 0 = the disk is not watched.
  StoreActor(caf::actor_config& config, ContextPtr context, std::unique_ptr<store::Store> store,
             std::uint64_t reserve_bytes);

 private:
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_tick() override { look_at_disk(); }
  std::optional<base::Time> next_deadline() const override { return disk_.next_look(); }
  void look_at_disk();
  void on_exit() override { store_.reset(); }  // and with it the lock on its folder
  void hand_over();
  void report(store::StoreToken up_to);

  struct InFlight {
    store::StoreToken token;  ///< the store's
    caf::actor writer;
    store::StoreToken writer_token;
  };

  std::unique_ptr<store::Store> store_;
  store::DiskWatch disk_;
  store::StoreToken last_token_;
  std::deque<StoreWrite> waiting_;
  std::deque<InFlight> in_flight_;
};

}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::store::StoreDurable)
