#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

GroupOptions with_snapshots(Fault fault) {
  GroupOptions options = script(fault);
  options.compact_after = 8;
  options.snapshot_bytes = 200;
  return options;
}

/// 1 leads; the log of `lagging` is so far behind that it needs a snapshot.
void fall_behind(Group& group, std::uint32_t nodes, std::uint32_t lagging) {
  group.found(nodes);
  group.isolate(lagging);
  group.expect(group.elect(1), "1 leads");
  for (int i = 0; i < 30; ++i) {
    group.propose(1);
    group.run_for(2ms);
  }
  group.run_for(50ms);
  group.expect(
      group.machine(1).log().before_first().index > group.machine(lagging).log().last().index,
      "what it needs is no longer in the log");
}

bool caught_up(Group& group, std::uint32_t id, base::Duration at_most = 2s) {
  return group.run_until(
      [&] {
        const auto leader = group.leader();
        return leader && group.at(id).machine && group.at(id).applied == group.at(*leader).applied;
      },
      at_most);
}

/// `id` has all pieces and its disk does not take them. The leader's term is on it before, else no
/// piece would be answered.
void stall_install(Group& group, std::uint32_t id) {
  group.fate = [](Message& message) {
    return std::holds_alternative<SnapshotChunk>(message.body) ? Group::Fate::drop
                                                               : Group::Fate::pass;
  };
  group.join_all();
  group.run_for(100ms);
  group.fate = nullptr;
  group.stall_disk(id);
  group.expect(group.run_until([&] { return group.machine(id).installing(); }, 2s),
               "all pieces have come");
}

}  // namespace

Violations nobody_campaigns_while_a_snapshot_is_put_in_place(Fault fault) {
  Group group(with_snapshots(fault));
  fall_behind(group, 3, 3);
  stall_install(group, 3);
  group.isolate(3);
  group.run_for(500ms);
  group.expect(group.machine(3).role() == RoleKind::follower, "it waits");
  group.join_all();
  group.free_disk(3);
  group.expect(caught_up(group, 3), "then it goes on");
  return group.checker().violations();
}

Violations an_install_is_not_told_to_the_next_leader(Fault fault) {
  Group group(with_snapshots(fault));
  fall_behind(group, 5, 3);
  stall_install(group, 3);
  group.crash(1, 9);
  group.expect(group.elect(2), "2 leads with the votes of 4 and 5");
  group.expect(group.run_until([&] { return group.machine(3).leader() == base::NodeId{2}; }),
               "3 follows it");
  // From now on 2 says nothing that 3 could compare its log with.
  std::uint64_t told = 0;
  group.fate = [&](Message& message) {
    const auto* reply = std::get_if<AppendReply>(&message.body);
    told += message.from.value == 3 && reply != nullptr && reply->match.value > 0 ? 1 : 0;
    return message.to.value == 3 ? Group::Fate::drop : Group::Fate::pass;
  };
  group.run_for(20ms);
  told = 0;
  group.free_disk(3);
  group.expect(group.run_until([&] { return !group.machine(3).installing(); }, 1s),
               "the snapshot is put in place all the same");
  group.run_for(20ms);
  group.expect(told == 0, "what 1 had sent is not acknowledged to 2");
  group.fate = nullptr;
  group.expect(caught_up(group, 3), "then it goes on");
  return group.checker().violations();
}

Violations a_crash_during_an_install_leaves_the_old_or_the_new(Fault fault) {
  Violations all;
  for (std::size_t kept = 0; kept <= 2; ++kept) {
    GroupOptions options = with_snapshots(fault);
    options.sync_singly = true;
    Group group(options);
    fall_behind(group, 3, 3);
    const LogPosition before = group.at(3).disk.durable().last();
    stall_install(group, 3);
    group.crash(3, kept);
    group.isolate(3);
    group.start(3);
    const StoredState& disk = group.at(3).disk.durable();
    group.expect(disk.last() == before || (disk.entries.empty() && disk.snapshot.last.index),
                 "its disk is wholly old or wholly new");
    group.expect(group.at(3).applied == disk.snapshot.last.index, "and so is what it gives out");
    group.join_all();
    group.expect(caught_up(group, 3), "then it goes on");
    const Violations& found = group.checker().violations();
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

// Entries of term 2 are on 1 and 2; 3 has others at the same places, of term 3, on its own disk
// only. 1 leads term 4, commits its own and compacts: 3 must not take its entries for the
// snapshot's.
Violations an_entry_of_a_greater_term_gives_way_to_the_snapshot(Fault fault) {
  GroupOptions options = script(fault);
  options.limits.entries_kept_behind_snapshot = 0;
  Group group(options);
  group.found(5);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  for (std::uint32_t other : {3u, 4u, 5u}) {
    group.cut(1, other);
    group.cut(2, other);
  }
  for (int i = 0; i < 4; ++i) {
    group.propose(1);
  }
  group.run_for(10ms);
  const base::LogIndex end = group.machine(1).log().last().index;
  group.fate = [](Message& message) {
    return message.from.value == 3 && is_append_with_entries(message) ? Group::Fate::drop
                                                                      : Group::Fate::pass;
  };
  group.expect(group.lead(3), "3 leads with the votes of 4 and 5");
  group.run_for(10ms);
  for (int i = 0; i < 6; ++i) {
    // Not ready, so it takes none of its clients'; its own log grows by elections.
    group.isolate(3);
    group.run_for(300ms);
    for (std::uint32_t other : {4u, 5u}) {
      group.join(3, other);
    }
    group.expect(group.lead(3), "3 leads once more");
    group.run_for(10ms);
    if (group.machine(3).log().last().index > end) {
      break;
    }
  }
  group.fate = nullptr;
  group.join_all();
  group.isolate(3);
  group.expect(group.elect(1), "1 leads a later term");
  group.run_for(50ms);
  const base::LogIndex last = end;
  std::vector<std::uint8_t> state(8);
  const std::uint64_t number = group.checker().state_at(last);
  for (std::size_t i = 0; i < state.size(); ++i) {
    state[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  for (std::uint32_t id : {1u, 2u, 4u, 5u}) {
    group.step({id}, Compact{last, base::Bytes(state)});
  }
  group.join_all();
  group.expect(caught_up(group, 3), "3 gives way");
  return group.checker().violations();
}

Violations a_damaged_snapshot_is_sent_again(Fault fault) {
  Group group(with_snapshots(fault));
  fall_behind(group, 3, 3);
  bool damage = true;
  group.fate = [&](Message& message) {
    if (auto* chunk = std::get_if<SnapshotChunk>(&message.body);
        chunk != nullptr && damage && chunk->offset > 0 && !chunk->data.empty()) {
      damage = false;
      chunk->data = base::Bytes(std::vector<std::uint8_t>(chunk->data.size(), 7));
    }
    return Group::Fate::pass;
  };
  group.join_all();
  group.expect(caught_up(group, 3), "a replica that saw damage goes on");
  group.expect(group.at(3).alarms > 0, "and says so");
  return group.checker().violations();
}

Violations a_long_snapshot_arrives_in_pieces(Fault fault) {
  GroupOptions options = with_snapshots(fault);
  options.snapshot_bytes = 5000;
  Group group(options);
  fall_behind(group, 3, 3);
  group.at(1).sent_bytes_max = 0;
  group.join_all();
  group.expect(caught_up(group, 3), "it arrives");
  group.expect(group.at(1).sent_bytes_max <=
                   std::max<std::size_t>(options.limits.snapshot_chunk_bytes, 1000),
               "no message is longer than a piece");
  return group.checker().violations();
}

Violations what_is_unanswered_stays_within_the_window(Fault fault) {
  GroupOptions options = script(fault);
  options.command_bytes = 1000;
  options.limits.window_bytes_max = 8000;
  options.limits.append_bytes_max = 4000;
  options.limits.entry_bytes_max = 4000;
  Group group(options);
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.stall_disk(3);
  for (int i = 0; i < 300; ++i) {
    group.propose(1);
    group.run_for(1ms);
  }
  group.expect(group.at(1).sent_bytes_max <= 5000, "no message is longer than its bound");
  group.expect(group.machine(3).log().unpersisted_bytes() <= 100'000,
               "a slow follower is not flooded");
  group.free_disk(3);
  group.expect(caught_up(group, 3), "then it catches up");
  return group.checker().violations();
}

}  // namespace fastgpu::raft::testing
