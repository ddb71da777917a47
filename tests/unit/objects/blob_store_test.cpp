/// What the blob store promises, checked over a real folder and over its twin in memory.

#include "runtime/objects/blob_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/base/limits.hpp"
#include "runtime/objects/file_folder.hpp"
#include "runtime/objects/memory_folder.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using base::ErrorKind;
using base::ObjectHash;
using testing::ElementsAre;
using testing::HasSubstr;

base::Bytes bytes(std::string_view text) {
  return base::Bytes::copy_of(text);
}
ObjectHash hash_of(const base::Bytes& data) {
  return base::sha256(data.span());
}
ObjectHash hash_of(std::string_view text) {
  return hash_of(bytes(text));
}
PinOwner job(std::uint64_t number) {
  return owner_of({3}, base::JobId{number});
}

/// A real folder of its own; each `folder()` is a new life on it.
class FileTwin {
 public:
  FileTwin() {
    std::string name = (std::filesystem::temp_directory_path() / "fastgpu-blobs-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~FileTwin() { std::filesystem::remove_all(path_); }
  BlobFolder& new_life() {
    auto opened = FileFolder::open(path_ + "/objects");
    EXPECT_TRUE(opened.ok());
    folder_ = std::move(opened).value();
    return *folder_;
  }

 private:
  std::string path_;
  std::unique_ptr<FileFolder> folder_;
};

class MemoryTwin {
 public:
  BlobFolder& new_life() { return folder_; }

 private:
  MemoryFolder folder_;
};

template <class Twin>
class BlobStoreContract : public testing::Test {
 protected:
  BlobStoreContract() { reopen(); }
  void reopen(BlobStoreOptions options = {}) {
    store_.reset();
    auto opened = BlobStore::open(twin_.new_life(), options);
    ASSERT_TRUE(opened.ok());
    store_ = std::move(opened).value();
  }
  ObjectHash put(std::string_view text) {
    const auto hash = hash_of(text);
    EXPECT_TRUE(store_->put(hash, bytes(text)).ok());
    return hash;
  }
  std::string read(const ObjectHash& hash) {
    const auto data = store_->read(hash, 0, limits::object_read_bytes_max);
    return data ? std::string(data.value().text()) : data.error().message;
  }
  std::uint64_t append(const ObjectHash& hash, std::uint64_t offset, std::string_view text) {
    const auto here = store_->append(hash, offset, bytes(text).span());
    EXPECT_TRUE(here.ok());
    return here ? here.value() : 0;
  }

  Twin twin_;
  std::unique_ptr<BlobStore> store_;
};

using Twins = testing::Types<FileTwin, MemoryTwin>;
TYPED_TEST_SUITE(BlobStoreContract, Twins);

TYPED_TEST(BlobStoreContract, GivesBackWhatWasPutAlsoAfterARestart) {
  const auto hash = this->put("some bytes");
  const auto empty = this->put("");
  for (int life = 0; life < 2; ++life) {
    EXPECT_TRUE(this->store_->has(hash));
    EXPECT_EQ(this->store_->size(hash).value(), 10u);
    EXPECT_EQ(this->read(hash), "some bytes");
    EXPECT_EQ(this->read(empty), "");
    this->reopen();
  }
}

TYPED_TEST(BlobStoreContract, ReadsPartsAndStopsAtTheEnd) {
  const auto hash = this->put("0123456789");
  EXPECT_EQ(this->store_->read(hash, 3, 4).value().text(), "3456");
  EXPECT_EQ(this->store_->read(hash, 8, 100).value().text(), "89");
  EXPECT_EQ(this->store_->read(hash, 10, 1).value().size(), 0u);
  EXPECT_EQ(this->store_->read(hash, 11, 1).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(this->store_->read(hash, 0, limits::object_read_bytes_max + 1).error().code,
            ErrorCode::too_large);
}

TYPED_TEST(BlobStoreContract, TellsThatAnObjectIsNotHere) {
  const auto hash = hash_of("absent");
  EXPECT_FALSE(this->store_->has(hash));
  EXPECT_EQ(this->store_->size(hash).error().code, ErrorCode::object_missing);
  EXPECT_EQ(this->store_->read(hash, 0, 1).error().code, ErrorCode::object_missing);
  EXPECT_EQ(this->store_->pin(hash, job(1)).error().code, ErrorCode::object_missing);
  EXPECT_TRUE(this->store_->remove(hash).ok());
}

TYPED_TEST(BlobStoreContract, TellsOnceWhatNobodyPinsAndAgainWhenItIsAskedFor) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  const auto hash = this->put("some bytes");
  const auto kept = this->put("kept");
  ASSERT_TRUE(this->store_->pin(kept, job(1)).ok());
  EXPECT_THAT(this->store_->take_unpinned(), ElementsAre(hash));
  EXPECT_THAT(this->store_->take_unpinned(), IsEmpty());
  this->put("some bytes");
  EXPECT_THAT(this->store_->take_unpinned(), ElementsAre(hash)) << "it came again";
  this->store_->touch(kept);
  this->store_->touch(hash_of("absent"));
  EXPECT_THAT(this->store_->take_unpinned(), IsEmpty());
  const PinOwner owner = job(1);
  this->store_->unpin({&owner, 1});
  EXPECT_THAT(this->store_->take_unpinned(), ElementsAre(kept)) << "its last pin went";
  this->reopen();
  EXPECT_THAT(this->store_->take_unpinned(), testing::UnorderedElementsAre(hash, kept));
}

TYPED_TEST(BlobStoreContract, KeepsEqualBytesOnce) {
  this->put("same");
  this->put("same");
  const std::vector<Blob> twice(2, Blob{hash_of("other"), bytes("other")});
  ASSERT_TRUE(this->store_->put(twice).ok());
  EXPECT_EQ(this->store_->counters(), (BlobCounters{.blobs = 2, .bytes = 9}));
}

TYPED_TEST(BlobStoreContract, RefusesAWholeGroupIfOneHashIsWrong) {
  const std::vector<Blob> group{{hash_of("right"), bytes("right")},
                                {hash_of("right?"), bytes("wrong")}};
  const auto status = this->store_->put(group);
  EXPECT_EQ(status.error().kind, ErrorKind::invalid);
  EXPECT_THAT(status.error().message, HasSubstr(base::to_string(hash_of("wrong"))));
  EXPECT_FALSE(this->store_->has(hash_of("right")));
  EXPECT_EQ(this->store_->put({}, bytes("x")).error().code, ErrorCode::bad_argument);
}

TYPED_TEST(BlobStoreContract, TakesAnUploadInPieces) {
  const auto hash = hash_of("abcdefghij");
  EXPECT_EQ(this->store_->begin(hash, 10).value(), 0u);
  EXPECT_EQ(this->append(hash, 0, "abcd"), 4u);
  EXPECT_FALSE(this->store_->has(hash)) << "nothing is visible before the commit";
  EXPECT_EQ(this->append(hash, 0, "abcd"), 4u) << "a repeated piece is skipped";
  EXPECT_EQ(this->append(hash, 2, "cdef"), 6u) << "so is the part of it that is here";
  EXPECT_EQ(this->append(hash, 6, "ghij"), 10u);
  ASSERT_TRUE(this->store_->commit(hash).ok());
  EXPECT_TRUE(this->store_->commit(hash).ok()) << "a repeated commit is success";
  EXPECT_EQ(this->store_->begin(hash, 10).value(), 10u) << "nothing is left to send";
  EXPECT_EQ(this->append(hash, 0, "abcd"), 10u);
  this->reopen();
  EXPECT_EQ(this->read(hash), "abcdefghij");
  EXPECT_EQ(this->store_->counters(), (BlobCounters{.blobs = 1, .bytes = 10}));
}

TYPED_TEST(BlobStoreContract, TakesBytesThatAreNamedOnlyAtTheirEnd) {
  const IntakeId intake = this->store_->begin_intake();
  const IntakeId given_up = this->store_->begin_intake();
  ASSERT_TRUE(this->store_->append(intake, bytes("abc").span()).ok());
  ASSERT_TRUE(this->store_->append(given_up, bytes("xyz").span()).ok());
  ASSERT_TRUE(this->store_->append(intake, bytes("def").span()).ok());
  this->store_->abandon(given_up);
  EXPECT_EQ(this->store_->finish(intake).value(), hash_of("abcdef"));
  this->reopen();
  EXPECT_EQ(this->read(hash_of("abcdef")), "abcdef");
  const IntakeId again = this->store_->begin_intake();
  ASSERT_TRUE(this->store_->append(again, bytes("abcdef").span()).ok());
  EXPECT_EQ(this->store_->finish(again).value(), hash_of("abcdef"));
  ASSERT_TRUE(this->store_->append(this->store_->begin_intake(), bytes("lost").span()).ok());
  this->reopen();
  EXPECT_EQ(this->store_->counters(), (BlobCounters{.blobs = 1, .bytes = 6}));
}

TYPED_TEST(BlobStoreContract, TakesAnEmptyUpload) {
  const auto hash = hash_of("");
  ASSERT_EQ(this->store_->begin(hash, 0).value(), 0u);
  ASSERT_TRUE(this->store_->commit(hash).ok());
  EXPECT_EQ(this->store_->size(hash).value(), 0u);
}

TYPED_TEST(BlobStoreContract, ResumesAnUploadInTheSameLifeAndAfterARestart) {
  const std::string text(3 * limits::object_chunk_bytes / 2, 'u');
  const auto hash = hash_of(text);
  ASSERT_TRUE(this->store_->begin(hash, text.size()).ok());
  this->append(hash, 0, std::string_view(text).substr(0, limits::object_chunk_bytes));
  EXPECT_EQ(this->store_->begin(hash, text.size()).value(), limits::object_chunk_bytes);
  this->reopen();
  const auto here = this->store_->begin(hash, text.size());
  ASSERT_EQ(here.value(), limits::object_chunk_bytes);
  this->append(hash, here.value(), std::string_view(text).substr(here.value()));
  ASSERT_TRUE(this->store_->commit(hash).ok());
  EXPECT_EQ(this->read(hash), text);
}

TYPED_TEST(BlobStoreContract, RefusesAGapAndBytesBeyondTheEnd) {
  const auto hash = hash_of("abcdefghij");
  ASSERT_TRUE(this->store_->begin(hash, 10).ok());
  this->append(hash, 0, "abcd");
  const auto gap = this->store_->append(hash, 5, bytes("fgh").span());
  EXPECT_EQ(gap.error().kind, ErrorKind::invalid);
  EXPECT_THAT(gap.error().message, HasSubstr("4 bytes are here"));
  EXPECT_FALSE(this->store_->append(hash, UINT64_MAX, bytes("f").span()).ok());
  EXPECT_FALSE(this->store_->append(hash, 4, bytes("efghijk").span()).ok());
  const std::vector<std::uint8_t> big(limits::object_chunk_bytes + 1);
  EXPECT_EQ(this->store_->append(hash, 4, big).error().code, ErrorCode::too_large);
  EXPECT_THAT(this->store_->commit(hash).error().message, HasSubstr("only 4 of 10 bytes"));
  EXPECT_EQ(this->append(hash, 4, "efghij"), 10u) << "refusals changed nothing";
  EXPECT_TRUE(this->store_->commit(hash).ok());
}

TYPED_TEST(BlobStoreContract, DropsAnUploadWhoseBytesAreNotWhatItsNameSays) {
  const auto hash = hash_of("abcd");
  ASSERT_TRUE(this->store_->begin(hash, 4).ok());
  this->append(hash, 0, "abcX");
  EXPECT_EQ(this->store_->commit(hash).error().code, ErrorCode::bad_argument);
  EXPECT_FALSE(this->store_->has(hash));
  EXPECT_EQ(this->store_->commit(hash).error().code, ErrorCode::not_found);
  EXPECT_EQ(this->store_->begin(hash, 4).value(), 0u) << "it may be sent again from the start";
  this->append(hash, 0, "abcd");
  EXPECT_TRUE(this->store_->commit(hash).ok());
}

TYPED_TEST(BlobStoreContract, RefusesUploadsThatAreTooBigOrNamelessOrOfTwoSizes) {
  const auto hash = hash_of("x");
  EXPECT_EQ(this->store_->begin(hash, limits::object_bytes_max + 1).error().code,
            ErrorCode::too_large);
  EXPECT_EQ(this->store_->begin({}, 1).error().code, ErrorCode::bad_argument);
  ASSERT_TRUE(this->store_->begin(hash, 1).ok());
  EXPECT_EQ(this->store_->begin(hash, 2).error().code, ErrorCode::bad_argument);
  this->append(hash, 0, "x");
  ASSERT_TRUE(this->store_->commit(hash).ok());
  EXPECT_EQ(this->store_->begin(hash, 2).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(this->store_->append(hash_of("y"), 0, bytes("y").span()).error().code,
            ErrorCode::not_found);
}

TYPED_TEST(BlobStoreContract, BoundsTheUploadsAndForgetsAbandonedOnes) {
  ObjectHash hash;
  for (std::size_t i = 0; i < limits::object_uploads_max; ++i) {
    hash = hash_of("upload " + std::to_string(i));
    ASSERT_TRUE(this->store_->begin(hash, 100).ok());
  }
  EXPECT_EQ(this->store_->begin(hash_of("one more"), 1).error().kind, ErrorKind::overloaded);
  this->store_->abandon(hash);
  EXPECT_TRUE(this->store_->begin(hash_of("one more"), 1).ok());
}

TYPED_TEST(BlobStoreContract, SetsUploadsAsideThatGetNothingAndGoesOnWithThemWhenTheyComeBack) {
  this->reopen({.capacity_bytes = 12});
  const auto idle = hash_of("12345678");
  const auto busy = hash_of("ab");
  ASSERT_TRUE(this->store_->begin(idle, 8).ok());
  this->append(idle, 0, "1234");
  ASSERT_TRUE(this->store_->begin(busy, 2).ok());
  this->store_->set_idle_uploads_aside();
  EXPECT_EQ(this->store_->counters().uploads, 2u) << "both got something lately";
  this->append(busy, 0, "a");
  this->store_->set_idle_uploads_aside();
  EXPECT_EQ(this->store_->counters().uploads, 1u);
  EXPECT_EQ(this->store_->counters().uploads_bytes, 2u);
  EXPECT_EQ(this->store_->begin(idle, 8).value(), 4u);
  this->append(idle, 4, "5678");
  EXPECT_TRUE(this->store_->commit(idle).ok());
}

TYPED_TEST(BlobStoreContract, GivesTheRoomOfIdleUploadsToOthers) {
  this->reopen({.capacity_bytes = 10});
  ASSERT_TRUE(this->store_->begin(hash_of("12345678"), 8).ok());
  this->append(hash_of("12345678"), 0, "1234");
  this->store_->set_idle_uploads_aside();
  this->store_->set_idle_uploads_aside();
  this->put("abcdefghi");
  EXPECT_EQ(this->store_->begin(hash_of("12345678"), 8).error().kind, ErrorKind::overloaded);
}

TYPED_TEST(BlobStoreContract, RefusesWhatExceedsItsCapacity) {
  this->reopen({.capacity_bytes = 10});
  this->put("12345678");
  EXPECT_EQ(this->store_->put(hash_of("abc"), bytes("abc")).error().kind, ErrorKind::overloaded);
  EXPECT_EQ(this->store_->begin(hash_of("abc"), 3).error().kind, ErrorKind::overloaded);
  ASSERT_TRUE(this->store_->begin(hash_of("ab"), 2).ok());
  EXPECT_FALSE(this->store_->put(hash_of("z"), bytes("z")).ok()) << "announced bytes count";
  ASSERT_TRUE(this->store_->remove(hash_of("12345678")).ok());
  EXPECT_TRUE(this->store_->put(hash_of("abc"), bytes("abc")).ok());
}

TYPED_TEST(BlobStoreContract, GivesUpForgottenUploadsForRoom) {
  this->reopen({.capacity_bytes = 10});
  ASSERT_TRUE(this->store_->begin(hash_of("12345678"), 8).ok());
  this->append(hash_of("12345678"), 0, "123456");
  this->reopen({.capacity_bytes = 10});
  this->put("abcdefgh");
  EXPECT_EQ(this->store_->begin(hash_of("12345678"), 8).error().kind, ErrorKind::overloaded);
}

TYPED_TEST(BlobStoreContract, KeepsPinnedObjectsAndItsPinsOverARestart) {
  const auto a = this->put("a");
  const auto b = this->put("b");
  const std::vector<ObjectHash> both{a, b};
  ASSERT_TRUE(this->store_->pin(both, job(7)).ok());
  ASSERT_TRUE(this->store_->pin(a, job(8)).ok());
  ASSERT_TRUE(this->store_->pin(a, job(8)).ok());
  this->reopen();
  EXPECT_EQ(this->store_->pins().all().size(), 3u);
  EXPECT_EQ(this->store_->remove(a).error().code, ErrorCode::conflict);
  EXPECT_THAT(this->store_->unpin(std::vector{job(7), job(99)}), ElementsAre(b));
  EXPECT_TRUE(this->store_->remove(b).ok());
  this->reopen();
  EXPECT_THAT(this->store_->pins().all(), ElementsAre(Pin{a, job(8)}));
  EXPECT_THAT(this->store_->list(), ElementsAre(a));
  EXPECT_TRUE(this->store_->is_pinned(a));
}

TYPED_TEST(BlobStoreContract, LeavesTheReserveOfTheDiskToOthers) {
  this->put("here");
  this->reopen({.reserve_bytes = UINT64_MAX / 4});
  EXPECT_TRUE(this->store_->disk_is_tight() || this->store_->put(hash_of("x"), bytes("x")).ok());
  EXPECT_EQ(this->read(hash_of("here")), "here") << "what is here can be read";
}

TYPED_TEST(BlobStoreContract, PinsAllOrNone) {
  const auto a = this->put("a");
  const std::vector<ObjectHash> hashes{a, hash_of("absent")};
  EXPECT_FALSE(this->store_->pin(hashes, job(7)).ok());
  EXPECT_FALSE(this->store_->is_pinned(a));
}

TYPED_TEST(BlobStoreContract, LetsAPutOvertakeAnUpload) {
  const auto hash = hash_of("abcd");
  ASSERT_TRUE(this->store_->begin(hash, 4).ok());
  this->append(hash, 0, "ab");
  this->put("abcd");
  EXPECT_EQ(this->append(hash, 2, "cd"), 4u);
  EXPECT_TRUE(this->store_->commit(hash).ok());
  EXPECT_EQ(this->store_->counters(), (BlobCounters{.blobs = 1, .bytes = 4}));
}

}  // namespace
}  // namespace fastgpu::objects
