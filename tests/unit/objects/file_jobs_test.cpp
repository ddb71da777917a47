/// Job folders on a real disk, in the hands of a job that means no good.

#include "runtime/objects/jobs/file_jobs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/objects/job_twins.hpp"

namespace fastgpu::objects {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileJobsTest : public testing::Test {
 protected:
  FileJobsTest() { EXPECT_TRUE(twin_.disk().make("f").ok()); }
  JobDisk& disk() { return twin_.disk(); }
  std::string in_f(const std::string& path) { return disk().host_path("f") + "/" + path; }
  std::size_t left_in(const std::string& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) {
      ++count;
    }
    return count;
  }
  std::size_t left_in_trash() { return left_in(twin_.path() + "/jobs/.trash"); }
  void drop_f() {
    disk().drop("f");
    for (int i = 0; disk().sweep(16); ++i) {
      ASSERT_LT(i, 10'000) << "the sweep does not end";
    }
  }
  ResolvingTwin twin_;
};

TEST_F(FileJobsTest, KeepsOthersFromListingJobsAndFromEnteringThem) {
  EXPECT_EQ(fs::status(twin_.path() + "/jobs").permissions(), static_cast<fs::perms>(0711));
  EXPECT_EQ(fs::status(in_f("")).permissions(), fs::perms::owner_all);
  ASSERT_TRUE(disk().make_file("f", "data", false).ok());
  ASSERT_TRUE(disk().make_file("f", "program", true).ok());
  EXPECT_EQ(fs::status(in_f("data")).permissions(), static_cast<fs::perms>(0600));
  EXPECT_EQ(fs::status(in_f("program")).permissions(), static_cast<fs::perms>(0700));
}

TEST_F(FileJobsTest, NeitherWaitsForAPipeNorReadsIt) {
  ASSERT_EQ(::mkfifo(in_f("pipe").c_str(), 0600), 0);
  EXPECT_EQ(disk().info("f", "pipe").value().kind, JobFileKind::other);
  EXPECT_THAT(disk().read("f", "pipe", 0, 1).error().message, HasSubstr("is no file"));
}

TEST_F(FileJobsTest, ReadsNothingThroughAFolderThatBecameALink) {
  fs::create_directory(twin_.path() + "/secret");
  std::ofstream(twin_.path() + "/secret/key") << "secret";
  fs::create_directory_symlink(twin_.path() + "/secret", in_f("out"));
  fs::create_directory_symlink("../../secret", in_f("relative"));
  for (const std::string path : {"out/key", "relative/key", "out", "relative"}) {
    EXPECT_FALSE(disk().read("f", path, 0, 10).ok()) << path;
    EXPECT_FALSE(disk().names("f", path, 10).ok()) << path;
  }
  drop_f();
  EXPECT_TRUE(fs::exists(twin_.path() + "/secret/key")) << "a drop stays in the folder, too";
  EXPECT_EQ(left_in_trash(), 0u);
}

TEST_F(FileJobsTest, RemovesFoldersThatNobodyMayEnterAndNamesOfAnyBytes) {
  twin_.write("f", "locked/deep/x", "x");
  twin_.write("f", "locked/y", "y");
  twin_.write("f", "-rf", "x");
  twin_.write("f", "\n\x01\xff\"*", "x");
  twin_.write("f", std::string(255, 'n'), "x");
  fs::create_symlink("nowhere", in_f("dangling"));
  ASSERT_EQ(::mkfifo(in_f("pipe").c_str(), 0), 0);
  fs::permissions(in_f("locked/y"), fs::perms::none);
  fs::permissions(in_f("locked/deep"), fs::perms::none);
  fs::permissions(in_f("locked"), fs::perms::none);
  fs::permissions(in_f(""), fs::perms::none);
  drop_f();
  EXPECT_EQ(left_in_trash(), 0u);
}

TEST_F(FileJobsTest, RemovesATreeDeeperThanAPathMayBeLong) {
  const std::string name(200, 'd');
  int at = ::open(in_f("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int depth = 0; depth < 300; ++depth) {  // 60 kB of path
    ASSERT_EQ(::mkdirat(at, name.c_str(), 0700), 0);
    const int next = ::openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = next;
  }
  ::close(at);
  drop_f();
  EXPECT_EQ(left_in_trash(), 0u);
}

TEST_F(FileJobsTest, SweepsABigFolderInShortPieces) {
  for (int i = 0; i < 100; ++i) {
    twin_.write("f", std::to_string(i), "x");
  }
  disk().drop("f");
  const std::size_t before = left_in(twin_.path() + "/jobs/.trash/1");
  ASSERT_EQ(before, 100u);
  ASSERT_TRUE(disk().sweep(20));
  const std::size_t after = left_in(twin_.path() + "/jobs/.trash/1");
  EXPECT_LE(before - after, 20u);
  EXPECT_GE(before - after, 18u);
}

TEST_F(FileJobsTest, GoesOnWithTheTrashOfAnEarlierLife) {
  twin_.write("f", "a/b/c", "x");
  disk().drop("f");
  disk().sweep(2);
  JobDisk& next = twin_.new_life();
  ASSERT_TRUE(next.make("f").ok());
  next.drop("f");
  while (next.sweep(4)) {
  }
  EXPECT_EQ(left_in_trash(), 0u);
}

TEST_F(FileJobsTest, KnowsHowMuchIsFree) {
  EXPECT_GT(disk().bytes_free(), 0u);
}

TEST_F(FileJobsTest, RefusesAFileInThePlaceOfItsFolder) {
  std::ofstream(twin_.path() + "/file") << "x";
  EXPECT_EQ(FileJobs::open(twin_.path() + "/file").error().kind, base::ErrorKind::invalid);
}

}  // namespace
}  // namespace fastgpu::objects
