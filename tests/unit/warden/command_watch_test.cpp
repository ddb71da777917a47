// The decisions about one command, without a process and without a clock.

#include "runtime/exec/warden/child/command_watch.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace fastgpu::exec {
namespace {

using base::FailureReason;
using std::chrono::seconds;
using Step = CommandWatch::Step;

base::Time at(int second) {
  return base::Time(seconds(1000 + second));
}

CommandBounds bounds() {
  CommandBounds bounds;
  bounds.time_limit = seconds(60);
  bounds.stop_grace = seconds(2);
  bounds.memory_bytes = 256u << 20;
  bounds.folder_bytes = 1u << 30;
  bounds.files_max = 1000;
  bounds.lease_until = at(120);
  return bounds;
}

TEST(CommandWatch, LeavesAGoodCommandAloneAndTellsNothingOfIt) {
  CommandWatch watch(bounds(), at(0));
  EXPECT_EQ(watch.next_step(at(30)), Step::run);
  EXPECT_EQ(watch.next_deadline(), at(60));
  watch.note_program_end({0, 0, false, false}, at(31));
  EXPECT_EQ(watch.next_step(at(31)), Step::kill) << "what it left in the background";
  EXPECT_EQ(watch.verdict().reason, FailureReason::none);
  EXPECT_EQ(watch.verdict().message, "");
  EXPECT_EQ(watch.ran_for(), seconds(31));
}

TEST(CommandWatch, AsksAtTheTimeLimitAndKillsAfterTheGrace) {
  CommandWatch watch(bounds(), at(0));
  EXPECT_EQ(watch.next_step(at(60)), Step::ask);
  EXPECT_EQ(watch.next_step(at(60)), Step::run) << "asked once";
  EXPECT_EQ(watch.next_deadline(), at(62));
  EXPECT_EQ(watch.next_step(at(62)), Step::kill);
  watch.note_program_end({-1, SIGKILL, false, false}, at(62));
  EXPECT_EQ(watch.verdict().reason, FailureReason::time_limit);
  EXPECT_EQ(watch.verdict().message, "ran longer than its time limit of 60.0 s");
}

TEST(CommandWatch, KillsAtTheEndOfTheLeaseWithoutAsking) {
  CommandWatch watch(bounds(), at(0));
  watch.extend_lease(at(20));  // never shorter
  watch.stop("late", at(119));
  EXPECT_EQ(watch.next_step(at(119)), Step::ask);
  EXPECT_EQ(watch.next_deadline(), at(120));
  EXPECT_EQ(watch.next_step(at(120)), Step::kill);
  CommandWatch other(bounds(), at(0));
  other.extend_lease(at(500));
  EXPECT_EQ(other.next_step(at(50)), Step::run);
  CommandBounds endless = bounds();
  endless.time_limit = {};
  CommandWatch third(endless, at(0));
  EXPECT_EQ(third.next_step(at(120)), Step::kill);
  EXPECT_EQ(third.verdict().reason, FailureReason::node_lost);
}

TEST(CommandWatch, TheFirstCauseIsTold) {
  CommandWatch watch(bounds(), at(0));
  watch.stop("the user cancelled it", at(1));
  watch.note_memory(300u << 20);
  watch.note_folder(2u << 30);
  EXPECT_EQ(watch.next_step(at(1)), Step::kill) << "memory does not wait for the grace";
  watch.note_program_end({0, 0, false, false}, at(1));
  EXPECT_EQ(watch.verdict().reason, FailureReason::cancelled);
  EXPECT_EQ(watch.verdict().message, "the user cancelled it");
}

TEST(CommandWatch, MemoryAndDiskAreToldWithNumbers) {
  CommandWatch memory(bounds(), at(0));
  memory.note_memory(512u << 20);
  EXPECT_EQ(memory.next_step(at(0)), Step::kill);
  EXPECT_EQ(memory.verdict().reason, FailureReason::host_out_of_memory);
  EXPECT_EQ(memory.verdict().message, "used 512 MiB of memory, its limit is 256 MiB");
  EXPECT_EQ(memory.peak_memory_bytes(), 512u << 20);
  CommandWatch disk(bounds(), at(0));
  disk.note_folder(3u << 29);
  EXPECT_EQ(disk.next_step(at(0)), Step::kill);
  EXPECT_EQ(disk.verdict().reason, FailureReason::disk_full);
  EXPECT_EQ(disk.verdict().message, "wrote 1.5 GiB into its folder, its limit is 1 GiB");
}

TEST(CommandWatch, WhoTakesMoreOfItsGpuThanItAskedForIsKilledAndToldBothNumbers) {
  CommandBounds with_gpu = bounds();
  with_gpu.device_memory_bytes = 2ull << 30;
  CommandWatch watch(with_gpu, at(0));
  watch.note_device_memory(2ull << 30);
  EXPECT_EQ(watch.next_step(at(1)), Step::run);
  watch.note_device_memory(3ull << 30);
  EXPECT_EQ(watch.next_step(at(2)), Step::kill) << "memory does not wait for a grace";
  EXPECT_EQ(watch.verdict().reason, FailureReason::cuda_out_of_memory);
  EXPECT_EQ(watch.verdict().message,
            "used 3 GiB of its GPU's memory, its limit is 2 GiB (3221225472 of 2147483648 bytes)");
  CommandWatch unlimited(bounds(), at(0));
  unlimited.note_device_memory(100ull << 30);
  EXPECT_EQ(unlimited.next_step(at(1)), Step::run);
}

TEST(CommandWatch, EmptyFilesWithoutEndAreAFullFolderToo) {
  CommandWatch watch(bounds(), at(0));
  watch.note_files(1000);
  EXPECT_EQ(watch.next_step(at(0)), Step::run);
  watch.note_files(1001);
  EXPECT_EQ(watch.next_step(at(0)), Step::kill);
  EXPECT_EQ(watch.verdict().reason, FailureReason::disk_full);
  EXPECT_EQ(watch.verdict().message, "made more than 1000 files and folders, which is its limit");
}

TEST(CommandWatch, AFileThatEndsAtTheLimitExactlyIsAFullFolder) {
  const auto verdict = [](int exit_code, std::uint64_t grown_bytes) {
    CommandWatch watch(bounds(), at(0));
    watch.note_folder(grown_bytes);
    watch.note_program_end({exit_code, 0, false, false}, at(1));
    return watch.verdict();
  };
  EXPECT_EQ(verdict(1, 1u << 30).reason, FailureReason::disk_full) << "it ignored the signal";
  EXPECT_EQ(verdict(1, 1u << 30).message,
            "exited with code 1; its folder may hold 1 GiB, and is full");
  EXPECT_EQ(verdict(128 + SIGXFSZ, 4096).reason, FailureReason::disk_full) << "a shell tells it";
  EXPECT_EQ(verdict(0, 1u << 30).reason, FailureReason::none);
  EXPECT_EQ(verdict(1, (1u << 30) - 4096).reason, FailureReason::exit_code);
}

TEST(CommandWatch, WhatComesAfterTheEndChangesNothing) {
  CommandWatch watch(bounds(), at(0));
  watch.note_program_end({3, 0, false, false}, at(5));
  watch.stop("too late", at(6));
  watch.note_memory(1ull << 40);
  watch.abandon();
  watch.next_step(at(500));
  EXPECT_EQ(watch.verdict().reason, FailureReason::exit_code);
  EXPECT_EQ(watch.verdict().message, "exited with code 3");
}

TEST(CommandWatch, TellsEachWayOfEnding) {
  const auto verdict = [](ProgramEnd end) {
    CommandWatch watch(bounds(), at(0));
    watch.note_program_end(end, at(1));
    return watch.verdict();
  };
  EXPECT_EQ(verdict({-1, SIGABRT, false, false}).message, "ended by signal 6 (SIGABRT)");
  EXPECT_EQ(verdict({-1, SIGXFSZ, false, false}).reason, FailureReason::disk_full);
  EXPECT_EQ(verdict({1, 0, true, false}).reason, FailureReason::disk_full);
  EXPECT_EQ(verdict({1, 0, false, true}).reason, FailureReason::bad_argument);
  EXPECT_NE(verdict({-1, SIGKILL, false, false}).message.find("did not come from FastGPU"),
            std::string::npos);
}

}  // namespace
}  // namespace fastgpu::exec
