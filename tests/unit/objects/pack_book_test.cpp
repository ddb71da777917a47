/// Small blobs in packs: what lies in the files, what an end that is torn costs, and how packs are
/// rewritten.

#include "runtime/objects/packs/pack_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/sha256.hpp"
#include "runtime/objects/memory_folder.hpp"
#include "runtime/objects/packs/pack_format.hpp"

namespace fastgpu::objects {
namespace {

using base::ObjectHash;

Blob blob(int number) {
  const auto data = base::Bytes::copy_of("blob " + std::to_string(number));
  return {base::sha256(data.span()), data};
}
std::vector<Blob> blobs(int first, int count) {
  std::vector<Blob> all;
  for (int i = first; i < first + count; ++i) {
    all.push_back(blob(i));
  }
  return all;
}
std::vector<ObjectHash> hashes(int first, int count) {
  std::vector<ObjectHash> all;
  for (const Blob& one : blobs(first, count)) {
    all.push_back(one.hash);
  }
  return all;
}

class PackBookTest : public testing::Test {
 protected:
  static constexpr std::uint64_t full = 500;

  PackBook open() {
    PackBook book(disk_, full);
    EXPECT_TRUE(book.load(disk_.list().value()).ok());
    return book;
  }
  void expect_exactly(const PackBook& book, int first, int count) {
    EXPECT_EQ(book.blobs(), static_cast<std::uint64_t>(count));
    for (const Blob& one : blobs(first, count)) {
      ASSERT_TRUE(book.has(one.hash)) << one.data.text();
      EXPECT_EQ(book.read(one.hash, 0, one.data.size()).value(), one.data);
    }
  }
  std::uint64_t bytes_on_disk() const {
    std::uint64_t bytes = 0;
    const auto files = disk_.list();
    for (const FileEntry& file : files.value()) {
      bytes += file.size_bytes;
    }
    return bytes;
  }
  MemoryFolder disk_;
};

TEST(PackFormat, ReadsWhatItWritesAndNothingThatWasChanged) {
  const Blob one = blob(1);
  std::vector<std::uint8_t> bytes;
  put_pack_entry(bytes, one.hash, one.data.span());
  const auto length = static_cast<std::uint32_t>(one.data.size());
  EXPECT_EQ(read_pack_entry(bytes), (PackEntry{one.hash, false, length}));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 4;
    EXPECT_FALSE(read_pack_entry(bytes)) << "byte " << i;
    bytes[i] ^= 4;
    EXPECT_FALSE(read_pack_entry(std::span(bytes).first(i))) << "cut at " << i;
  }
  std::vector<std::uint8_t> removal;
  put_pack_removal(removal, one.hash);
  EXPECT_EQ(read_pack_entry(removal), (PackEntry{one.hash, true, 0}));
  EXPECT_FALSE(read_pack_entry(std::vector<std::uint8_t>(100, 0)));
}

TEST(PackFormat, KnowsItsOwnFilesByTheirNames) {
  EXPECT_EQ(pack_number(pack_name(17)), 17u);
  EXPECT_LT(pack_name(9), pack_name(10));
  for (const std::string name : {"pack/17", "pack/", "pac", "pack/0000000000000000001x"}) {
    EXPECT_FALSE(pack_number(name)) << name;
  }
}

TEST_F(PackBookTest, GivesBackAGroupAlsoAfterARestart) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 30)));
  expect_exactly(book, 1, 30);
  EXPECT_EQ(book.packs(), 3u) << "packs of about 500 bytes";
  expect_exactly(open(), 1, 30);
}

TEST_F(PackBookTest, PutsAGroupThatFitsIntoOneFile) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 4)));
  ASSERT_TRUE(book.append(blobs(5, 4)));
  EXPECT_EQ(disk_.list().value().size(), 1u);
}

TEST_F(PackBookTest, ForgetsWhatWasRemovedAlsoAfterARestart) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 6)));
  book.remove(hashes(1, 2));
  book.remove(hashes(1, 2));
  expect_exactly(book, 3, 4);
  expect_exactly(open(), 3, 4);
  ASSERT_TRUE(book.append(blobs(1, 2)));
  expect_exactly(book, 1, 6);
  expect_exactly(open(), 1, 6);
}

TEST_F(PackBookTest, CutsATornEndOffAndGoesOnThere) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 3)));
  const std::uint64_t whole = bytes_on_disk();
  for (std::uint64_t torn = 1; torn < 20; ++torn) {
    ASSERT_TRUE(disk_.write(pack_name(1), whole, std::vector<std::uint8_t>(torn, 0)));
    expect_exactly(open(), 1, 3);
    EXPECT_EQ(bytes_on_disk(), whole);
  }
  auto next = open();
  ASSERT_TRUE(next.append(blobs(4, 2)));
  expect_exactly(open(), 1, 5);
}

TEST_F(PackBookTest, CountsDamageInAnOlderPackAndKeepsWhatLiesBeforeIt) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 10)));
  ASSERT_TRUE(book.append(blobs(11, 10)));
  const std::uint64_t before = bytes_on_disk();
  disk_.damage(pack_name(1), 3 * (pack_head_bytes + 6) + 20);
  const auto next = open();
  EXPECT_EQ(next.damaged(), 1u);
  for (const auto& hash : hashes(1, 3)) {
    EXPECT_TRUE(next.has(hash));
  }
  EXPECT_FALSE(next.has(blob(4).hash));
  EXPECT_TRUE(next.has(blob(20).hash));
  EXPECT_EQ(bytes_on_disk(), before) << "nothing is cut from it";
}

TEST_F(PackBookTest, GivesTheRoomOfWhatWasRemovedBack) {
  auto book = open();
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(book.append(blobs(1 + 20 * round, 20)));
    book.remove(hashes(1 + 20 * round, 20));
    ASSERT_LT(bytes_on_disk(), 20 * full) << "round " << round;
  }
  EXPECT_EQ(book.blobs(), 0u);
}

TEST_F(PackBookTest, KeepsTheLivingOfAPackThatIsRewritten) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 100)));
  const std::uint64_t before = bytes_on_disk();
  for (int i = 1; i <= 100; ++i) {
    if (i % 5 != 0) {
      book.remove(hashes(i, 1));
    }
  }
  EXPECT_LT(bytes_on_disk(), before);
  for (const PackBook& one : {book, open()}) {
    EXPECT_EQ(one.blobs(), 20u);
    for (int i = 5; i <= 100; i += 5) {
      EXPECT_EQ(one.read(blob(i).hash, 0, blob(i).data.size()).value(), blob(i).data);
    }
  }
}

TEST_F(PackBookTest, DoesNothingOnAFullDisk) {
  auto book = open();
  ASSERT_TRUE(book.append(blobs(1, 2)));
  disk_.set_capacity(bytes_on_disk() + 10);
  EXPECT_FALSE(book.append(blobs(3, 1)));
  expect_exactly(book, 1, 2);
  expect_exactly(open(), 1, 2);
  book.remove(hashes(1, 1));
  EXPECT_FALSE(book.has(blob(1).hash));
  disk_.set_capacity(100'000);
  ASSERT_TRUE(book.append(blobs(3, 1)));
  expect_exactly(book, 2, 2);
}

}  // namespace
}  // namespace fastgpu::objects
