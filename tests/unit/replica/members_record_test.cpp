#include "actors/replica/members_record.hpp"

#include <gtest/gtest.h>

#include "runtime/store/memory_store.hpp"
#include "runtime/store/sealed_record.hpp"

namespace fastgpu::actors {
namespace {

const protocol::Members three{
    41,
    {{{1}, "n1", "127.0.0.1:7601", {11}, std::string(40, 'a'), protocol::MemberState::removed},
     {{2}, "n2", "127.0.0.1:7602", {12}, std::string(40, 'b'), protocol::MemberState::draining},
     {{3}, "n3", "127.0.0.1:7603", {13}, std::string(40, 'c'), protocol::MemberState::active}},
    {{{0}, {{3}, {2}}}},
    {{"admin", std::string(40, 'd'), true}},
    {}};

base::Result<protocol::Members> read_from(store::MemoryDisk& disk) {
  return read_members(store::MemoryStore(disk, {}, base::Random(0)));
}

TEST(MembersRecord, TheListComesBackAsItWasWritten) {
  store::MemoryDisk disk;
  disk.apply(put_members({40, {}}));
  disk.apply(put_members(three));
  EXPECT_EQ(read_from(disk).value(), three) << "the newer one";
}

TEST(MembersRecord, ADiskWithoutOneHasTheListThatIsOlderThanAll) {
  store::MemoryDisk disk;
  EXPECT_EQ(read_from(disk).value(), protocol::Members{});
}

TEST(MembersRecord, ADamagedOneIsRefused) {
  store::Write write = put_members(three);
  std::vector<std::uint8_t> bytes(write.value->span().begin(), write.value->span().end());
  bytes[bytes.size() / 2] ^= 1;
  store::MemoryDisk damaged;
  damaged.apply(store::Write::put(write.key, base::Bytes::copy_of(bytes)));
  EXPECT_EQ(read_from(damaged).error().code, base::ErrorCode::corrupt);
  store::MemoryDisk other;
  other.apply(store::RecordWriter(8).integer(std::uint64_t{7}).seal(write.key));
  EXPECT_EQ(read_from(other).error().code, base::ErrorCode::corrupt);
}

}  // namespace
}  // namespace fastgpu::actors
