// The parts of the channel between node and executor, without processes.

#include <sys/eventfd.h>

#include <memory>
#include <thread>

#include "runtime/exec/channel/arena.hpp"
#include "runtime/exec/channel/doorbell.hpp"
#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/channel/task_slot.hpp"
#include "runtime/exec/channel/wire.hpp"
#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using SmallRing = RingStorage<std::uint64_t, 8>;

TEST(Ring, IsFullAfterItsCountAndEmptyAgain) {
  auto storage = std::make_unique<SmallRing>();
  RingWriter<std::uint64_t, 8> writer(storage.get());
  RingReader<std::uint64_t, 8> reader(storage.get());
  std::uint64_t value = 0;
  EXPECT_FALSE(reader.pop(value));
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 8; ++i)
      ASSERT_TRUE(writer.push(i));
    EXPECT_FALSE(writer.push(9));
    for (std::uint64_t i = 0; i < 8; ++i) {
      ASSERT_TRUE(reader.pop(value));
      EXPECT_EQ(value, i);
    }
    EXPECT_TRUE(reader.empty());
  }
}

TEST(Ring, CallsAnImpossiblePositionBroken) {
  auto storage = std::make_unique<SmallRing>();
  RingReader<std::uint64_t, 8> reader(storage.get());
  storage->written = 9;
  std::uint64_t value = 0;
  EXPECT_FALSE(reader.pop(value));
  EXPECT_TRUE(reader.broken());
}

TEST(Ring, CarriesAllInOrderBetweenThreadsThatSleep) {
  struct Shared {
    SmallRing ring{};
    SleepWord reader{}, writer{};
  };
  constexpr std::uint64_t count = 20'000;
  auto shared = std::make_unique<Shared>();
  const FileDescriptor reader_bell(eventfd(0, EFD_NONBLOCK)), writer_bell(eventfd(0, EFD_NONBLOCK));
  std::thread producer([&] {
    RingWriter<std::uint64_t, 8> writer(&shared->ring);
    Doorbell theirs(&shared->reader.asleep, reader_bell.get());
    Doorbell own(&shared->writer.asleep, writer_bell.get());
    for (std::uint64_t i = 1; i <= count; ++i) {
      bool pushed = writer.push(i);
      while (!pushed)
        own.wait([&] { return pushed = pushed || writer.push(i); }, {});
      theirs.ring();
    }
  });
  RingReader<std::uint64_t, 8> reader(&shared->ring);
  Doorbell own(&shared->reader.asleep, reader_bell.get());
  Doorbell theirs(&shared->writer.asleep, writer_bell.get());
  std::uint64_t expected = 1;
  while (expected <= count) {
    own.wait([&] { return !reader.empty(); }, {});
    for (std::uint64_t value = 0; reader.pop(value); ++expected)
      ASSERT_EQ(value, expected);
    theirs.ring();
  }
  producer.join();
}

TEST(Arena, GivesTheLowestPlaceAndJoinsNeighbours) {
  Arena arena(10 * Arena::unit_bytes);
  const auto a = arena.take(1), b = arena.take(2 * Arena::unit_bytes), c = arena.take(1);
  EXPECT_EQ(a, 0u);
  EXPECT_EQ(b, 1 * Arena::unit_bytes);
  EXPECT_EQ(c, 3 * Arena::unit_bytes);
  arena.give_back(*b, 2 * Arena::unit_bytes);
  EXPECT_EQ(arena.take(Arena::unit_bytes), 1 * Arena::unit_bytes);
  arena.give_back(1 * Arena::unit_bytes, Arena::unit_bytes);
  arena.give_back(*c, 1);
  arena.give_back(*a, 1);
  EXPECT_EQ(arena.free_bytes(), arena.size());
  EXPECT_EQ(arena.take(arena.size()), 0u);
}

TEST(Arena, SaysNoWhenNoPartIsLargeEnough) {
  Arena arena(4 * Arena::unit_bytes);
  EXPECT_FALSE(arena.take(5 * Arena::unit_bytes));
  EXPECT_FALSE(arena.take(0));
  arena.take(Arena::unit_bytes);
  const auto middle = arena.take(Arena::unit_bytes);
  arena.take(Arena::unit_bytes);
  arena.give_back(*middle, Arena::unit_bytes);
  EXPECT_EQ(arena.free_bytes(), 2 * Arena::unit_bytes);
  EXPECT_FALSE(arena.take(2 * Arena::unit_bytes));
}

ExecutorTask full_task() {
  ExecutorTask task;
  task.token = {7};
  task.source = base::Bytes::copy_of("source");
  task.kernel = "k<int>";
  task.defines = {"A", "B=2", ""};
  task.standard = Standard::cpp20;
  task.grid = {1, 2, 3};
  task.block = {4, 5, 6};
  task.shared_bytes = 99;
  task.precise = true;
  task.arguments = {ExecutorArgument::f64(2.5), ExecutorArgument::in(base::Bytes::copy_of("abc")),
                    ExecutorArgument::out(1000), ExecutorArgument::inout(base::Bytes{}),
                    ExecutorArgument::scratch(1ull << 40)};
  return task;
}

TEST(TaskSlot, GivesBackWhatWasWritten) {
  const ExecutorTask task = full_task();
  const auto plan = plan_slot(task);
  ASSERT_TRUE(plan.has_value());
  std::vector<char> slot(plan->bytes);
  write_slot(task, *plan, slot.data());
  const auto view = view_slot(task.token, slot.data(), slot.size());
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->source, "source");
  EXPECT_EQ(view->kernel, "k<int>");
  EXPECT_EQ(view->defines, (std::vector<std::string_view>{"A", "B=2", ""}));
  EXPECT_EQ(view->standard, Standard::cpp20);
  EXPECT_EQ(view->grid, task.grid);
  EXPECT_EQ(view->block, task.block);
  EXPECT_EQ(view->shared_bytes, 99u);
  EXPECT_TRUE(view->precise);
  ASSERT_EQ(view->arguments.size(), 5u);
  EXPECT_EQ(view->arguments[0].scalar_value, task.arguments[0].scalar_value);
  EXPECT_EQ(std::string(view->arguments[1].data, 3), "abc");
  EXPECT_EQ(view->arguments[2].data - slot.data(),
            static_cast<std::ptrdiff_t>(plan->buffers[2].offset));
  EXPECT_EQ(view->arguments[4].data, nullptr);
  EXPECT_EQ(view->arguments[4].bytes, 1ull << 40);
  EXPECT_EQ(view->message.size(), message_bytes_max);
  EXPECT_EQ(view->printed.size(), printed_bytes_max);
}

TEST(TaskSlot, RefusesSlotsThatEndTooSoon) {
  const ExecutorTask task = full_task();
  const auto plan = plan_slot(task);
  ASSERT_TRUE(plan.has_value());
  std::vector<char> slot(plan->bytes);
  write_slot(task, *plan, slot.data());
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, slot.size() / 2})
    EXPECT_FALSE(view_slot(task.token, slot.data(), bytes).has_value()) << bytes;
}

TEST(TaskSlot, RefusesSizesBeyondAllObjects) {
  ExecutorTask task;
  task.arguments = {ExecutorArgument::out(~0ull)};
  EXPECT_FALSE(plan_slot(task).has_value());
}

}  // namespace
}  // namespace fastgpu::exec::test
