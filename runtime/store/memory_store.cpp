#include "runtime/store/memory_store.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::store {

void MemoryDisk::apply(const Write& write) {
  if (write.value) {
    contents_[write.key] = *write.value;
  } else if (write.end.empty()) {
    contents_.erase(write.key);
  } else if (write.key < write.end) {
    contents_.erase(contents_.lower_bound(write.key), contents_.lower_bound(write.end));
  }
}

bool MemoryDisk::rot(base::Random& random) {
  if (contents_.empty()) {
    return false;
  }
  const auto victim =
      std::next(contents_.begin(), static_cast<std::ptrdiff_t>(random.below(contents_.size())));
  const auto sound = victim->second.span();
  std::vector<std::uint8_t> turned(sound.begin(), sound.end());
  if (turned.empty()) {
    return false;
  }
  const std::uint64_t bit = random.below(turned.size() * 8);
  turned[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  victim->second = base::Bytes(std::move(turned));
  return true;
}

MemoryStore::MemoryStore(MemoryDisk& disk, MemoryStoreOptions options, base::Random random)
    : disk_(disk), options_(options), random_(random) {
  FASTGPU_CHECK(options_.sync_delay_min <= options_.sync_delay_max, "a delay has a range");
}

base::Result<std::vector<KeyValue>> MemoryStore::scan(std::string_view prefix) const {
  std::vector<KeyValue> found;
  const auto& contents = std::as_const(disk_).contents();
  for (auto at = contents.lower_bound(prefix);
       at != contents.end() && at->first.starts_with(prefix); ++at) {
    found.push_back({at->first, at->second});
  }
  return found;
}

void MemoryStore::start(Sink sink) {
  FASTGPU_CHECK(!sink_ && sink, "a store starts once");
  sink_ = std::move(sink);
}

base::Admission MemoryStore::write(StoreToken token, std::vector<Write> writes) {
  FASTGPU_CHECK(sink_ && token > last_token_, "tokens grow, after start");
  std::size_t bytes = 0;
  for (const auto& each : writes) {
    bytes += each.size_bytes();
  }
  if (bytes_in_flight_ > 0 && bytes_in_flight_ + bytes > options_.pending_bytes_max) {
    return base::Admission::full;
  }
  last_token_ = token;
  if (!crashed_) {
    bytes_in_flight_ += bytes;
    pending_.push_back({token, std::move(writes), bytes});
  }
  return base::Admission::accepted;
}

std::optional<base::Time> MemoryStore::next_event() const {
  if (sync_end_) {
    return sync_end_;
  }
  return pending_.empty() ? std::nullopt : std::optional(now_);
}

void MemoryStore::run_until(base::Time now) {
  FASTGPU_CHECK(now >= now_, "time goes forward");
  base::Time idle_since = now;  // a write that found the store idle begins its sync at this call
  while (!crashed_) {
    if (sync_end_ && *sync_end_ <= now) {
      idle_since = *sync_end_;
      end_sync();
    } else if (!sync_end_ && !pending_.empty()) {
      begin_sync(idle_since);
    } else {
      break;
    }
  }
  now_ = now;
}

void MemoryStore::begin_sync(base::Time now) {
  if (end_at_ == SyncPoint::before) {
    crash();
    return;
  }
  syncing_.swap(pending_);
  const auto spread = (options_.sync_delay_max - options_.sync_delay_min).count();
  const auto drawn = random_.below(static_cast<std::uint64_t>(spread) + 1);
  sync_end_ = now + options_.sync_delay_min + base::Duration(static_cast<std::int64_t>(drawn)) +
              disk_.stall();
  if (options_.faults.lie_about_durability) {
    sink_({syncing_.back().token});
  }
}

void MemoryStore::end_sync() {
  if (end_at_ == SyncPoint::within || end_at_ == SyncPoint::failure) {
    disk_.counters.failed_syncs += end_at_ == SyncPoint::failure ? 1 : 0;
    crash();
    return;
  }
  const StoreToken up_to = syncing_.back().token;
  for (const auto& done : syncing_) {
    for (const auto& each : done.writes) {
      disk_.apply(each);
    }
    bytes_in_flight_ -= done.bytes;
    counters_.bytes += done.bytes;
  }
  counters_.writes += syncing_.size();
  counters_.syncs += 1;
  syncing_.clear();
  sync_end_.reset();
  if (end_at_ == SyncPoint::after) {
    crash();
    return;
  }
  sink_({up_to});
}

void MemoryStore::crash() {
  if (crashed_) {
    return;
  }
  crashed_ = true;
  // Only what a sync was at work on can have reached the disk, and only a prefix of it.
  const auto kept = random_.below(syncing_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    for (const auto& each : syncing_[i].writes) {
      disk_.apply(each);
    }
  }
  disk_.counters.lost_writes += syncing_.size() - kept + pending_.size();
  disk_.counters.torn_syncs += kept > 0 && kept < syncing_.size() ? 1 : 0;
  syncing_.clear();
  pending_.clear();
  bytes_in_flight_ = 0;
  sync_end_.reset();
}

}  // namespace fastgpu::store
