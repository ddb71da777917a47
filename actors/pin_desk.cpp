#include "actors/pin_desk.hpp"

#include <algorithm>

#include "actors/object_words.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::actors {

using objects::PinOwner;

PinDesk::PinDesk(objects::BlobStore& store, base::NodeId self, base::ShardLayout layout,
                 const objects::PinLimits& limits)
    : store_(store),
      self_(self),
      layout_(layout),
      machine_(limits),
      map_(self, layout.shard_count),
      upload_idle_(limits.grace_tight) {}

std::optional<base::Time> PinDesk::next_deadline() const {
  const std::optional<base::Time> due = machine_.next_deadline();
  if (store_.counters().uploads == 0) {
    return due;
  }
  const base::Time look = uploads_looked_at_ + upload_idle_;
  return due ? std::min(*due, look) : look;
}

void PinDesk::begin(base::Time now) {
  for (const auto& [owner, hashes] : store_.pins().owners()) {
    step(objects::OwnerPinned{owner, {hashes.begin(), hashes.end()}}, now);
    for (const base::ObjectHash& hash : hashes) {
      const base::NodeId home = store_.pins().home_of({hash, owner});
      if (store_.has(hash)) {  // else the disk has lost it: another holder's copy serves
        turn_.pinned.push_back({owner, {hash}, home ? home : self_, {}});
      }
    }
  }
}

void PinDesk::see(const protocol::SharedView& view, base::Time now) {
  map_.update(view);
  std::map<base::ShardId, base::NodeId> leaders;
  for (const auto& [node, shards] : map_.led_shards()) {
    for (const base::ShardId shard : shards) {
      leaders[shard] = node;
    }
  }
  for (const auto& [shard, node] : leaders_) {
    if (!leaders.contains(shard)) {
      step(objects::ShardLedBy{shard, {}}, now);
    }
  }
  for (const auto& [shard, node] : leaders) {
    if (const auto known = leaders_.find(shard); known == leaders_.end() || known->second != node) {
      step(objects::ShardLedBy{shard, node}, now);
    }
  }
  leaders_ = std::move(leaders);
}

void PinDesk::hear(base::NodeId node, const protocol::PinAnswer& answer, base::Time now) {
  objects::PinsAnswered answered{node,         answer.shard, answer.question,
                                 answer.epoch, answer.term,  {}};
  for (const base::RequestId& request : answer.gone_requests) {
    answered.gone.push_back(objects::owner_of(request));
  }
  for (const base::JobId job : answer.gone_jobs) {
    answered.gone.push_back(objects::owner_of(answer.shard, job));
  }
  step(answered, now);
}

void PinDesk::tick(base::Time now) {
  if (const auto due = machine_.next_deadline(); due && *due <= now) {
    step(objects::PinTick{store_.disk_is_tight()}, now);
  }
  if (now - uploads_looked_at_ >= upload_idle_) {
    uploads_looked_at_ = now;
    store_.set_idle_uploads_aside();
  }
}

protocol::ObjectPinned PinDesk::pin(const protocol::ObjectPin& pin, base::Time now) {
  for (const protocol::ObjectRef& object : pin.objects) {
    if (!store_.has(object.hash)) {
      return refused(pin, object_gone(object.hash));
    }
  }
  const PinOwner owner = objects::owner_of(pin.request);
  const base::Status pinned = pin_copies(hashes_of(pin.objects), owner, self_, {}, now);
  return {pin.call, pin.part, pinned.ok(), pinned.ok() ? base::Error{} : pinned.error()};
}

base::Status PinDesk::pin(base::JobId job, std::span<const base::ObjectHash> outputs,
                          base::Time now) {
  const PinOwner owner = objects::owner_of(layout_.shard_of(job), job);
  return outputs.empty() ? base::Status() : pin_copies(outputs, owner, self_, {}, now);
}

base::Status PinDesk::pin_copies(std::span<const base::ObjectHash> hashes, const PinOwner& owner,
                                 base::NodeId home, base::NodeId holder, base::Time now) {
  base::Status pinned = store_.pin(hashes, owner, home == self_ ? base::NodeId{} : home);
  if (!pinned.ok()) {
    return pinned;
  }
  turn_.pinned.push_back({owner, {hashes.begin(), hashes.end()}, home, holder});
  step(objects::OwnerPinned{owner, {hashes.begin(), hashes.end()}}, now);
  return {};
}

protocol::Kept PinDesk::keep(const protocol::Keep& keep, base::Time now) {
  std::vector<objects::Blob> blobs;
  std::vector<base::ObjectHash> hashes;
  protocol::Kept kept{keep.device, keep.token, {}, {}};
  for (const base::Bytes& data : keep.data) {
    blobs.push_back({base::sha256(data.span()), data});
    hashes.push_back(blobs.back().hash);
    kept.objects.push_back({hashes.back(), data.size(), self_});
  }
  base::Status status = store_.put(blobs);
  if (status.ok()) {
    status = pin(keep.job, hashes, now);
  }
  if (!status.ok()) {
    kept.error = status.error();
    kept.objects.clear();
  }
  return kept;
}

PinDesk::Turn PinDesk::end_turn(base::Time now) {
  if (auto unpinned = store_.take_unpinned(); !unpinned.empty()) {
    step(objects::ObjectsUnpinned{std::move(unpinned)}, now);
  }
  return std::exchange(turn_, {});
}

void PinDesk::step(const objects::PinEvent& event, base::Time now) {
  for (const objects::PinEffect& effect : machine_.step(event, now)) {
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
}

void PinDesk::perform(const objects::AskPins& ask) {
  protocol::PinCheck check{ask.shard, ask.question, {}, {}};
  for (const PinOwner& owner : ask.owners) {
    if (owner.kind == objects::PinOwnerKind::request) {
      check.requests.push_back({owner.shard, owner.high, owner.low});
    } else {
      check.jobs.push_back({owner.low});
    }
  }
  turn_.asked.emplace_back(ask.node, std::move(check));
}

void PinDesk::perform(const objects::DropPins& drop) {
  store_.unpin(drop.owners);
  turn_.unpinned.insert(turn_.unpinned.end(), drop.owners.begin(), drop.owners.end());
}

void PinDesk::perform(const objects::RemoveObjects& remove) {
  std::vector<base::ObjectHash> hashes;
  for (const base::ObjectHash& hash : remove.hashes) {
    if (store_.has(hash) && !store_.is_pinned(hash)) {
      hashes.push_back(hash);
    }
  }
  const base::Status removed = store_.remove(hashes);
  FASTGPU_CHECK(removed.ok(), "nobody pins these");
  turn_.removed.insert(turn_.removed.end(), hashes.begin(), hashes.end());
}

}  // namespace fastgpu::actors
