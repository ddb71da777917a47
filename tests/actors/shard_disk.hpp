#pragma once

/// The store beneath one shard actor on the bench, played by the test.

#include <map>
#include <string>
#include <vector>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {

/// What a store keeps of one shard's log, durable as soon as the test says so.
class ShardDisk {
 public:
  /// Takes what the actor has written and tells it that all of it is durable.
  void sync(testing::ActorBench& bench) {
    bench.run();
    while (auto write = bench.store.take<StoreWrite>()) {
      for (const store::Write& change : write->writes) {
        apply(change);
      }
      bench.send(Durable{write->token});
    }
  }
  std::vector<store::KeyValue> contents() const {
    std::vector<store::KeyValue> all;
    for (const auto& [key, value] : keys_) {
      all.push_back({key, value});
    }
    return all;
  }

 private:
  void apply(const store::Write& change) {
    if (change.value) {
      keys_[change.key] = *change.value;
    } else if (change.end.empty()) {
      keys_.erase(change.key);
    } else {
      keys_.erase(keys_.lower_bound(change.key), keys_.lower_bound(change.end));
    }
  }

  std::map<std::string, base::Bytes> keys_;
};

}  // namespace fastgpu::actors
