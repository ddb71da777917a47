#include "runtime/store/memory_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace fastgpu::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

base::Time at(base::Duration since_start) {
  return base::Time(since_start);
}
base::Bytes bytes(std::string_view text) {
  return base::Bytes::copy_of(text);
}

MemoryStoreOptions one_millisecond() {
  MemoryStoreOptions options;
  options.sync_delay_min = options.sync_delay_max = 1ms;
  return options;
}

struct Life {
  explicit Life(MemoryDisk& disk, MemoryStoreOptions options = one_millisecond(),
                std::uint64_t seed = 1)
      : store(disk, options, base::Random(seed)) {
    store.start([this](StoreDurable durable) { told.push_back(durable.up_to); });
  }
  void put(std::uint64_t token, const std::string& key) {
    ASSERT_EQ(store.write({token}, {Write::put(key, bytes("x"))}), base::Admission::accepted);
  }
  MemoryStore store;
  std::vector<StoreToken> told;
};

TEST(MemoryStore, ReportsOnlyAfterTheSync) {
  MemoryDisk disk;
  Life life(disk);
  EXPECT_EQ(life.store.next_event(), std::nullopt);
  life.store.run_until(at(10ms));
  life.put(1, "a");
  EXPECT_EQ(life.store.next_event(), at(10ms));
  life.store.run_until(at(10ms));
  EXPECT_EQ(life.store.next_event(), at(11ms));
  life.store.run_until(at(11ms) - 1ns);
  EXPECT_THAT(life.told, IsEmpty());
  EXPECT_THAT(disk.contents(), IsEmpty());
  life.store.run_until(at(11ms));
  EXPECT_THAT(life.told, ElementsAre(StoreToken{1}));
  EXPECT_EQ(disk.contents().size(), 1u);
  EXPECT_EQ(life.store.next_event(), std::nullopt);
}

TEST(MemoryStore, GathersWhatArrivesDuringASyncIntoTheNext) {
  MemoryDisk disk;
  Life life(disk);
  life.put(1, "a");
  life.store.run_until(at(0ms));
  life.put(2, "b");
  life.put(3, "c");
  life.store.run_until(at(5ms));
  EXPECT_THAT(life.told, ElementsAre(StoreToken{1}, StoreToken{3}));
  EXPECT_EQ(life.store.counters().syncs, 2u);
}

TEST(MemoryStore, IsTheSameForTheSameSeed) {
  const auto times_of = [](std::uint64_t seed) {
    MemoryDisk disk;
    Life life(disk, MemoryStoreOptions{}, seed);
    std::vector<base::Time> times;
    for (std::uint64_t token = 1; token <= 20; ++token) {
      life.put(token, "k");
      while (life.store.next_event()) {
        times.push_back(*life.store.next_event());
        life.store.run_until(times.back());
      }
    }
    return times;
  };
  EXPECT_EQ(times_of(5), times_of(5));
  EXPECT_NE(times_of(5), times_of(6));
}

TEST(MemoryStore, EndsByItselfAtTheChosenPointOfItsNextSyncAndTellsNobody) {
  const auto left_after = [](SyncPoint point) {
    MemoryDisk disk;
    Life life(disk);
    life.put(1, "a");
    life.store.end_at(point);
    life.store.run_until(at(0ms));
    life.store.run_until(at(1ms));
    EXPECT_TRUE(life.store.crashed());
    EXPECT_THAT(life.told, IsEmpty());
    EXPECT_EQ(disk.counters.failed_syncs, point == SyncPoint::failure ? 1u : 0u);
    return disk.contents().size();
  };
  EXPECT_EQ(left_after(SyncPoint::before), 0u);
  EXPECT_LE(left_after(SyncPoint::within), 1u);
  EXPECT_EQ(left_after(SyncPoint::after), 1u);
  EXPECT_LE(left_after(SyncPoint::failure), 1u);
}

TEST(MemoryStore, TakesLongerWhileItsDiskStalls) {
  MemoryDisk disk;
  disk.set_stall(5ms);
  Life life(disk);
  life.put(1, "a");
  life.store.run_until(at(0ms));
  EXPECT_EQ(life.store.next_event(), at(6ms));
}

TEST(MemoryDisk, RotsByOneBit) {
  MemoryDisk disk;
  base::Random random(1);
  EXPECT_FALSE(disk.rot(random)) << "there is nothing on it";
  disk.apply(Write::put("a", bytes("xyz")));
  const MemoryDisk::Contents before = disk.contents();
  EXPECT_TRUE(disk.rot(random));
  EXPECT_NE(disk.contents(), before);
}

TEST(MemoryStore, RefusesWhenFullAndHasRoomOnceItReportsDurable) {
  MemoryDisk disk;
  MemoryStoreOptions options = one_millisecond();
  options.pending_bytes_max = 4;
  Life life(disk, options);
  life.put(1, "a");
  life.put(2, "b");
  EXPECT_EQ(life.store.write({3}, {Write::put("c", bytes("x"))}), base::Admission::full);
  life.store.run_until(at(0ms));
  life.store.run_until(at(1ms));
  EXPECT_EQ(life.store.write({3}, {Write::put("c", bytes("x"))}), base::Admission::accepted);
}

TEST(MemoryStore, KeepsEveryPossiblePrefixOfWhatACrashMeets) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    MemoryDisk disk;
    Life life(disk, one_millisecond(), seed);
    life.put(1, "durable");
    life.store.run_until(at(0ms));
    life.store.run_until(at(1ms));
    ASSERT_EQ(life.store.write({2}, {Write::put("a1", bytes("x")), Write::put("a2", bytes("x"))}),
              base::Admission::accepted);
    life.put(3, "b");
    life.store.run_until(at(1ms));
    life.put(4, "never handed to the disk");
    life.store.crash();
    const auto& contents = disk.contents();
    ASSERT_TRUE(contents.contains("durable"));
    ASSERT_EQ(contents.contains("a1"), contents.contains("a2")) << "a write is whole or not there";
    ASSERT_LE(contents.contains("b"), contents.contains("a1"))
        << "no write without those before it";
    ASSERT_FALSE(contents.contains("never handed to the disk"));
    ASSERT_THAT(life.told, ElementsAre(StoreToken{1}));
    sizes.insert(contents.size());
  }
  EXPECT_THAT(sizes, ElementsAre(1, 3, 4));
}

TEST(MemoryStore, ForgetsWhatIsWrittenAfterItsCrash) {
  MemoryDisk disk;
  Life life(disk);
  life.store.crash();
  life.put(1, "a");
  EXPECT_EQ(life.store.next_event(), std::nullopt);
  life.store.run_until(at(1h));
  EXPECT_THAT(life.told, IsEmpty());
  EXPECT_THAT(disk.contents(), IsEmpty());
}

TEST(MemoryStore, LosesWhatItReportedWhenItIsToldToLie) {
  MemoryStoreOptions options = one_millisecond();
  options.faults.lie_about_durability = true;
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    MemoryDisk disk;
    Life life(disk, options, seed);
    life.put(1, "a");
    life.store.run_until(at(0ms));
    ASSERT_THAT(life.told, ElementsAre(StoreToken{1}));
    life.store.crash();
    lost += disk.contents().empty() ? 1 : 0;
  }
  EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace fastgpu::store
