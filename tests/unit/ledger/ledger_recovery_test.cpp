#include "runtime/ledger/ledger_recovery.hpp"

#include <gtest/gtest.h>

#include "runtime/ledger/ledger_state.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;

TEST(LedgerRecovery, KeepsTheJobsAndGivesNoLostNumberAgain) {
  LedgerState before(shard, layout);
  before.apply({1}, {{submitted(1, spec(3))}});
  LedgerState after(shard, layout);
  after.restore(refounded(before.image(), {5000}));
  EXPECT_EQ(after.applied(), base::LogIndex{5000});
  ASSERT_NE(after.find(job_id(1)), nullptr);
  after.apply({5001}, {{submitted(1, spec(3)), submitted(2, spec(3))}});
  EXPECT_EQ(after.find(request(1))->id, job_id(1)) << "a repeated request is one still";
  EXPECT_EQ(after.find(request(2))->id, job_id(2 + job_numbers_skipped));
}

TEST(LedgerRecovery, MakesTheRootsWordOnMembersNewerThanAnyBefore) {
  protocol::LedgerImage image;
  image.members_version = 17;
  EXPECT_EQ(refounded(image, {5000}).members_version, 5000u);
  EXPECT_EQ(refounded({}, {5000}).members_version, 0u) << "of other shards there is none";
}

}  // namespace
}  // namespace fastgpu::ledger
