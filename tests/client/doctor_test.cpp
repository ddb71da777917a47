#include "node/cli/text/doctor.hpp"

#include <gtest/gtest.h>

#include "tests/client/render_samples.hpp"

namespace fastgpu::cli::test {
namespace {

using node::CheckState;

NodeAnswer answered() {
  NodeAnswer answer{"127.0.0.1:7601", cluster(), 0, noon.now_ms, noon.now_ms + 20};
  answer.status.value().wall_time_ms = noon.now_ms + 10;
  return answer;
}

TEST(Doctor, SaysHowANodeAnswers) {
  const auto checks = checks_of(answered());
  ASSERT_EQ(checks.size(), 4u);
  EXPECT_EQ(checks[0].sentence, "node n1 answers in 20.0 ms, protocol 1");
  EXPECT_EQ(checks[1].state, CheckState::ok);
  EXPECT_EQ(checks[2].sentence, "of 2 nodes not all are up: n2 down");
  EXPECT_EQ(checks[3].state, CheckState::ok);
  NodeAnswer fast = answered();
  fast.answered_ms = fast.asked_ms;
  EXPECT_EQ(checks_of(fast)[0].sentence, "node n1 answers in less than 1 ms, protocol 1");
}

TEST(Doctor, TellsOfAClockOnlyWhatIsCertain) {
  NodeAnswer answer = answered();
  answer.status.value().wall_time_ms = noon.now_ms + 5000;
  EXPECT_EQ(checks_of(answer)[1].sentence, "its clock is 5.0 s ahead of this one");
  answer.status.value().wall_time_ms = noon.now_ms - 5000;
  EXPECT_EQ(checks_of(answer)[1].sentence, "its clock is 5.0 s behind this one");
  answer.answered_ms = noon.now_ms + 60'000;  // a slow answer says nothing of the clock
  answer.status.value().wall_time_ms = noon.now_ms + 30'000;
  EXPECT_EQ(checks_of(answer)[1].state, CheckState::ok);
}

TEST(Doctor, FailsAnUnledPartOfTheLedger) {
  NodeAnswer answer = answered();
  answer.shards_unanswered = 2;
  EXPECT_EQ(checks_of(answer)[3].state, CheckState::failed);
  EXPECT_FALSE(checks_of(answer)[3].remedy.empty());
}

TEST(Doctor, FailsASilentNodeOnlyWhereItWasNamed) {
  NodeAnswer answer{"127.0.0.1:7601",
                    base::Error{base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
                                "nobody answers", "start one"}};
  EXPECT_EQ(checks_of(answer)[0].state, CheckState::failed);
  answer.listed = false;
  EXPECT_EQ(checks_of(answer)[0].state, CheckState::warning);
}

TEST(Doctor, ExitsWithSixForNodesAndFourForTheRest) {
  const Finding good{"this host", {"compiler", CheckState::ok, "", ""}};
  const Finding warned{"this host", {"sandbox", CheckState::warning, "", ""}};
  const Finding broken{"this host", {"compiler", CheckState::failed, "", ""}};
  const Finding away{"node a", {"reach", CheckState::failed, "", ""}};
  EXPECT_EQ(exit_code_of({good, warned}), 0);
  EXPECT_EQ(exit_code_of({good, broken}), 4);
  EXPECT_EQ(exit_code_of({away, broken}), 6);
  EXPECT_EQ(exit_code_of({broken, away}), 6);
}

TEST(Doctor, PrintsOneLineForEachCheckAndTheRemedyBelow) {
  EXPECT_EQ(table_findings({{"this host", {"compiler", CheckState::ok, "g++ is there", ""}},
                            {"this host", {"disk", CheckState::warning, "1 GiB free", "free some"}},
                            {"node a", {"reach", CheckState::failed, "silent", "start it"}}}),
            "this host\n"
            "  ok       compiler: g++ is there\n"
            "  warning  disk: 1 GiB free\n"
            "           what to do: free some\n"
            "node a\n"
            "  failed   reach: silent\n"
            "           what to do: start it\n");
}

TEST(Doctor, JudgesADiskByWhatIsFree) {
  constexpr std::uint64_t gib = 1ull << 30;
  EXPECT_EQ(node::disk_check(100 * gib, 200 * gib, "/d").state, CheckState::ok);
  EXPECT_EQ(node::disk_check(5 * gib, 200 * gib, "/d").state, CheckState::warning);
  EXPECT_EQ(node::disk_check(gib / 4, 200 * gib, "/d").state, CheckState::failed);
  EXPECT_EQ(node::disk_check(gib / 4, gib / 2, "/d").state, CheckState::ok) << "of a small disk";
}

TEST(Doctor, JudgesOpenFilesByTheSoftLimit) {
  EXPECT_EQ(node::open_files_check(65536, 65536).state, CheckState::ok);
  EXPECT_EQ(node::open_files_check(1024, 65536).state, CheckState::warning);
  EXPECT_NE(node::open_files_check(1024, 65536).remedy, node::open_files_check(1024, 1024).remedy);
}

}  // namespace
}  // namespace fastgpu::cli::test
