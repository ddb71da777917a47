#include "node/daemon/recover_text.hpp"

#include <gtest/gtest.h>

namespace fastgpu::node {
namespace {

class RecoverText : public ::testing::Test {
 protected:
  static actors::ReplicaFound replica(std::uint32_t shard, bool votes) {
    actors::ReplicaFound found;
    found.shard = {shard};
    found.epoch = {1};
    found.term = {6};
    found.last = {{1200}, {5}};
    found.surely_settled = {1000};
    found.members.members = {{{1}, {11}, votes}, {{2}, {12}, true}, {{9}, {19}, false}};
    found.votes = votes;
    found.jobs = 40;
    found.jobs_live = 3;
    found.newest_job_at_ms = 1'700'000'000'000;
    return found;
  }
  const RecoverView view{"/data", {1}, {{{1}, "n1"}, {{2}, "n2"}}};
};

TEST_F(RecoverText, ShowsOneLineForEachShardWithNamesOfNodes) {
  EXPECT_EQ(
      table_of({replica(0, true), replica(3, false)}, view),
      "SHARD  EPOCH  LAST TERM  LAST ENTRY  SETTLED  JOBS  LIVE  NEWEST JOB            HERE    "
      "VOTERS  LEARNERS\n"
      "0      1      5          1200        1000     40    3     2023-11-14T22:13:20Z  votes   "
      "n1,n2   n9\n"
      "3      1      5          1200        1000     40    3     2023-11-14T22:13:20Z  learns  "
      "n2      n1,n9\n");
}

TEST_F(RecoverText, NamesTheCommandThatGoesOn) {
  const std::string text = advice({replica(0, true), replica(3, true)}, {{0}, {3}}, view);
  EXPECT_NE(text.find("fastgpu-node recover --dir /data --shards 0,3 --force"), std::string::npos)
      << text;
}

TEST_F(RecoverText, SaysWhyThereIsNothingToDo) {
  actors::ReplicaFound alone = replica(0, true);
  alone.votes_alone = true;
  EXPECT_NE(advice({alone}, {}, view).find("a majority by itself"), std::string::npos);
  EXPECT_NE(advice({alone, replica(3, false)}, {}, view).find("--shards"), std::string::npos);
}

TEST_F(RecoverText, NamesTheMembersThatAreToBeRemoved) {
  const std::string text = aftermath({replica(0, true), replica(3, true)}, view);
  EXPECT_NE(text.find("fastgpu node remove n2 "), std::string::npos) << text;
  EXPECT_NE(text.find("fastgpu node remove n9 "), std::string::npos) << text;
  EXPECT_EQ(text.find("fastgpu node remove n1 "), std::string::npos) << text;
}

}  // namespace
}  // namespace fastgpu::node
