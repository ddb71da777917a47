// Who is on a GPU beside the node's tasks, and memory that does not come back.

#include "runtime/exec/cuda/gpu_tenants.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fastgpu::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t gib = 1ull << 30;
const std::string gpu = "GPU-1";
const GpuTenant own{{10, gib}, GpuTenancy::own, "fastgpu-executor"};

/// A node's GPU of which the driver itself takes one GiB.
class Tenants : public ::testing::Test {
 protected:
  GpuTenants::Findings look(std::uint64_t used_bytes, const std::vector<GpuTenant>& list) {
    GpuSample sample;
    sample.uuid = gpu;
    sample.memory_used_bytes = used_bytes;
    sample.memory_total_bytes = 80 * gib;
    tenants_.hear(sample);
    return tenants_.hear(gpu, list);
  }
  GpuTenants tenants_;
};

TEST_F(Tenants, TheNodesOwnAreNothingToSpeakOf) {
  const auto findings = look(2 * gib, {own});
  EXPECT_THAT(findings.said, IsEmpty());
  EXPECT_THAT(findings.to_end, IsEmpty());
}

TEST_F(Tenants, AStrangerIsToldOnceAndLeftAlone) {
  const GpuTenant stranger{{4711, 3 * gib}, GpuTenancy::strange, "python3"};
  EXPECT_THAT(look(5 * gib, {own, stranger}).said,
              ElementsAre("process 4711 (python3) was not started by this node and uses 3 GiB of "
                          "GPU-1: tasks may lack that memory or wait for it"));
  const auto again = look(5 * gib, {own, stranger});
  EXPECT_THAT(again.said, IsEmpty());
  EXPECT_THAT(again.to_end, IsEmpty());
  look(2 * gib, {own});
  EXPECT_EQ(look(5 * gib, {own, stranger}).said.size(), 1u) << "it was gone meanwhile";
}

TEST_F(Tenants, WhatACommandLeftIsToldOnceAndEndedUntilItIsGone) {
  const GpuTenant left{{4712, std::nullopt}, GpuTenancy::left_over, "train"};
  const auto first = look(5 * gib, {own, left});
  EXPECT_THAT(first.said, ElementsAre("process 4712 (train) is left over from a command that has "
                                      "ended and uses GPU-1: it is killed"));
  EXPECT_THAT(first.to_end, ElementsAre(4712));
  const auto second = look(5 * gib, {own, left});
  EXPECT_THAT(second.said, IsEmpty());
  EXPECT_THAT(second.to_end, ElementsAre(4712));
}

TEST_F(Tenants, MemoryThatDoesNotComeBackIsToldAfterAWhileAndSoIsItsReturn) {
  look(2 * gib, {own});
  for (int i = 1; i < GpuTenants::looks_min; ++i)
    EXPECT_THAT(look(6 * gib, {own}).said, IsEmpty()) << "it may only be slow";
  EXPECT_THAT(look(6 * gib, {own}).said,
              ElementsAre("4 GiB of the memory of GPU-1 belong to no process and do not come back: "
                          "tasks lack them until the GPU is reset"));
  EXPECT_EQ(tenants_.memory_remark(gpu),
            "4 GiB of its memory belong to no process and do not come back: tasks lack them until "
            "the GPU is reset");
  EXPECT_THAT(look(6 * gib, {own}).said, IsEmpty());
  EXPECT_THAT(look(2 * gib, {own}).said,
              ElementsAre("the memory of GPU-1 that nobody used has come back"));
  EXPECT_EQ(tenants_.memory_remark(gpu), "");
}

TEST_F(Tenants, MemoryOfTasksThatComeAndGoIsNotMissed) {
  for (int i = 0; i < 20; ++i) {
    const GpuTenant task{{100 + i, (1 + i % 3) * gib}, GpuTenancy::own, "task"};
    EXPECT_THAT(look((3 + i % 3) * gib, {own, task}).said, IsEmpty());
  }
}

TEST_F(Tenants, WhereTheDriverDoesNotShowTheNodesProcessesOrTheirMemoryNothingIsMissed) {
  const GpuTenant uncounted{{10, std::nullopt}, GpuTenancy::own, "fastgpu-executor"};
  for (int i = 0; i < 2 * GpuTenants::looks_min; ++i)
    EXPECT_THAT(look((i + 1) * gib, {}).said, IsEmpty());
  for (int i = 0; i < 2 * GpuTenants::looks_min; ++i)
    EXPECT_THAT(look((i + 1) * gib, {uncounted}).said, IsEmpty());
}

}  // namespace
}  // namespace fastgpu::exec
