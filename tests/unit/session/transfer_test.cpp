#include "runtime/session/transfer.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
constexpr std::uint64_t chunk = limits::object_chunk_bytes;

base::Bytes pattern(std::uint64_t size) {
  std::vector<std::uint8_t> data(size);
  for (std::uint64_t i = 0; i < size; ++i) {
    data[i] = static_cast<std::uint8_t>(i * 31 + i / 4096);
  }
  return base::Bytes(std::move(data));
}

/// Takes chunks in order, as a node's object store does.
struct Receiver {
  std::vector<std::uint8_t> data;

  protocol::PutReply take(const protocol::PutChunk& put) {
    if (put.offset == data.size()) {
      data.insert(data.end(), put.data.span().begin(), put.data.span().end());
    }
    return {{put.hash, put.size_bytes, {1}}, data.size(), data.size() == put.size_bytes};
  }
};

class UploadTest : public testing::Test {
 protected:
  base::Bytes data_ = pattern(6 * chunk + 100);
  Upload upload_{{}, data_};  // the hash is for the node: it is not looked at here
  Receiver receiver_;
};

TEST_F(UploadTest, AsksWithItsFirstChunkBeforeItFillsTheWindow) {
  ASSERT_TRUE(upload_.next());
  EXPECT_FALSE(upload_.next());
  upload_.take({{}, chunk, false});
  for (std::size_t i = 0; i < limits::transfer_chunks_in_flight_max; ++i) {
    ASSERT_TRUE(upload_.next());
  }
  EXPECT_FALSE(upload_.next());
}

TEST_F(UploadTest, BringsEveryByteInOrder) {
  bool complete = false;
  while (!complete) {
    const auto put = upload_.next();
    ASSERT_TRUE(put);
    const protocol::PutReply reply = receiver_.take(*put);
    complete = reply.complete;
    EXPECT_TRUE(upload_.take(reply));
  }
  EXPECT_EQ(base::Bytes(receiver_.data), data_);
}

TEST_F(UploadTest, GoesOnFromWhereTheNodeIs) {
  ASSERT_TRUE(upload_.next());
  upload_.take({{}, 5 * chunk, false});
  const auto put = upload_.next();
  ASSERT_TRUE(put);
  EXPECT_EQ(put->offset, 5 * chunk);
}

TEST_F(UploadTest, SendsNothingMoreOfAnObjectThatTheNodeHas) {
  ASSERT_TRUE(upload_.next());
  EXPECT_TRUE(upload_.take({{}, data_.size(), true}));
  EXPECT_FALSE(upload_.next());
}

TEST_F(UploadTest, SendsAgainWhatArrivedOutOfOrder) {
  receiver_.take(upload_.next().value());
  upload_.take({{}, chunk, false});
  ASSERT_EQ(upload_.next().value().offset, chunk);
  ASSERT_EQ(upload_.next().value().offset, 2 * chunk);
  // The first of the two was lost: both answers say that the node still has one chunk.
  EXPECT_FALSE(upload_.take({{}, chunk, false}));
  EXPECT_FALSE(upload_.take({{}, chunk, false}));
  EXPECT_EQ(upload_.next().value().offset, chunk);
}

TEST_F(UploadTest, BeginsAgainAfterARestart) {
  ASSERT_TRUE(upload_.next());
  upload_.take({{}, 3 * chunk, false});
  upload_.restart();
  EXPECT_EQ(upload_.unanswered(), 0u);
  EXPECT_EQ(upload_.next().value().offset, 0u);
}

TEST_F(UploadTest, SendsAnEmptyObjectAsOneEmptyChunk) {
  Upload empty{{}, {}};
  const auto put = empty.next();
  ASSERT_TRUE(put);
  EXPECT_EQ(put->size_bytes, 0u);
  EXPECT_TRUE(put->data.empty());
}

class DownloadTest : public testing::Test {
 protected:
  protocol::Chunk answer(const protocol::GetChunk& get) {
    return {object_, get.offset,
            base::Bytes::copy_of(data_.span().subspan(get.offset, get.length))};
  }

  base::Bytes data_ = pattern(2 * chunk + 100);
  protocol::ObjectRef object_{{}, data_.size(), {1}};
  Download download_{object_};
};

TEST_F(DownloadTest, TakesAnswersInAnyOrder) {
  object_.hash = base::sha256(data_.span());
  download_ = Download(object_);
  while (!download_.complete()) {
    std::vector<protocol::GetChunk> asked;
    while (auto get = download_.next()) {
      asked.push_back(*get);
    }
    ASSERT_FALSE(asked.empty());
    ASSERT_LE(asked.size(), limits::transfer_chunks_in_flight_max);
    for (auto get = asked.rbegin(); get != asked.rend(); ++get) {
      EXPECT_TRUE(download_.take(answer(*get)).ok());
    }
  }
  const auto whole = download_.result();
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole.value().data, data_);
}

TEST_F(DownloadTest, TakesARepeatedAnswerOnce) {
  const auto get = download_.next().value();
  EXPECT_TRUE(download_.take(answer(get)).ok());
  EXPECT_TRUE(download_.take(answer(get)).ok());
  EXPECT_FALSE(download_.complete());
}

TEST_F(DownloadTest, AsksAgainAfterARestartForWhatWasNotAnswered) {
  const auto first = download_.next().value();
  const auto second = download_.next().value();
  EXPECT_TRUE(download_.take(answer(second)).ok());
  download_.restart();
  EXPECT_EQ(download_.next().value().offset, first.offset);
  EXPECT_EQ(download_.next().value().offset, 2 * chunk);
}

TEST_F(DownloadTest, RefusesAPieceOfTheWrongLength) {
  const auto get = download_.next().value();
  protocol::Chunk shorter = answer(get);
  shorter.data = base::Bytes::copy_of(shorter.data.span().first(10));
  const base::Status status = download_.take(shorter);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, base::ErrorCode::corrupt);
}

TEST_F(DownloadTest, RefusesAnObjectWithAnotherHash) {
  data_ = pattern(10);
  Download download{{base::sha256(pattern(11).span()), 10, {1}}};
  EXPECT_TRUE(download.take(answer(download.next().value())).ok());
  ASSERT_TRUE(download.complete());
  EXPECT_EQ(download.result().error().code, base::ErrorCode::corrupt);
}

TEST_F(DownloadTest, IsCompleteAtOnceWhenThereIsNothing) {
  Download download{{base::sha256({}), 0, {1}}};
  EXPECT_FALSE(download.next());
  EXPECT_TRUE(download.complete());
  EXPECT_TRUE(download.result().ok());
}

}  // namespace
}  // namespace fastgpu::session::test
