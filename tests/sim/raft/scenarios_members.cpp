#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

std::size_t members(Group& group, std::uint32_t id) {
  return group.machine(id).log().active().members.size();
}

bool done(Group& group, base::LogToken token, base::Duration at_most = 2s) {
  return group.run_until([&] { return group.outcome(token) == Group::Outcome::done; }, at_most);
}

}  // namespace

// 1 adds a learner on its own disk only and dies; under the next leader the change is cut.
Violations a_cut_brings_back_the_members_before(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.add(4);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.isolate(1);
  group.change(1, MemberChange::add_learner, 4);
  group.run_for(10ms);
  group.expect(members(group, 1) == 4, "a change is in force once it is appended");
  group.crash(1, 9);
  group.expect(group.elect(2), "2 leads");
  group.join_all();
  group.start(1);
  group.expect(members(group, 1) == 4, "it is there after the restart");
  group.expect(
      group.run_until([&] { return group.machine(1).given_out() == group.machine(2).given_out(); },
                      2s),
      "1 follows");
  group.expect(members(group, 1) == 3, "the change was cut, and with it its members");
  group.crash(2, 9);
  group.expect(group.elect(1), "1 leads three members again");
  group.expect(members(group, 1) == 3, "and asks no phantom");
  return group.checker().violations();
}

Violations a_snapshot_holds_the_members_of_its_index(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.add(4);
  group.expect(group.elect(1), "1 leads");
  for (int i = 0; i < 10; ++i) {
    group.propose(1);
  }
  group.run_for(50ms);
  group.isolate(1);
  group.change(1, MemberChange::add_learner, 4);
  const base::LogIndex index = group.machine(1).given_out();
  const base::Bytes data = base::Bytes::copy_of("12345678");
  group.step({1}, Compact{index, data});
  group.expect(group.machine(1).snapshot().last.index == index &&
                   group.machine(1).snapshot().configuration.members.size() == 3,
               "a change that comes after the snapshot is not in it");
  group.expect(members(group, 1) == 4, "it is in force all the same");
  return group.checker().violations();
}

// Members 1 to 4, learner 5. 1 promotes 5 and reaches 5 only; 2 is elected by 3 and 4, whom its
// first entry does not reach, and removes 1; 1 is elected by 4 and 5: two majorities that do not
// meet.
Violations members_change_only_after_an_entry_of_the_term(Fault fault) {
  Group group(script(fault));
  group.found(4);
  group.add(5);
  group.start(5);
  group.expect(group.elect(1), "1 leads");
  group.expect(done(group, group.change(1, MemberChange::add_learner, 5)), "5 learns");
  group.run_for(100ms);
  for (std::uint32_t other : {2u, 3u, 4u}) {
    group.cut(1, other);
    group.cut(5, other);
  }
  group.change(1, MemberChange::promote, 5);
  group.run_for(10ms);
  group.fate = [](Message& message) {
    return is_between(message, 2, 4) && std::holds_alternative<Append>(message.body)
               ? Group::Fate::drop
               : Group::Fate::pass;
  };
  group.expect(group.lead(2), "2 leads with the votes of 3 and 4");
  const base::LogToken removal = group.change(2, MemberChange::remove, 1);
  group.expect(group.outcome(removal) == Group::Outcome::refused,
               "no change before an entry of the term is committed");
  group.run_for(30ms);
  group.isolate(2);
  group.isolate(3);
  for (std::uint32_t a : {1u, 4u, 5u}) {
    for (std::uint32_t b : {1u, 4u, 5u}) {
      group.join(a, b);
    }
  }
  group.lead(1, 2s);
  group.run_for(50ms);
  group.fate = nullptr;
  group.join_all();
  group.expect(group.run_until([&] { return group.leader().has_value(); }, 3s), "somebody leads");
  return group.checker().violations();
}

Violations members_change_one_at_a_time(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.add(4);
  group.add(5);
  group.expect(group.elect(1), "1 leads");
  group.isolate(1);
  group.change(1, MemberChange::add_learner, 4);
  const base::LogToken second = group.change(1, MemberChange::add_learner, 5);
  group.expect(group.refusal(second) == Refusal::change_pending, "a second change waits");
  return group.checker().violations();
}

// 1 removes itself on its own disk only, and all start again: 2 knows nothing of it, needs the vote
// of 1 and does not get it, for its log is shorter.
Violations a_leaving_voter_campaigns_until_that_is_committed(Fault fault) {
  Group group(script(fault));
  group.found(2);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.isolate(1);
  group.change(1, MemberChange::remove, 1);
  group.run_for(10ms);
  group.crash(1, 9);
  group.crash(2, 9);
  group.join_all();
  group.start(1);
  group.start(2);
  group.expect(group.run_until([&] { return group.leader() == 2u; }, 3s),
               "1 leads once more to commit it, then 2 leads alone");
  group.expect(members(group, 2) == 1, "1 has left");
  return group.checker().violations();
}

Violations a_learner_votes_only_once_it_has_caught_up(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.add(4);
  group.start(4);
  group.isolate(4);
  group.expect(group.elect(1), "1 leads");
  group.expect(done(group, group.change(1, MemberChange::add_learner, 4)), "4 is a learner");
  group.run_for(200ms);
  const base::LogToken early = group.change(1, MemberChange::promote, 4);
  group.expect(group.refusal(early) == Refusal::not_caught_up, "a cut-off learner is no voter");
  group.join_all();
  group.run_for(200ms);
  group.expect(done(group, group.change(1, MemberChange::promote, 4)), "one that follows is");
  return group.checker().violations();
}

// Every kind of change, on a group that goes on working; the leader leaves last.
Violations members_come_and_go(Fault fault) {
  GroupOptions options = script(fault);
  options.compact_after = 10;
  Group group(options);
  group.found(3);
  group.add(4);
  group.start(4);
  group.expect(group.elect(1), "1 leads");
  for (int i = 0; i < 40; ++i) {
    group.propose(1);
    group.run_for(2ms);
  }
  group.expect(done(group, group.change(1, MemberChange::add_learner, 4)), "4 comes");
  group.run_for(300ms);
  group.expect(group.at(4).applied == group.at(1).applied, "4 is fed from a snapshot");
  group.expect(done(group, group.change(1, MemberChange::promote, 4)), "4 votes");
  group.expect(done(group, group.change(1, MemberChange::demote, 2)), "2 votes no more");
  group.expect(done(group, group.change(1, MemberChange::remove, 2)), "2 leaves");
  group.expect(done(group, group.change(1, MemberChange::remove, 1)), "the leader leaves");
  group.expect(group.machine(1).role() == RoleKind::follower, "and leads no longer");
  group.expect(group.run_until(
                   [&] {
                     const auto leader = group.leader();
                     return leader == 3u || leader == 4u;
                   },
                   3s),
               "one of those that stay leads");
  group.expect(done(group, group.propose(group.leader().value_or(3))), "and commits");
  return group.checker().violations();
}

Violations leadership_is_handed_over(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.transfer(1, 3);
  const base::LogToken token = group.propose(1);
  group.expect(group.refusal(token) == Refusal::full, "nothing new is taken meanwhile");
  group.expect(group.run_until([&] { return group.leader() == 3u; }, 100ms),
               "the successor leads without an election timeout");
  group.cut(3, 2);
  group.transfer(3, 2);
  group.run_for(250ms);
  group.expect(group.leader() == 3u, "one that fails leaves the leader");
  group.expect(done(group, group.propose(3)), "who goes on");
  return group.checker().violations();
}

}  // namespace fastgpu::raft::testing
