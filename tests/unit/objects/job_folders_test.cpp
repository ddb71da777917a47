/// The folders of command jobs, from the inputs to the outputs, over a real disk and over its twin.

#include "runtime/objects/jobs/job_folders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/objects/file_folder.hpp"
#include "runtime/objects/memory_folder.hpp"
#include "tests/unit/objects/job_twins.hpp"

namespace fastgpu::objects {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using testing::HasSubstr;

base::Bytes bytes(std::string_view text) {
  return base::Bytes::copy_of(text);
}

/// Steps until the next end; every work must come to one.
std::optional<FolderEnd> next_end(JobFolders& folders) {
  for (int turns = 0; !folders.idle(); ++turns) {
    if (turns == 100'000) {
      ADD_FAILURE() << "the works do not end";
      break;
    }
    if (auto end = folders.advance()) {
      return end;
    }
  }
  return std::nullopt;
}

template <class Twin>
class JobFoldersContract : public testing::Test {
 protected:
  JobFoldersContract() { start(); }
  void start(std::uint64_t reserve_bytes = 0) {
    store_ = std::move(BlobStore::open(folder_)).value();
    folders_.emplace(FolderGround{twin_.new_life(), *store_, reserve_bytes});
  }
  StoredBytes stored(std::string_view text) {
    const base::Bytes data = bytes(text);
    const auto hash = base::sha256(data.span());
    EXPECT_TRUE(store_->put(hash, data).ok());
    return {hash, data.size()};
  }
  std::string read(const StoredBytes& object) {
    std::string text;
    while (text.size() < object.size_bytes) {
      text += store_->read(object.hash, text.size(), limits::object_chunk_bytes).value().text();
    }
    return text;
  }
  base::Result<std::string> prepare(const std::string& folder, std::vector<JobFile> files) {
    folders_->prepare({1}, folder, std::move(files));
    return std::get<FolderPrepared>(next_end(*folders_).value()).path;
  }
  FolderKept collect(const std::string& folder, std::vector<std::string> outputs,
                     bool partial = false) {
    folders_->collect({2}, folder, std::move(outputs), partial);
    return std::get<FolderKept>(next_end(*folders_).value());
  }
  JobDisk& disk() { return twin_.disk(); }

  MemoryFolder folder_;
  Twin twin_;
  std::unique_ptr<BlobStore> store_;
  std::optional<JobFolders> folders_;
};

using Twins = testing::Types<ResolvingTwin, MemoryJobsTwin>;
TYPED_TEST_SUITE(JobFoldersContract, Twins);

TYPED_TEST(JobFoldersContract, FillsAFolderWithInputsOfEverySize) {
  const std::string large(limits::folder_slice_bytes * 2 + 17, 'L');
  const auto path = this->prepare("1.0.1", {{"bin/tool", true, bytes("#!/bin/sh")},
                                            {"data/empty", false, bytes("")},
                                            {"data/large", false, this->stored(large)},
                                            {"data/none", false, this->stored("")}});
  ASSERT_TRUE(path.ok()) << path.error().message;
  EXPECT_EQ(path.value(), this->disk().host_path("1.0.1"));
  EXPECT_EQ(this->disk().info("1.0.1", "bin/tool").value(),
            (JobFileInfo{JobFileKind::file, 9, true}));
  EXPECT_EQ(this->disk().info("1.0.1", "data/empty").value().size_bytes, 0u);
  EXPECT_EQ(this->disk().info("1.0.1", "data/none").value().size_bytes, 0u);
  EXPECT_EQ(this->disk().read("1.0.1", "data/large", 0, large.size() + 1).value().text(), large);
}

TYPED_TEST(JobFoldersContract, RefusesInputsThatItCannotPlaceAndLeavesNothing) {
  const base::ObjectHash absent = base::sha256(bytes("absent").span());
  const StoredBytes here = this->stored("here");
  EXPECT_EQ(this->prepare("1.0.1", {{"../x", false, bytes("x")}}).error().code,
            ErrorCode::bad_argument);
  EXPECT_EQ(this->prepare("../1", {}).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(this->prepare("1.0.1", {{"x", false, StoredBytes{absent, 6}}}).error().code,
            ErrorCode::object_missing);
  EXPECT_EQ(this->prepare("1.0.1", {{"x", false, StoredBytes{here.hash, 5}}}).error().code,
            ErrorCode::bad_argument);
  EXPECT_EQ(
      this->prepare("1.0.1", {{"x", false, bytes("1")}, {"x/y", false, bytes("2")}}).error().code,
      ErrorCode::bad_argument);
  std::vector<JobFile> many(limits::command_files_max + 1);
  EXPECT_EQ(this->prepare("1.0.1", many).error().code, ErrorCode::bad_argument);
  EXPECT_TRUE(this->prepare("1.0.1", {}).ok()) << "the name is still free";
}

TYPED_TEST(JobFoldersContract, DoesNotTouchAFolderThatIsInUse) {
  ASSERT_TRUE(this->prepare("1.0.1", {{"x", false, bytes("first")}}).ok());
  EXPECT_EQ(this->prepare("1.0.1", {{"x", false, bytes("second")}}).error().code,
            ErrorCode::conflict);
  EXPECT_EQ(this->disk().read("1.0.1", "x", 0, 10).value().text(), "first");
}

TYPED_TEST(JobFoldersContract, KeepsWhatTheCommandLeft) {
  const std::string large(limits::object_chunk_bytes * 2 + 1, 'L');
  const std::string medium(limits::inline_output_bytes_max + 1, 'm');
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  this->twin_.write("1.0.1", "out/large", large);
  this->twin_.write("1.0.1", "out/deep/tool", "tool", true);
  this->twin_.write("1.0.1", "log", "");
  this->twin_.write("1.0.1", "medium", medium);
  const auto kept = this->collect("1.0.1", {"out", "log", "medium", "out/large"});
  ASSERT_TRUE(kept.files.ok()) << kept.files.error().message;
  const auto& files = kept.files.value();
  ASSERT_EQ(files.size(), 4u);
  EXPECT_EQ(files[0], (JobFile{"log", false, base::Bytes()}));
  EXPECT_EQ(files[1].path, "medium");
  EXPECT_EQ(this->read(std::get<StoredBytes>(files[1].data)), medium);
  EXPECT_EQ(files[2], (JobFile{"out/deep/tool", true, bytes("tool")}));
  EXPECT_EQ(files[3].path, "out/large");
  EXPECT_EQ(this->read(std::get<StoredBytes>(files[3].data)), large);
}

TYPED_TEST(JobFoldersContract, NamesTheOutputThatIsMissing) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  this->twin_.write("1.0.1", "there", "x");
  const auto kept = this->collect("1.0.1", {"there", "model/weights.bin"});
  ASSERT_FALSE(kept.files.ok());
  EXPECT_EQ(kept.files.error().code, ErrorCode::output_missing);
  EXPECT_THAT(kept.files.error().message, HasSubstr("model/weights.bin"));
  EXPECT_EQ(this->collect("1.0.1", {"../1.0.2/x"}).files.error().code, ErrorCode::bad_argument);
}

TYPED_TEST(JobFoldersContract, RefusesALinkAsAnOutputAndCountsThoseInsideAFolder) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  this->twin_.write("1.0.1", "out/x", "x");
  this->twin_.link("1.0.1", "out/link");
  const auto kept = this->collect("1.0.1", {"out"});
  ASSERT_TRUE(kept.files.ok());
  EXPECT_EQ(kept.files.value().size(), 1u);
  EXPECT_EQ(kept.left_out, 1u);
  EXPECT_EQ(this->collect("1.0.1", {"out/link"}).files.error().code, ErrorCode::output_missing);
}

TYPED_TEST(JobFoldersContract, KeepsWhatThereIsOfACommandThatFailed) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  this->twin_.write("1.0.1", "log", "half");
  this->twin_.link("1.0.1", "link");
  const auto kept = this->collect("1.0.1", {"link", "log", "never"}, true);
  ASSERT_TRUE(kept.files.ok()) << kept.files.error().message;
  ASSERT_EQ(kept.files.value().size(), 1u);
  EXPECT_EQ(kept.files.value().front().path, "log");
  EXPECT_EQ(kept.left_out, 2u);
}

TYPED_TEST(JobFoldersContract, RefusesMoreOutputsThanARecordHolds) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  for (std::size_t i = 0; i <= limits::command_files_max; ++i) {
    this->twin_.write("1.0.1", "out/" + std::to_string(i), "");
  }
  EXPECT_EQ(this->collect("1.0.1", {"out"}).files.error().code, ErrorCode::too_large);
}

TYPED_TEST(JobFoldersContract, PutsSmallOutputsIntoObjectsOnceTheRecordIsFull) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  const std::size_t inlined = limits::command_inline_bytes_max / limits::inline_output_bytes_max;
  for (std::size_t i = 0; i < inlined + 5; ++i) {
    std::string text(limits::inline_output_bytes_max - 4, 'x');
    this->twin_.write("1.0.1", "out/" + std::to_string(i), text + std::to_string(1000 + i));
  }
  const auto files = this->collect("1.0.1", {"out"}).files.value();
  const auto in_record = std::count_if(files.begin(), files.end(), [](const JobFile& file) {
    return std::holds_alternative<base::Bytes>(file.data);
  });
  EXPECT_EQ(static_cast<std::size_t>(in_record), inlined);
  EXPECT_EQ(this->store_->counters().blobs, 5u);
}

TYPED_TEST(JobFoldersContract, EndsTheWorksOfAFolderThatIsDropped) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  this->twin_.write("1.0.1", "large", std::string(3 * limits::folder_slice_bytes, 'x'));
  this->folders_->collect({2}, "1.0.1", {"large"});
  while (this->folder_.list().value().empty()) {
    this->folders_->advance();
  }
  this->folders_->drop("1.0.1");
  const auto end = next_end(*this->folders_);
  EXPECT_EQ(std::get<FolderKept>(end.value()).files.error().code, ErrorCode::conflict);
  EXPECT_EQ(next_end(*this->folders_), std::nullopt);
  const auto left = this->folder_.list().value();
  EXPECT_TRUE(left.empty()) << left.front().name << " of what was taken in is left";
}

TYPED_TEST(JobFoldersContract, LetsASmallFolderPassALargeOne) {
  const StoredBytes large = this->stored(std::string(limits::folder_slice_bytes * 4, 'L'));
  this->folders_->prepare({1}, "1.0.1", {{"large", false, large}});
  this->folders_->prepare({2}, "1.0.2", {{"small", false, bytes("s")}});
  EXPECT_EQ(std::get<FolderPrepared>(next_end(*this->folders_).value()).work, FolderWorkId{2});
  EXPECT_EQ(std::get<FolderPrepared>(next_end(*this->folders_).value()).work, FolderWorkId{1});
}

TYPED_TEST(JobFoldersContract, DropsTheFoldersOfEarlierLives) {
  ASSERT_TRUE(this->prepare("1.0.1", {}).ok());
  this->start();
  EXPECT_TRUE(this->prepare("1.0.1", {}).ok());
}

TYPED_TEST(JobFoldersContract, TellsWhatWasNeededAndWhatIsFreeBelowTheReserve) {
  this->start(UINT64_MAX);
  const auto path = this->prepare("1.0.1", {{"x", false, bytes("12345")}});
  ASSERT_FALSE(path.ok());
  EXPECT_EQ(path.error().code, ErrorCode::disk_full);
  EXPECT_THAT(path.error().message, HasSubstr("5 bytes are needed and 0 are free"));
}

TEST(JobFolders, TellsThatTheDiskIsFullInTheMiddleAndDropsWhatItMade) {
  MemoryFolder folder;
  MemoryJobs disk;
  const auto store = std::move(BlobStore::open(folder)).value();
  JobFolders folders({disk, *store, 0});
  const base::Bytes large(std::vector<std::uint8_t>(3 * limits::folder_slice_bytes, 'L'));
  const auto hash = base::sha256(large.span());
  ASSERT_TRUE(store->put(hash, large).ok());
  folders.prepare({1}, "1.0.1", {{"x", false, StoredBytes{hash, large.size()}}});
  for (int i = 0; i < 3; ++i) {
    folders.advance();
  }
  disk.set_capacity(limits::folder_slice_bytes);  // somebody else was faster
  const auto end = std::get<FolderPrepared>(next_end(folders).value());
  EXPECT_EQ(end.path.error().code, ErrorCode::disk_full);
  EXPECT_EQ(disk.entries(), 0u);

  disk.write("1.0.2", "out", std::string(100, 'x'));
  folder.set_capacity(large.size() + 10);
  disk.write("1.0.2", "large", std::string(limits::packed_object_bytes_max + 1, 'x'));
  disk.set_capacity(UINT64_MAX);
  folders.collect({2}, "1.0.2", {"large"});
  EXPECT_EQ(std::get<FolderKept>(next_end(folders).value()).files.error().kind,
            base::ErrorKind::overloaded);
}

TEST(JobFolders, RefusesWorkBeyondItsBoundAndAnswersAllTheSame) {
  MemoryFolder folder;
  MemoryJobs disk;
  const auto store = std::move(BlobStore::open(folder)).value();
  JobFolders folders({disk, *store, 0});
  for (std::uint64_t i = 0; i <= limits::folder_works_max; ++i) {
    folders.prepare({i}, "f" + std::to_string(i), {});
  }
  std::size_t refused = 0;
  std::size_t ended = 0;
  while (auto end = next_end(folders)) {
    ++ended;
    refused += std::get<FolderPrepared>(*end).path.ok() ? 0 : 1;
  }
  EXPECT_EQ(ended, limits::folder_works_max + 1);
  EXPECT_EQ(refused, 1u);
}

TEST(JobFolders, SharesBlocksOfInputsOrCopiesThemWhereTheDiskCannot) {
  TestFolder folder;
  const auto blobs = std::move(FileFolder::open(folder.path() + "/objects")).value();
  const auto disk = std::move(FileJobs::open(folder.path() + "/jobs")).value();
  const auto store = std::move(BlobStore::open(*blobs)).value();
  JobFolders folders({*disk, *store, 0});
  const base::Bytes large(std::vector<std::uint8_t>(300'000, 'L'));
  const auto hash = base::sha256(large.span());
  ASSERT_TRUE(store->put(hash, large).ok());
  EXPECT_TRUE(std::filesystem::exists(store->file_of(hash)));
  folders.prepare({1}, "1.0.1", {{"x", false, StoredBytes{hash, large.size()}}});
  ASSERT_TRUE(std::get<FolderPrepared>(next_end(folders).value()).path.ok());
  std::ofstream(disk->host_path("1.0.1") + "/x", std::ios::app) << "the command writes";
  EXPECT_EQ(store->read(hash, 0, 400'000).value(), large) << "the object stays as it is";
}

}  // namespace
}  // namespace fastgpu::objects
