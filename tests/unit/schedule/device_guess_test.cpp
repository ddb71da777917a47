#include "runtime/schedule/device_guess.hpp"

#include <gtest/gtest.h>

namespace fastgpu::schedule {
namespace {

using namespace std::chrono_literals;
using protocol::DeviceBooks;

DeviceBooks idle_books() {
  DeviceBooks books;
  books.version = 1;
  books.queue_room = 100;
  return books;
}

TEST(DeviceGuess, CorrectsItselfByTheBooks) {
  DeviceGuess guess;
  DeviceBooks books = idle_books();
  guess.see(books, base::Time{1s});
  guess.sent(10, 1000);
  EXPECT_EQ(guess.room(), 90u);
  books.version = 2;  // granted, and five of somebody else
  books.queued_tasks = 15;
  books.queue_room = 85;
  guess.answered(10, true);
  guess.see(books, base::Time{1s});
  EXPECT_EQ(guess.held(), 15u);
  guess.ended(4);
  EXPECT_EQ(guess.room(), 89u);
  books.version = 3;  // all ours have ended, though we have not heard of it
  books.queued_tasks = 2;
  books.queue_room = 98;
  guess.see(books, base::Time{1s});
  EXPECT_EQ(guess.held(), 2u);
  books.version = 2;
  books.queued_tasks = 50;
  guess.see(books, base::Time{1s});
  EXPECT_EQ(guess.held(), 2u) << "older books change nothing";
}

TEST(DeviceGuess, BelievesADeviceThatItIsHeldUpForLong) {
  DeviceGuess guess;
  DeviceBooks books = idle_books();
  guess.see(books, base::Time{1s});
  guess.sent(1, 1000);
  guess.answered(1, true);
  books.version = 2;
  books.queued_tasks = 1;
  books.backlog_ns = DeviceGuess::long_backlog_ns;
  guess.see(books, base::Time{2s});
  EXPECT_EQ(guess.backlog_ns(base::Time{2s}), DeviceGuess::long_backlog_ns);
  EXPECT_EQ(guess.backlog_ns(base::Time{3s}), DeviceGuess::long_backlog_ns - 1'000'000'000);
  EXPECT_EQ(guess.backlog_ns(base::Time{100s}), 1000);
}

TEST(DeviceGuess, WhatWasRefusedIsNotThere) {
  DeviceGuess guess;
  guess.see(idle_books(), base::Time{1s});
  guess.sent(10, 1000);
  for (int twice = 0; twice < 2; ++twice)
    guess.answered(10, false);
  EXPECT_EQ(guess.room(), 100u);
  EXPECT_EQ(guess.backlog_ns(base::Time{1s}), 0);
}

}  // namespace
}  // namespace fastgpu::schedule
