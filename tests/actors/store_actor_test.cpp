#include "actors/store_actor.hpp"

#include <gtest/gtest.h>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

/// A store whose durability the test decides.
struct Disk {
  std::vector<store::StoreToken> taken;
  store::Store::Sink sink;
  bool full{false};
  std::uint64_t bytes_free{UINT64_MAX};
};

class HeldStore final : public store::Store {
 public:
  explicit HeldStore(Disk& disk) : disk_(disk) {}
  base::Result<std::vector<store::KeyValue>> scan(std::string_view) const override {
    return std::vector<store::KeyValue>{};
  }
  void start(Sink sink) override { disk_.sink = std::move(sink); }
  base::Admission write(store::StoreToken token, std::vector<store::Write>) override {
    if (disk_.full) {
      return base::Admission::full;
    }
    disk_.taken.push_back(token);
    return base::Admission::accepted;
  }
  store::StoreCounters counters() const override { return {}; }
  std::uint64_t bytes_free() const override { return disk_.bytes_free; }

 private:
  Disk& disk_;
};

StoreWrite write_of(const testing::Recorder& writer, std::uint64_t token) {
  return {writer.actor(), {token}, {store::Write::put("key", {})}};
}

TEST(StoreActor, TellsEachWriterOfItsOwnWritesOnceTheyAreDurable) {
  Disk disk;
  testing::ActorBench bench;
  bench.spawn<StoreActor>(std::make_unique<HeldStore>(disk), 0);
  bench.send(write_of(bench.shard, 7));
  bench.send(write_of(bench.worker, 7));
  EXPECT_EQ(disk.taken, (std::vector<store::StoreToken>{{1}, {2}}));
  EXPECT_FALSE(bench.shard.take<Durable>()) << "nothing is durable yet";

  disk.sink({{1}});
  bench.run();
  ASSERT_TRUE(bench.shard.take<Durable>());
  EXPECT_FALSE(bench.worker.take<Durable>());
  disk.sink({{2}});
  bench.run();
  EXPECT_EQ(bench.worker.take<Durable>().value().token, store::StoreToken{7});
}

TEST(StoreActor, KeepsWritesThatTheStoreHasNoRoomForInTheirOrder) {
  Disk disk;
  testing::ActorBench bench;
  bench.spawn<StoreActor>(std::make_unique<HeldStore>(disk), 0);
  bench.send(write_of(bench.shard, 1));
  disk.full = true;
  bench.send(write_of(bench.shard, 2));
  bench.send(write_of(bench.shard, 3));
  EXPECT_EQ(disk.taken.size(), 1u);
  disk.full = false;
  disk.sink({{1}});
  bench.run();
  EXPECT_EQ(disk.taken.size(), 3u);
  disk.sink({{3}});
  bench.run();
  for (std::uint64_t token = 1; token <= 3; ++token) {
    EXPECT_EQ(bench.shard.take<Durable>().value().token.value, token);
  }
}

TEST(StoreActor, TellsTheShardsWhenTheDiskIsTooFullForNewWorkAndWhenThatHasPassed) {
  Disk disk;
  testing::ActorBench bench;
  bench.spawn<StoreActor>(std::make_unique<HeldStore>(disk), 800);
  bench.pass(base::limits::disk_look_interval);
  EXPECT_FALSE(bench.shard.take<protocol::DiskRoom>()) << "there is room";
  disk.bytes_free = 799;
  bench.pass(base::limits::disk_look_interval);
  EXPECT_EQ(bench.shard.take<protocol::DiskRoom>(), (protocol::DiskRoom{799, 800, true}));
  disk.bytes_free = 850;  // not clearly more
  bench.pass(base::limits::disk_look_interval);
  EXPECT_EQ(bench.shard.take<protocol::DiskRoom>(), (protocol::DiskRoom{850, 800, true}));
  disk.bytes_free = 900;
  bench.pass(base::limits::disk_look_interval);
  EXPECT_EQ(bench.shard.take<protocol::DiskRoom>(), (protocol::DiskRoom{900, 800, false}));
  bench.pass(base::limits::disk_look_interval);
  EXPECT_FALSE(bench.shard.take<protocol::DiskRoom>());
}

}  // namespace
}  // namespace fastgpu::actors
