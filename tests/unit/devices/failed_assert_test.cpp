#include "runtime/exec/cuda/failed_assert.hpp"

#include <gtest/gtest.h>

namespace fastgpu::exec::test {
namespace {

using Triple = std::array<std::uint32_t, 3>;

TEST(FailedAssert, IsReadFromWhatTheDriverOfAnH100Writes) {
  const auto found = read_failed_assert(
      "job.cu:5: void asserts(float *, int): block: [3,0,0], thread: [59,0,1] Assertion "
      "`threadIdx.x < 5` failed.\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, "job.cu");
  EXPECT_EQ(found->line, 5);
  EXPECT_EQ(found->block, (Triple{3, 0, 0}));
  EXPECT_EQ(found->thread, (Triple{59, 0, 1}));
  EXPECT_EQ(found->condition, "threadIdx.x < 5");
}

TEST(FailedAssert, OfManyTheFirstIsTaken) {
  const auto found = read_failed_assert(
      "something else: 1\n"
      "a.h:7: void k<ns::t>(): block: [1,2,3], thread: [4,5,6] Assertion `s == \"` failed\"` "
      "failed.\n"
      "a.h:7: void k<ns::t>(): block: [1,2,3], thread: [5,5,6] Assertion `s == \"` failed\"` "
      "failed.");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, "a.h");
  EXPECT_EQ(found->thread, (Triple{4, 5, 6}));
  EXPECT_EQ(found->condition, "s == \"` failed\"");
}

TEST(FailedAssert, WhatHasAnotherFormIsNone) {
  for (const char* text :
       {"", "\n\n", "job.cu:5: error", "job.cu:x: void k(): block: [1,2,3], thread: [1,2,3] A",
        "job.cu:5: void k(): block: [1,2], thread: [1,2,3] Assertion `x` failed.",
        "job.cu:5: void k(): block: [1,2,-3], thread: [1,2,3] Assertion `x` failed.",
        "job.cu:5: void k(): block: [1,2,3], thread: [1,2,3] Assertion `x"}) {
    EXPECT_FALSE(read_failed_assert(text)) << text;
  }
}

}  // namespace
}  // namespace fastgpu::exec::test
