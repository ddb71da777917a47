#include "runtime/books/fit.hpp"

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"
#include "runtime/books/device_books.hpp"
#include "runtime/books/funnel.hpp"

namespace fastgpu::books {
namespace {

using protocol::DeviceBooks;
using protocol::DeviceKind;
using protocol::RefusalReason;
using protocol::WaitingCode;

DeviceBooks books_of(DeviceKind kind, std::uint64_t memory_bytes, std::uint32_t room = 100) {
  DeviceBooks books;
  books.device = {{2}, 0};
  books.kind = kind;
  books.model = "Model";
  books.memory_bytes_total = books.memory_bytes_free = memory_bytes;
  books.queue_room = room;
  return books;
}

TEST(Fit, AnyIsAGpuOrACpuAndNeverTheNullDevice) {
  EXPECT_TRUE(kind_matches(DeviceKind::any, DeviceKind::gpu));
  EXPECT_TRUE(kind_matches(DeviceKind::any, DeviceKind::cpu));
  EXPECT_FALSE(kind_matches(DeviceKind::any, DeviceKind::null));
  EXPECT_TRUE(kind_matches(DeviceKind::null, DeviceKind::null));
  EXPECT_FALSE(kind_matches(DeviceKind::gpu, DeviceKind::cpu));
}

TEST(Fit, RefusesWithItsReasonAndTheNumbers) {
  const auto books = books_of(DeviceKind::cpu, 1000);
  EXPECT_EQ(fit({DeviceKind::gpu, 0}, books).refused, RefusalReason::wrong_device_kind);
  EXPECT_EQ(fit({DeviceKind::any, 1001}, books), (Fit{0, RefusalReason::no_memory, 1001, 1000}));
  EXPECT_EQ(fit({DeviceKind::any, 1000}, books).tasks, 100u);
  EXPECT_EQ(fit({DeviceKind::any, 0}, books_of(DeviceKind::cpu, 1, 0)).refused,
            RefusalReason::queue_full);
  auto sick = books;
  sick.healthy = false;
  EXPECT_EQ(fit({DeviceKind::any, 0}, sick).refused, RefusalReason::unhealthy);
  EXPECT_TRUE(could_ever_fit({DeviceKind::any, 0}, sick));
}

TEST(Fit, ADeviceWithoutAWardenTakesKernelsOnly) {
  auto books = books_of(DeviceKind::cpu, 1000);
  EXPECT_TRUE(fit({DeviceKind::any, 0}, books, Work::command));
  books.no_commands_why = "no warden";
  EXPECT_EQ(fit({DeviceKind::any, 0}, books, Work::command).refused, RefusalReason::unhealthy);
  EXPECT_TRUE(fit({DeviceKind::any, 0}, books, Work::kernel));
}

TEST(Fit, WhatOthersHoldNowDelaysALaunchButForbidsNoGrant) {
  auto books = books_of(DeviceKind::cpu, 1000);
  books.memory_bytes_free = 10;
  EXPECT_TRUE(fit({DeviceKind::any, 500}, books));
  EXPECT_EQ(launch_fit({DeviceKind::any, 500}, books).refused, RefusalReason::no_memory);
  EXPECT_TRUE(launch_fit({DeviceKind::any, 10}, books));
  books.slots_free = 0;
  EXPECT_FALSE(launch_fit({DeviceKind::any, 10}, books));
}

TEST(DeviceLedger, IsUsefulOnlyOnceItIsDescribed) {
  DeviceLedger ledger({{2}, 0}, {7});
  EXPECT_FALSE(fit({DeviceKind::any, 0}, ledger.books()));
  ledger.describe({DeviceKind::cpu, "m", "u", 1000, 2});
  ledger.set_health("");
  EXPECT_TRUE(fit({DeviceKind::any, 0}, ledger.books()));
}

TEST(DeviceLedger, TellsOfItsTelemetryOnlyWhenThatHasChanged) {
  DeviceLedger ledger({{2}, 0}, {7});
  protocol::DeviceTelemetry told;
  told.memory_bytes_used = 5;
  ledger.set_telemetry(told);
  const auto version = ledger.books().version;
  ledger.set_telemetry(told);
  EXPECT_EQ(ledger.books().version, version);
  told.memory_bytes_used = 6;
  ledger.set_telemetry(told);
  EXPECT_GT(ledger.books().version, version);
  EXPECT_EQ(ledger.books().telemetry->memory_bytes_used, 6u);
}

TEST(DeviceLedger, GivesBackExactlyWhatWasTakenAndTellsEachChange) {
  DeviceLedger ledger({{2}, 0}, {7});
  ledger.describe({DeviceKind::cpu, "m", "u", 1000, 4});
  ledger.set_health("");
  const DeviceBooks before = ledger.books();
  base::Random random(3);
  const protocol::ResourceRequest request{DeviceKind::any, 300};
  std::uint32_t queued = 0;
  std::uint32_t running = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto version = ledger.books().version;
    switch (random.below(5)) {
      case 0:
        if (!fit(request, ledger.books()))
          continue;
        ledger.grant(request, 1);
        ++queued;
        break;
      case 1:
        if (queued == 0 || !launch_fit(request, ledger.books()))
          continue;
        ledger.launch(request);
        --queued;
        ++running;
        break;
      case 2:
        if (queued == 0)
          continue;
        ledger.release_queued(1);
        --queued;
        break;
      case 3:
        if (running == 0)
          continue;
        ledger.release_running(request);
        --running;
        break;
      default:
        if (running == 0)
          continue;
        ledger.requeue(request);
        --running;
        ++queued;
    }
    EXPECT_GT(ledger.books().version, version);
    EXPECT_EQ(ledger.books().queued_tasks, queued);
    EXPECT_EQ(ledger.running(), running);
    EXPECT_LE(running, 3u) << "three times 300 bytes fit 1000, a fourth does not";
    EXPECT_EQ(ledger.books().memory_bytes_free, 1000 - 300 * running);
    EXPECT_EQ(ledger.books().queue_room, base::limits::device_queue_tasks_max - queued - running);
  }
  ledger.release_queued(queued);
  for (; running > 0; --running)
    ledger.release_running(request);
  DeviceBooks after = ledger.books();
  after.version = before.version;
  EXPECT_EQ(after, before);
}

TEST(DeviceLedgerDeathTest, OverBookingIsOurOwnBugAndAborts) {
  DeviceLedger ledger({{2}, 0}, {7});
  ledger.describe({DeviceKind::cpu, "m", "u", 1000, 1});
  ledger.set_health("");
  EXPECT_DEATH(ledger.launch({}), "granted");
  EXPECT_DEATH(ledger.grant({}, base::limits::device_queue_tasks_max + 1), "fits the books");
  EXPECT_DEATH(ledger.release_running({}), "running");
}

TEST(Funnel, SaysHowManyDevicesDroppedOutAndWhy) {
  Funnel funnel({DeviceKind::gpu, 2000});
  funnel.add(books_of(DeviceKind::cpu, 4000), true);
  funnel.add(books_of(DeviceKind::gpu, 1000), true);
  EXPECT_TRUE(funnel.infeasible());
  EXPECT_EQ(funnel.waiting().code, WaitingCode::infeasible);
  funnel.add(books_of(DeviceKind::gpu, 2000, 0), true);
  funnel.add(books_of(DeviceKind::gpu, 2000), false);
  EXPECT_FALSE(funnel.infeasible());
  EXPECT_FALSE(funnel.fits());
  EXPECT_EQ(funnel.waiting().code, WaitingCode::capacity);
  EXPECT_EQ(funnel.waiting().sentence,
            "it needs a gpu device with 2.0 KiB of memory; 4 looked at, 1 of the wrong kind, "
            "1 too small, 1 not reachable or not healthy, 1 full");
}

TEST(Funnel, SaysWhyADeviceTakesNoCommands) {
  auto books = books_of(DeviceKind::cpu, 4000);
  books.no_commands_why = "its warden cannot start";
  Funnel commands({DeviceKind::any, 0}, Work::command);
  commands.add(books, true);
  EXPECT_FALSE(commands.fits());
  EXPECT_FALSE(commands.infeasible());
  EXPECT_EQ(commands.waiting().sentence,
            "it needs a gpu or cpu device with 0 B of memory; 1 looked at, "
            "1 without commands now (its warden cannot start)");
  Funnel kernels({DeviceKind::any, 0});
  kernels.add(books, true);
  EXPECT_TRUE(kernels.fits());
}

TEST(Funnel, AHopelessJobIsToldTheNearestDevice) {
  Funnel funnel({DeviceKind::any, 5000});
  funnel.add(books_of(DeviceKind::cpu, 1000), true);
  funnel.add(books_of(DeviceKind::cpu, 4096), true);
  const auto error = funnel.error();
  EXPECT_EQ(error.kind, base::ErrorKind::rejected);
  EXPECT_EQ(error.code, base::ErrorCode::infeasible);
  EXPECT_NE(error.message.find("2 looked at, 2 too small"), std::string::npos);
  EXPECT_NE(error.hint.find("4.0 KiB"), std::string::npos);
}

TEST(Funnel, WithoutDevicesNothingIsSaidToBeImpossible) {
  EXPECT_EQ(Funnel({}).waiting().code, WaitingCode::not_yet_considered);
  EXPECT_FALSE(Funnel({}).infeasible());
}

TEST(Funnel, LooksAtAllDevicesOfTheView) {
  protocol::NodeView up;
  up.devices = {books_of(DeviceKind::cpu, 10), books_of(DeviceKind::null, 10)};
  protocol::NodeView down = up;
  down.state = protocol::NodeState::down;
  EXPECT_TRUE(look_at({DeviceKind::any, 5}, {up, down}).fits());
  EXPECT_FALSE(look_at({DeviceKind::any, 5}, {down}).fits());
  EXPECT_FALSE(look_at({DeviceKind::any, 5}, {down}).infeasible());
  EXPECT_EQ(look_at({DeviceKind::any, 5}, {up, down}).looked_at(), 4u);
}

}  // namespace
}  // namespace fastgpu::books
