#include "actors/replica/shard_log.hpp"

#include <gtest/gtest.h>

#include "tests/unit/replica/log_life.hpp"

namespace fastgpu::actors::testing {
namespace {

class ShardLogKind : public ::testing::Test {
 protected:
  base::Result<std::vector<store::KeyValue>> read(const std::optional<RaftLogOptions>& group) {
    return read_log(store::MemoryStore(disk, {}, base::Random(0)), {3}, group);
  }
  store::MemoryDisk disk;
};

TEST_F(ShardLogKind, AnEmptyStoreMayBeginAsEither) {
  EXPECT_TRUE(read(std::nullopt).ok());
  EXPECT_TRUE(read(only_voter({})).ok());
}

TEST_F(ShardLogKind, ALogGoesOnAsWhatItIs) {
  RaftLife(disk, LifeOptions{}).lead();
  EXPECT_FALSE(read(only_voter({})).value().empty());
  store::MemoryDisk other;
  std::swap(disk, other);
  SoloLife(disk, LifeOptions{}).lead();
  EXPECT_FALSE(read(std::nullopt).value().empty());
}

TEST_F(ShardLogKind, NobodyBeginsAnewBesideALogOfTheOtherKind) {
  SoloLife(disk, LifeOptions{}).lead();
  EXPECT_EQ(read(only_voter({})).error().code, base::ErrorCode::conflict);
  disk = {};
  RaftLife(disk, LifeOptions{}).lead();
  EXPECT_EQ(read(std::nullopt).error().code, base::ErrorCode::conflict);
}

TEST_F(ShardLogKind, AStoreThatIsNotTheMembersIsRefusedEmptyOrNot) {
  RaftLogOptions other = only_voter({});
  other.store = {5};
  RaftLogOptions none = only_voter({});
  none.store = {};
  EXPECT_EQ(read(other).error().code, base::ErrorCode::conflict);
  EXPECT_EQ(read(none).error().code, base::ErrorCode::conflict);
  RaftLife(disk, LifeOptions{}).lead();
  EXPECT_TRUE(read(only_voter({})).ok());
  EXPECT_EQ(read(other).error().code, base::ErrorCode::conflict);
  EXPECT_EQ(read(none).error().code, base::ErrorCode::conflict);
}

TEST_F(ShardLogKind, ADamagedRecordIsToldBeforeTheLogIsOpened) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    disk = {};
    RaftLife(disk, LifeOptions{}).lead();
    base::Random random(seed);
    ASSERT_TRUE(disk.rot(random));
    const auto contents = read(only_voter({}));
    ASSERT_FALSE(contents.ok()) << seed;
    EXPECT_EQ(contents.error().code, base::ErrorCode::corrupt);
  }
}

TEST_F(ShardLogKind, TheNumberOfAStoreIsFoundWhereItHasOne) {
  const store::MemoryStore store(disk, {}, base::Random(0));
  EXPECT_EQ(store_id_of(store).value(), std::nullopt);
  disk.apply(put_store_id({99}));
  EXPECT_EQ(store_id_of(store).value(), raft::StoreId{99});
  auto& record = disk.contents().at(store_id_key());
  record = base::Bytes::copy_of(record.span().first(3));
  EXPECT_EQ(store_id_of(store).error().code, base::ErrorCode::corrupt);
}

}  // namespace
}  // namespace fastgpu::actors::testing
