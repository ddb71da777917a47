#include "actors/store_actor.hpp"

#include <utility>

namespace fastgpu::actors {

StoreActor::StoreActor(caf::actor_config& config, ContextPtr context,
                       std::unique_ptr<store::Store> store, std::uint64_t reserve_bytes)
    : BaseActor(config, std::move(context), "store"),
      store_(std::move(store)),
      disk_(reserve_bytes) {}

caf::message_handler StoreActor::handlers() {
  return {on<StoreWrite>([this](const StoreWrite& write) {
            waiting_.push_back(write);
            hand_over();
          }),
          on<store::StoreDurable>([this](const store::StoreDurable& durable) {
            report(durable.up_to);
            hand_over();
          })};
}

void StoreActor::on_begin() {
  // A weak handle: the store is owned by this actor and must not keep it alive.
  store_->start([self = caf::actor_cast<caf::actor_addr>(this)](store::StoreDurable durable) {
    if (auto strong = caf::actor_cast<caf::actor>(self)) {
      caf::anon_send(strong, durable);
    }
  });
  look_at_disk();
}

void StoreActor::look_at_disk() {
  const bool was_low = disk_.low();
  const std::uint64_t free = store_->bytes_free();
  if (!disk_.next_look() || !disk_.look(free, now())) {
    return;
  }
  if (disk_.low() != was_low) {
    trace(std::to_string(free) + " bytes of the disk are free -> new work is " +
          (disk_.low() ? "refused" : "taken again"));
  }
  for (const auto& [id, shard] : directory().shards) {
    tell(shard, protocol::DiskRoom{free, disk_.reserve_bytes(), disk_.low()});
  }
}

void StoreActor::hand_over() {
  while (!waiting_.empty()) {
    StoreWrite& next = waiting_.front();
    const store::StoreToken token{last_token_.value + 1};
    if (store_->write(token, next.writes) != base::Admission::accepted) {
      return;
    }
    last_token_ = token;
    in_flight_.push_back({token, std::move(next.reply_to), next.token});
    waiting_.pop_front();
  }
}

void StoreActor::report(store::StoreToken up_to) {
  while (!in_flight_.empty() && in_flight_.front().token <= up_to) {
    tell(in_flight_.front().writer, Durable{in_flight_.front().writer_token});
    in_flight_.pop_front();
  }
}

}  // namespace fastgpu::actors
