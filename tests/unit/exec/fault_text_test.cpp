#include "runtime/exec/fault_text.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

namespace fastgpu::exec {
namespace {

const FaultedTask task{"saxpy", {4, 1, 1}, {256, 1, 1}};

std::unique_ptr<FaultRecord> record_of(FaultKind kind) {
  auto record = std::make_unique<FaultRecord>();
  record->kind = kind;
  record->argument = -1;
  return record;
}

TEST(FaultText, CutsTextsThatHaveNoEnd) {
  const auto record = record_of(FaultKind::failed_check);
  record->line = 3;
  std::memset(record->what, 'x', sizeof record->what);
  std::memset(record->file, 'y', sizeof record->file);
  const FaultText text = describe_fault(*record, task);
  EXPECT_EQ(text.reason, base::FailureReason::kernel_assert);
  EXPECT_LT(text.message.size(), sizeof(FaultRecord) + 256);
}

TEST(FaultText, CountsFromTheNearerBorderOfTheBuffer) {
  const auto record = record_of(FaultKind::memory);
  record->argument = 2;
  record->argument_bytes = 100;
  record->offset = -8;
  record->first_block = 4;
  record->last_block = 6;
  EXPECT_EQ(describe_fault(*record, task).message,
            "out-of-bounds read of buffer argument 2 (100 bytes): 8 bytes before its begin; kernel "
            "saxpy, grid (4,1,1), block size (256,1,1), in one of the blocks 4 to 5 (run it with "
            "precise=true to learn the thread)");
  record->offset = 130;
  record->is_write = 1;
  EXPECT_NE(describe_fault(*record, task)
                .message.find("write of buffer argument 2 (100 bytes): 30 "
                              "bytes past its end"),
            std::string::npos);
}

TEST(FaultText, ANullPointerBehindARefusedMallocIsALackOfMemory) {
  const auto record = record_of(FaultKind::memory);
  record->address = 64;
  record->is_write = 1;
  record->has_thread = 1;
  EXPECT_EQ(describe_fault(*record, task).reason, base::FailureReason::out_of_bounds);
  record->heap_asked = 1000;
  record->heap_used = 8000;
  record->heap_bytes = 8192;
  const FaultText text = describe_fault(*record, task);
  EXPECT_EQ(text.reason, base::FailureReason::cuda_out_of_memory);
  EXPECT_EQ(text.message,
            "malloc of 1000 bytes gave null, since 8000 of the 8192 bytes that a task's malloc and "
            "new have were in use, and the kernel went on: write through a null pointer (address "
            "0x40); kernel saxpy, grid (4,1,1), block size (256,1,1), block (0,0,0), thread "
            "(0,0,0)");
  record->argument = 0;
  EXPECT_EQ(describe_fault(*record, task).reason, base::FailureReason::out_of_bounds);
}

TEST(FaultText, AnUnknownKindIsTheExecutorsEnd) {
  const FaultText text = describe_fault(*record_of(static_cast<FaultKind>(77)), task);
  EXPECT_EQ(text.reason, base::FailureReason::executor_crash);
  EXPECT_FALSE(text.message.empty());
}

}  // namespace
}  // namespace fastgpu::exec
