#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {

GroupOptions script(Fault fault) {
  GroupOptions options;
  options.seed = 11;
  options.fault = fault;
  return options;
}

// Figure 8 of the Raft paper.
Violations old_entries_commit_only_with_a_new_one(Fault fault) {
  GroupOptions options = script(fault);
  options.limits.append_entries_max = 1;
  Group group(options);
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.isolate(1);
  group.propose(1);
  group.run_for(10ms);
  const base::LogIndex old = group.machine(1).log().persisted().index;
  group.crash(1, 9);
  group.fate = [](Message& message) {
    return message.from.value == 2 && is_append_with_entries(message) ? Group::Fate::drop
                                                                      : Group::Fate::pass;
  };
  group.expect(group.lead(2), "2 leads with the vote of 3");
  group.run_for(10ms);  // its entry is on its own disk only
  group.crash(2, 9);
  group.join_all();
  // 3 gets the old entry and nothing after it.
  group.fate = [&](Message& message) {
    const bool has_old = group.machine(3).log().last().index >= old;
    return is_between(message, 1, 3) && is_append_with_entries(message) && has_old
               ? Group::Fate::drop
               : Group::Fate::pass;
  };
  group.start(1);
  group.expect(group.lead(1), "1 leads again with the vote of 3");
  group.run_for(90ms);
  group.expect(group.machine(3).log().last().index == old, "3 has the old entry");
  group.crash(1, 9);
  group.fate = nullptr;
  group.start(2);
  group.expect(group.elect(2), "2 leads again and overwrites it");
  group.run_for(100ms);
  return group.checker().violations();
}

Violations a_new_leader_commits_what_it_found(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.fate = [](Message& message) {
    return message.to.value == 1 ? Group::Fate::drop : Group::Fate::pass;
  };
  group.propose(1);
  group.run_for(10ms);
  const base::LogIndex index = group.machine(1).log().last().index;
  group.crash(1, 9);
  group.expect(group.elect(2), "2 leads");
  group.expect(group.run_until([&] { return group.machine(2).given_out() >= index; }, 1s),
               "what an earlier leader left is committed without new traffic");
  return group.checker().violations();
}

Violations a_stale_tail_is_never_acknowledged(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.isolate(1);
  for (int i = 0; i < 3; ++i) {
    group.propose(1);  // on its own disk only
  }
  group.run_for(10ms);
  group.crash(1, 9);
  group.expect(group.elect(2), "2 leads with the vote of 3");
  group.cut(2, 3);
  group.join(1, 2);
  std::vector<base::LogToken> tokens;
  for (int i = 0; i < 3; ++i) {
    tokens.push_back(group.propose(2));
  }
  bool heartbeats_only = true;
  group.fate = [&](Message& message) {
    return heartbeats_only && is_between(message, 2, 1) && is_append_with_entries(message)
               ? Group::Fate::drop
               : Group::Fate::pass;
  };
  group.start(1);
  group.run_for(60ms);
  for (const base::LogToken& token : tokens) {
    group.expect(group.outcome(token) != Group::Outcome::done, "nobody has them but the leader");
  }
  heartbeats_only = false;
  group.run_for(200ms);
  for (const base::LogToken& token : tokens) {
    group.expect(group.outcome(token) == Group::Outcome::done, "then they are replicated");
  }
  group.crash(2, 0);
  group.join_all();
  group.expect(group.run_until([&] { return group.leader().has_value(); }), "they survive");
  return group.checker().violations();
}

// 3 took entries of leader 1, and its disk gives the vote for 2 only after them: 2 knows nothing of
// these, and has others there.
Violations what_one_leader_checked_does_not_count_for_the_next(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.cut(1, 2);
  group.stall_disk(3);
  for (int i = 0; i < 3; ++i) {
    group.propose(1);
  }
  group.run_for(10ms);
  group.crash(1, 9);
  group.fate = [](Message& message) {
    return is_between(message, 2, 3) && is_append_with_entries(message) ? Group::Fate::drop
                                                                        : Group::Fate::pass;
  };
  const auto asked = [&] { return group.machine(3).vote() == base::NodeId{2}; };
  for (auto& [id, node] : group.nodes()) {
    node.ticks = id.value == 2;
  }
  group.expect(group.run_until(asked), "3 votes for 2 by what is on its disk");
  group.free_disk(3);
  group.expect(group.lead(2), "2 leads");
  group.run_for(60ms);
  group.fate = nullptr;
  group.run_for(300ms);
  group.expect(group.leader() == 2u, "then its entries replace them");
  return group.checker().violations();
}

Violations a_transfer_gives_no_second_vote(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.fate = [](Message& message) {
    return std::holds_alternative<TimeoutNow>(message.body) ? Group::Fate::hold : Group::Fate::pass;
  };
  const base::LogToken first = group.transfer(1, 2);
  group.expect(group.run_until([&] { return group.outcome(first) == Group::Outcome::unknown; }),
               "the first transfer is given up");
  group.transfer(1, 3);
  group.run_for(10ms);
  group.deliver_held();
  group.run_for(50ms);
  group.expect(group.run_until([&] { return group.leader().has_value(); }), "somebody leads");
  return group.checker().violations();
}

// 1 votes for 2 and crashes with nothing, a part, or all of it on disk; 3 asks in the same term.
Violations a_vote_outlives_a_crash_at_every_point(Fault fault) {
  Violations all;
  for (std::size_t kept = 0; kept <= 2; ++kept) {
    GroupOptions options = script(fault);
    options.sync_singly = true;
    Group group(options);
    group.found(3);
    group.cut(2, 3);
    group.stall_disk(1);
    for (auto& [id, node] : group.nodes()) {
      node.ticks = id.value == 2;
    }
    group.expect(group.run_until([&] { return group.machine(1).vote().has_value(); }),
                 "1 votes for 2");
    if (kept == 2) {
      group.free_disk(1);  // the vote leaves, but the leader is never heard of
      group.fate = [](Message& message) {
        return message.from.value == 2 ? Group::Fate::drop : Group::Fate::pass;
      };
      group.run_for(20ms);
    }
    group.crash(1, kept);
    group.start(1);
    group.cut(1, 2);
    group.expect(group.elect(3), "3 leads with the vote of 1, in a later term if need be");
    group.join_all();
    group.fate = nullptr;
    group.run_for(300ms);
    const Violations& found = group.checker().violations();
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

Violations a_new_term_begins_without_a_vote(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.crash(2, 9);
  group.expect(group.elect(1), "1 leads with the vote of 3");
  group.run_for(50ms);
  group.transfer(1, 3);
  group.expect(group.run_until([&] { return group.leader() == 3u; }, 3s),
               "3 leads the next term with the vote of 1");
  return group.checker().violations();
}

Violations entries_commit_under_steady_load(Fault fault) {
  GroupOptions options = script(fault);
  options.delay_min = 15ms;
  options.delay_max = 15ms;
  options.limits.window_messages_max = 64;
  options.limits.resend_after = 90ms;
  Group group(options);
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  std::vector<base::LogToken> tokens;
  for (int i = 0; i < 1000; ++i) {
    tokens.push_back(group.propose(1));
    group.run_for(1ms);
    if (i >= 100) {
      group.expect(group.outcome(tokens[static_cast<std::size_t>(i) - 100]) == Group::Outcome::done,
                   "an entry is committed within 100 ms of a 30 ms round trip");
    }
  }
  return group.checker().violations();
}

}  // namespace fastgpu::raft::testing
