#include "actors/logs_actor.hpp"

#include <gtest/gtest.h>

#include "runtime/logs/memory_logs.hpp"
#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

using namespace std::chrono_literals;

class LogsActorTest : public ::testing::Test {
 protected:
  LogsActorTest() {
    bench_.spawn<LogsActor>(
        std::move(logs::LogStore::open(std::make_shared<logs::MemoryLogs>())).value());
  }
  void say(std::uint64_t job, std::uint32_t task, std::string_view text) {
    bench_.send(protocol::LogAppend{{{{job},
                                      task,
                                      {{0}, {1}, {1}, 1},
                                      base::LogStream::output,
                                      17,
                                      base::Bytes::copy_of(text)}}});
  }
  void ask(std::uint64_t call, std::uint64_t job, std::uint64_t cursor = 0,
           base::Duration wait = 1s) {
    bench_.send(protocol::LogRead{{call}, {{1}, {job}, 0, true, cursor, wait.count(), 1u << 20}});
  }
  std::optional<std::pair<base::CallId, protocol::LogPart>> answer() {
    const auto said = bench_.gateway.take<protocol::LogAnswer>();
    return said ? std::optional(std::pair(said->call, std::get<protocol::LogPart>(said->reply)))
                : std::nullopt;
  }

  testing::ActorBench bench_;
};

TEST_F(LogsActorTest, ShowsWhatTasksPrinted) {
  say(8, 3, "hello");
  ask(1, 8);
  const auto part = answer();
  ASSERT_TRUE(part);
  EXPECT_EQ(part->first, base::CallId{1});
  EXPECT_EQ(part->second.node, base::NodeId{1});
  ASSERT_EQ(part->second.records.size(), 1u);
  EXPECT_EQ(part->second.records[0].task, 3u);
  EXPECT_EQ(part->second.records[0].bytes.text(), "hello");
  EXPECT_TRUE(part->second.at_end);
}

TEST_F(LogsActorTest, AnswersAReaderThatWaitsWhenSomethingIsPrinted) {
  ask(1, 8);
  EXPECT_FALSE(answer());
  say(9, 0, "another job");
  EXPECT_FALSE(answer());
  say(8, 0, "first");
  const auto part = answer();
  ASSERT_TRUE(part);
  ask(2, 8, part->second.next_cursor);
  say(8, 0, "second");
  EXPECT_EQ(answer().value().second.records.at(0).bytes.text(), "second");
}

TEST_F(LogsActorTest, AnswersNothingWhenTheWaitIsOver) {
  ask(1, 8, 0, 300ms);
  bench_.pass(299ms);
  EXPECT_FALSE(answer());
  bench_.pass(1ms);
  const auto part = answer();
  ASSERT_TRUE(part);
  EXPECT_TRUE(part->second.records.empty());
  EXPECT_TRUE(part->second.at_end);
}

TEST_F(LogsActorTest, ReadsOneTaskWhereOneIsWanted) {
  say(8, 0, "a");
  say(8, 1, "b");
  bench_.send(protocol::LogRead{{1}, {{1}, {8}, 1, false, 0, 0, 1u << 20}});
  const auto part = answer();
  ASSERT_TRUE(part);
  ASSERT_EQ(part->second.records.size(), 1u);
  EXPECT_EQ(part->second.records[0].bytes.text(), "b");
}

}  // namespace
}  // namespace fastgpu::actors
