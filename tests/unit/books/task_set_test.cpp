#include "runtime/books/task_set.hpp"

#include <gtest/gtest.h>

#include <set>

#include "runtime/base/random.hpp"

namespace fastgpu::books {
namespace {

using Ranges = std::vector<base::TaskRange>;

TEST(TaskSet, JoinsWhatTouchesOrOverlaps) {
  TaskSet set;
  set.add({0, 5});
  set.add({10, 5});
  set.add({5, 5});
  EXPECT_EQ(set.ranges(), (Ranges{{0, 15}}));
  set.add({3, 4});
  EXPECT_EQ(set.size(), 15u);
  set.add({0, 0});
  EXPECT_EQ(set.ranges(), (Ranges{{0, 15}}));
}

TEST(TaskSet, TakesTheLowestTasksFirst) {
  TaskSet set(Ranges{{0, 3}, {10, 5}});
  EXPECT_EQ(set.take(5), (Ranges{{0, 3}, {10, 2}}));
  EXPECT_EQ(set.ranges(), (Ranges{{12, 3}}));
  EXPECT_EQ(set.take(100), (Ranges{{12, 3}}));
  EXPECT_TRUE(set.empty());
}

TEST(TaskSet, AMillionTasksAreOneRange) {
  TaskSet set(Ranges{{0, 10'000'000}});
  set.remove({5'000'000, 1});
  EXPECT_EQ(set.size(), 9'999'999u);
  EXPECT_EQ(set.ranges().size(), 2u);
}

TEST(TaskSet, DoesWhatASetOfNumbersDoes) {
  base::Random random(1);
  for (int round = 0; round < 50; ++round) {
    TaskSet set;
    std::set<std::uint32_t> numbers;
    for (int i = 0; i < 60; ++i) {
      const base::TaskRange range{static_cast<std::uint32_t>(random.below(80)),
                                  static_cast<std::uint32_t>(random.below(12))};
      if (random.chance(550'000)) {
        set.add(range);
        for (std::uint32_t task = range.first; task < range.end(); ++task)
          numbers.insert(task);
      } else {
        set.remove(range);
        for (std::uint32_t task = range.first; task < range.end(); ++task)
          numbers.erase(task);
      }
      ASSERT_EQ(set.size(), numbers.size());
      for (std::uint32_t task = 0; task < 95; ++task)
        ASSERT_EQ(set.contains(task), numbers.contains(task));
      std::uint64_t end = 0;
      for (const auto& each : set.ranges()) {
        ASSERT_TRUE(each.first > end || end == 0) << "ranges neither touch nor overlap";
        end = each.end();
      }
    }
  }
}

}  // namespace
}  // namespace fastgpu::books
