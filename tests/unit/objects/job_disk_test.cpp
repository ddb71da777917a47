/// What a JobDisk promises, checked over a real disk, resolving paths in both ways, and over its
/// twin in memory.

#include "runtime/objects/jobs/job_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/objects/job_twins.hpp"

namespace fastgpu::objects {
namespace {

using base::ErrorCode;
using testing::ElementsAre;

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <class Twin>
class JobDiskContract : public testing::Test {
 protected:
  void make_f() {
    ASSERT_TRUE(disk().make("f").ok());
    ASSERT_TRUE(disk().make_folder("f", "in").ok());
    ASSERT_TRUE(disk().make_file("f", "in/x", true).ok());
    ASSERT_TRUE(disk().append("f", "in/x", bytes("some ")).ok());
    ASSERT_TRUE(disk().append("f", "in/x", bytes("bytes")).ok());
  }
  void sweep_all() {
    for (int i = 0; disk().sweep(3); ++i) {
      ASSERT_LT(i, 1000);
    }
  }
  JobDisk& disk() { return twin_.disk(); }
  Twin twin_;
};

using Twins = testing::Types<ResolvingTwin, WalkingTwin, MemoryJobsTwin>;
TYPED_TEST_SUITE(JobDiskContract, Twins);

TYPED_TEST(JobDiskContract, GivesBackWhatWasWritten) {
  this->make_f();
  EXPECT_EQ(this->disk().read("f", "in/x", 0, 100).value().text(), "some bytes");
  EXPECT_EQ(this->disk().read("f", "in/x", 5, 3).value().text(), "byt");
  EXPECT_EQ(this->disk().read("f", "in/x", 10, 3).value().size(), 0u);
  EXPECT_EQ(this->disk().info("f", "in/x").value(), (JobFileInfo{JobFileKind::file, 10, true}));
  EXPECT_EQ(this->disk().info("f", "in").value().kind, JobFileKind::folder);
}

TYPED_TEST(JobDiskContract, SeesWhatTheCommandLeft) {
  this->make_f();
  this->twin_.write("f", "out/b", "bb");
  this->twin_.write("f", "out/a", "a", true);
  EXPECT_THAT(this->disk().names("f", "out", 10).value(), ElementsAre("a", "b"));
  EXPECT_THAT(this->disk().names("f", "", 10).value(), ElementsAre("in", "out"));
  EXPECT_EQ(this->disk().info("f", "out/a").value(), (JobFileInfo{JobFileKind::file, 1, true}));
  EXPECT_EQ(this->disk().info("f", "out/b").value(), (JobFileInfo{JobFileKind::file, 2, false}));
  EXPECT_EQ(this->disk().names("f", "out", 1).error().code, ErrorCode::too_large);
}

TYPED_TEST(JobDiskContract, RefusesWhatIsThereAlready) {
  this->make_f();
  EXPECT_EQ(this->disk().make("f").error().code, ErrorCode::conflict);
  EXPECT_EQ(this->disk().make_folder("f", "in").error().code, ErrorCode::conflict);
  EXPECT_EQ(this->disk().make_file("f", "in/x", false).error().code, ErrorCode::conflict);
}

TYPED_TEST(JobDiskContract, TellsThatAFileIsNotThere) {
  this->make_f();
  EXPECT_EQ(this->disk().info("f", "y").error().code, ErrorCode::output_missing);
  EXPECT_EQ(this->disk().info("f", "in/x/y").error().code, ErrorCode::output_missing);
  EXPECT_EQ(this->disk().info("g", "y").error().code, ErrorCode::output_missing);
  EXPECT_EQ(this->disk().read("f", "in", 0, 1).error().code, ErrorCode::output_missing);
  EXPECT_EQ(this->disk().names("f", "in/x", 5).error().code, ErrorCode::output_missing);
  EXPECT_EQ(this->disk().append("f", "y", {}).error().code, ErrorCode::output_missing);
  EXPECT_EQ(this->disk().make_file("f", "no/y", false).error().code, ErrorCode::output_missing);
}

TYPED_TEST(JobDiskContract, NeverFollowsALink) {
  this->make_f();
  this->twin_.link("f", "link");
  EXPECT_EQ(this->disk().info("f", "link").value().kind, JobFileKind::other);
  EXPECT_FALSE(this->disk().read("f", "link", 0, 10).ok());
  EXPECT_FALSE(this->disk().names("f", "link", 10).ok());
  EXPECT_FALSE(this->disk().info("f", "link/x").ok());
}

TYPED_TEST(JobDiskContract, FreesTheNameOfADroppedFolderAtOnce) {
  this->make_f();
  this->twin_.write("f", "out/deep/x", "x");
  this->disk().drop("f");
  this->disk().drop("never there");
  EXPECT_FALSE(this->disk().info("f", "in").ok());
  this->make_f();
  this->sweep_all();
  EXPECT_TRUE(this->disk().info("f", "in/x").ok()) << "only what was dropped is swept";
}

TYPED_TEST(JobDiskContract, DropsWhatAnEarlierLifeLeft) {
  this->make_f();
  ASSERT_TRUE(this->disk().make("g").ok());
  this->disk().drop("g");
  this->twin_.new_life().drop_all();
  EXPECT_FALSE(this->disk().info("f", "in").ok());
  this->sweep_all();
  EXPECT_TRUE(this->disk().make("g").ok());
}

}  // namespace
}  // namespace fastgpu::objects
