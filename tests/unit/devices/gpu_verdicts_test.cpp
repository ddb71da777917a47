// What is held against a GPU, and what is not.

#include "runtime/exec/cuda/gpu_verdicts.hpp"

#include <gtest/gtest.h>

namespace fastgpu::exec {
namespace {

GpuSample sample_with(std::optional<std::uint64_t> ecc_errors) {
  GpuSample sample;
  sample.uuid = "GPU-1";
  sample.ecc_errors = ecc_errors;
  return sample;
}

TEST(GpuVerdicts, AnXidThatSpeaksAgainstTheDeviceDoesAndAProgramsOwnDoesNot) {
  GpuVerdicts verdicts;
  EXPECT_EQ(verdicts.hear(GpuXid{"GPU-1", 79}),
            (GpuVerdict{"GPU-1", "its driver reported Xid 79"}));
  EXPECT_TRUE(verdicts.hear(GpuXid{"GPU-1", 48}));
  for (const std::uint64_t of_programs : {13, 31, 43, 45})
    EXPECT_EQ(verdicts.hear(GpuXid{"GPU-1", of_programs}), std::nullopt) << of_programs;
}

TEST(GpuVerdicts, TheLastXidOfEachDeviceIsRememberedAlsoOneOfAProgram) {
  GpuVerdicts verdicts;
  EXPECT_EQ(verdicts.last_xid("GPU-1"), 0u);
  verdicts.hear(GpuXid{"GPU-1", 79});
  verdicts.hear(GpuXid{"GPU-1", 13});
  verdicts.hear(GpuXid{"GPU-2", 48});
  EXPECT_EQ(verdicts.last_xid("GPU-1"), 13u);
  EXPECT_EQ(verdicts.last_xid("GPU-2"), 48u);
}

TEST(GpuVerdicts, ADeviceThatStaysLostIsAccusedEachTime) {
  GpuVerdicts verdicts;
  GpuSample lost = sample_with(std::nullopt);
  lost.lost = true;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(verdicts.hear(lost), (GpuVerdict{"GPU-1", "its driver cannot reach it any more"}));
}

TEST(GpuVerdicts, OnlyNewErrorsOfItsMemoryCount) {
  GpuVerdicts verdicts;
  EXPECT_EQ(verdicts.hear(sample_with(std::nullopt)), std::nullopt);
  EXPECT_EQ(verdicts.hear(sample_with(5)), std::nullopt) << "from before";
  EXPECT_EQ(verdicts.hear(sample_with(5)), std::nullopt);
  EXPECT_EQ(
      verdicts.hear(sample_with(7)),
      (GpuVerdict{"GPU-1", "its memory has 2 new errors that cannot be corrected, 7 in all"}));
  EXPECT_EQ(verdicts.hear(sample_with(7)), std::nullopt);
  EXPECT_EQ(verdicts.hear(sample_with(0)), std::nullopt) << "the driver was loaded anew";
}

TEST(GpuVerdicts, ThatThereIsNothingToWatchWithIsNoVerdict) {
  EXPECT_EQ(GpuVerdicts{}.hear(GpuWatchTrouble{"no NVML"}), std::nullopt);
}

}  // namespace
}  // namespace fastgpu::exec
