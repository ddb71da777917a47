#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

bool done(Group& group, base::LogToken token, base::Duration at_most = 2s) {
  return group.run_until([&] { return group.outcome(token) == Group::Outcome::done; }, at_most);
}

Message message(Group& group, std::uint32_t from, std::uint32_t to, base::Term term, Body body) {
  const StoreId store = from <= group.nodes().size() ? group.at(from).store : StoreId{77};
  return {{from}, store, {to}, group.at(to).store, {1}, term, std::move(body)};
}

/// `to` raises an alarm and is as it was.
void expect_dropped(Group& group, const Message& bad, const std::string& what) {
  const std::uint32_t to = bad.to.value;
  const std::size_t alarms = group.at(to).alarms;
  const base::Term term = group.machine(to).term();
  const RoleKind role = group.machine(to).role();
  const LogPosition last = group.machine(to).log().last();
  group.step(bad.to, Received{bad});
  group.expect(group.at(to).alarms == alarms + 1, what + " raises an alarm");
  group.expect(group.machine(to).term() == term && group.machine(to).role() == role &&
                   group.machine(to).log().last() == last,
               what + " changes nothing");
}

void flip(SimDisk& disk, std::uint64_t index) {
  for (Entry& entry : disk.durable().entries) {
    if (entry.index.value == index) {
      std::vector<std::uint8_t> data(entry.data.span().begin(), entry.data.span().end());
      data.at(3) ^= 1;
      entry.data = base::Bytes(std::move(data));
    }
  }
}

}  // namespace

Violations messages_out_of_the_protocol_are_dropped(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  const base::Term term = group.machine(1).term();
  const LogPosition last = group.machine(1).log().last();
  expect_dropped(group, message(group, 2, 1, term, Append{last, {}, {}, {1}}),
                 "an append to the leader of its term");
  expect_dropped(group, message(group, 3, 2, term, Append{last, {}, {}, {1}}),
                 "an append of another than the leader");
  expect_dropped(group, message(group, 3, 2, term, TimeoutNow{}),
                 "an order of another than the leader");
  expect_dropped(group, message(group, 9, 1, term, AppendReply{{1}, {1}, std::nullopt, {}}),
                 "an answer of a stranger");
  expect_dropped(group,
                 message(group, 2, 1, term, AppendReply{{1}, {last.index.value + 5}, {}, {}}),
                 "an acknowledgement of what the leader does not have");
  expect_dropped(group, message(group, 1, 2, {term.value + 5'000'000}, Append{last, {}, {}, {1}}),
                 "a term far ahead");
  Entry hole;
  hole.index = {last.index.value + 2};
  hole.term = term;
  expect_dropped(group, message(group, 1, 2, term, Append{last, {hole}, {}, {1}}),
                 "entries with a hole");
  expect_dropped(group, message(group, 1, 2, term, Append{{{0}, term}, {}, {}, {1}}),
                 "index 0 of a term");
  Message other = message(group, 1, 2, term, Append{last, {}, {}, {1}});
  other.epoch = {0};
  expect_dropped(group, other, "another epoch");
  group.run_for(200ms);
  group.expect(group.leader() == 1u, "the leader leads on");
  return group.checker().violations();
}

// While 1 sleeps, 2 leads and commits. 1 wakes and is asked before it has read any message.
Violations a_woken_leader_serves_no_stale_read(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.pause(1);
  group.expect(group.elect(2), "2 leads");
  group.expect(done(group, group.propose(2)), "and commits");
  group.at(1).paused = false;
  const base::LogToken read = group.read(1);
  const base::LogToken proposal = group.propose(1);
  group.resume(1);
  group.run_for(300ms);
  group.expect(group.outcome(read) != Group::Outcome::done, "it cannot know");
  group.expect(group.outcome(proposal) != Group::Outcome::done, "nor commit");
  group.expect(done(group, group.read(2)), "the present leader can");
  return group.checker().violations();
}

// An entry is on 1 and 2. The disk of 2 is lost; 1 is cut off: 2 and 3 know nothing of the entry.
Violations a_lost_disk_is_refused_under_its_old_id(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.isolate(3);
  group.expect(done(group, group.propose(1)), "1 and 2 have the entry");
  group.wipe(2);
  // 1 speaks to the empty disk for a while, without giving it anything.
  group.fate = [](Message& one) {
    return is_between(one, 1, 2) && is_append_with_entries(one) ? Group::Fate::drop
                                                                : Group::Fate::pass;
  };
  group.start(2);
  group.run_for(60ms);
  group.isolate(1);
  group.join(2, 3);
  group.fate = nullptr;
  group.run_for(2s);
  const auto leads = [&](std::uint32_t id) { return group.machine(id).role() == RoleKind::leader; };
  group.expect(!leads(2) && !leads(3), "they are no majority");
  group.expect(group.at(2).alarms + group.at(3).alarms > 0, "and say why");
  group.join_all();
  group.expect(group.run_until([&] { return group.leader() == 1u; }, 3s), "1 and 3 are one");
  return group.checker().violations();
}

// 1 and 2 hold committed entries that 3 does not have; one of them is damaged on the disk of 1.
Violations damage_is_no_torn_tail(Fault fault) {
  using Damage = void (*)(SimDisk&);
  const Damage damages[] = {
      [](SimDisk& disk) { flip(disk, 6); },
      [](SimDisk& disk) { flip(disk, disk.durable().entries.back().index.value); },
      [](SimDisk& disk) {
        std::swap(disk.durable().entries[5].data, disk.durable().entries[6].data);
      },
      [](SimDisk& disk) { disk.durable().entries.erase(disk.durable().entries.begin() + 5); },
  };
  Violations all;
  for (const Damage& damage : damages) {
    Group group(script(fault));
    group.found(3);
    group.expect(group.elect(1), "1 leads");
    group.run_for(50ms);
    group.isolate(3);
    for (int i = 0; i < 8; ++i) {
      group.expect(done(group, group.propose(1)), "1 and 2 have it");
    }
    group.crash(1, 9);
    group.crash(2, 9);
    damage(group.at(1).disk);
    group.join_all();
    group.start(1);
    group.expect(group.at(1).damaged, "a damaged replica does not start");
    group.run_for(2s);
    group.start(2);
    group.expect(group.run_until([&] { return group.leader().has_value(); }), "2 and 3 go on");
    const Violations& found = group.checker().violations();
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

// 2 acknowledges and loses its disk; it is removed and comes again with an empty one. Then the old
// acknowledgement arrives.
Violations what_a_lost_disk_acknowledged_does_not_count(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  bool hold = true;
  group.fate = [&](Message& one) {
    const auto* reply = std::get_if<AppendReply>(&one.body);
    const bool from_2 = one.from.value == 2 && reply != nullptr;
    return from_2 && hold ? Group::Fate::hold : Group::Fate::pass;
  };
  group.expect(done(group, group.propose(1)), "1 and 3 have the entry");
  group.run_for(20ms);
  group.wipe(2);
  group.expect(done(group, group.change(1, MemberChange::remove, 2)), "2 is removed");
  group.fate = [](Message& one) {
    return one.to.value == 2 ? Group::Fate::drop : Group::Fate::pass;
  };
  group.start(2);
  group.expect(done(group, group.change(1, MemberChange::add_learner, 2)), "2 learns anew");
  group.deliver_held();
  group.run_for(5ms);
  const auto* leader = std::get_if<Leader>(&group.machine(1).role_state());
  group.expect(leader != nullptr && leader->peers.at({2}).match() == base::LogIndex{},
               "its empty disk has acknowledged nothing");
  group.fate = nullptr;
  group.run_for(200ms);
  group.expect(done(group, group.change(1, MemberChange::promote, 2)), "then it catches up");
  return group.checker().violations();
}

Violations a_leader_that_hears_nobody_steps_down(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.cut_way(2, 1);
  group.cut_way(3, 1);
  group.expect(group.run_until([&] { return group.leader() == 2u || group.leader() == 3u; }, 3s),
               "one that is heard takes over");
  group.expect(done(group, group.propose(group.leader().value_or(1))), "and commits");
  return group.checker().violations();
}

Violations a_node_that_was_cut_off_deposes_nobody(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  const base::Term term = group.machine(1).term();
  group.isolate(3);
  group.run_for(3s);
  group.join_all();
  group.run_for(1s);
  group.expect(group.leader() == 1u && group.machine(1).term() == term, "1 leads all along");
  group.expect(group.at(3).applied == group.at(1).applied, "3 follows");
  return group.checker().violations();
}

Violations a_node_of_a_greater_term_comes_back(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.crash(3, 9);
  group.at(3).disk.durable().hard = {{group.machine(1).term().value + 10}, std::nullopt};
  group.start(3);
  group.run_for(500ms);
  group.expect(group.run_until(
                   [&] {
                     const auto leader = group.leader();
                     return leader && group.machine(3).leader() == base::NodeId{*leader} &&
                            group.at(3).applied == group.at(*leader).applied;
                   },
                   3s),
               "it is not locked out");
  return group.checker().violations();
}

// 1 and 2 do not hear each other, both hear 3.
Violations a_bridge_is_enough_to_go_on(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  const std::uint64_t before = group.checker().leaderships();
  group.cut(1, 2);
  for (int i = 0; i < 20; ++i) {
    group.run_for(100ms);
    if (const auto leader = group.leader()) {
      group.propose(*leader);
    }
  }
  group.expect(group.checker().leaderships() <= before + 2, "leaders do not chase each other");
  group.expect(group.leader() && done(group, group.propose(*group.leader())), "it commits");
  return group.checker().violations();
}

}  // namespace fastgpu::raft::testing
