#include "node/daemon/recover_text.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <set>
#include <sstream>

namespace fastgpu::node {
namespace {

using actors::ReplicaFound;

std::string members_of(const ReplicaFound& replica, bool voters, const RecoverView& view) {
  std::string text;
  for (const raft::Member& member : replica.members.members) {
    if (member.voter == voters) {
      text += (text.empty() ? "" : ",") + view.name_of(member.node);
    }
  }
  return text.empty() ? "-" : text;
}

std::string time_of(base::WallTimeMs at_ms) {
  if (at_ms == 0) {
    return "-";
  }
  const std::time_t seconds = at_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string standing_of(const ReplicaFound& replica, const RecoverView& view) {
  return replica.votes_alone                          ? "votes alone"
         : replica.votes                              ? "votes"
         : replica.members.find(view.self) != nullptr ? "learns"
                                                      : "none";
}

}  // namespace

std::string RecoverView::name_of(base::NodeId node) const {
  const auto known = names.find(node);
  return known == names.end() || known->second.empty() ? base::to_string(node) : known->second;
}

std::string list_of(const std::vector<base::ShardId>& shards) {
  std::string text;
  for (const base::ShardId shard : shards) {
    text += (text.empty() ? "" : ",") + std::to_string(shard.value);
  }
  return text;
}

std::string table_of(const std::vector<ReplicaFound>& found, const RecoverView& view) {
  std::vector<std::vector<std::string>> rows{{"SHARD", "EPOCH", "LAST TERM", "LAST ENTRY",
                                              "SETTLED", "JOBS", "LIVE", "NEWEST JOB", "HERE",
                                              "VOTERS", "LEARNERS"}};
  for (const ReplicaFound& replica : found) {
    rows.push_back({std::to_string(replica.shard.value), std::to_string(replica.epoch.value),
                    std::to_string(replica.last.term.value),
                    std::to_string(replica.last.index.value),
                    std::to_string(replica.surely_settled.value), std::to_string(replica.jobs),
                    std::to_string(replica.jobs_live), time_of(replica.newest_job_at_ms),
                    standing_of(replica, view), members_of(replica, true, view),
                    members_of(replica, false, view)});
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      std::size_t width = 0;
      for (const auto& other : rows) {
        width = std::max(width, other[column].size());
      }
      line += row[column] + std::string(width - row[column].size() + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string advice(const std::vector<ReplicaFound>& found, const std::vector<base::ShardId>& chosen,
                   const RecoverView& view) {
  std::ostringstream text;
  text << "\nSETTLED: entries up to this one were surely on a majority; later ones may have been.\n"
          "HERE: what this node is by its own log. A node that was away may not know that it is "
          "no replica any more.\n";
  if (chosen.empty()) {
    text << "Nothing to recover here: "
         << (std::all_of(found.begin(), found.end(),
                         [](const auto& one) { return one.votes_alone; })
                 ? "this node has a majority by itself. Start it.\n"
                 : "this node votes in no other shard. Where it only learns, and no voter of the "
                   "shard is left, name the shard with --shards.\n");
    return text.str();
  }
  text
      << "\nStart the nodes that are left first (fastgpu-node run): a shard goes on by itself once "
         "a majority of its\nvoters is up. For a shard whose majority is gone for good, compare "
         "this table on all nodes that have a row\nfor it, and take the one with the greatest "
         "EPOCH, then LAST TERM, then LAST ENTRY. There, and on no other:\n  fastgpu-node recover "
         "--dir "
      << view.folder << " --shards " << list_of(chosen) << " --force\n";
  return text.str();
}

std::string aftermath(const std::vector<ReplicaFound>& chosen, const RecoverView& view) {
  std::set<base::NodeId> others;
  for (const ReplicaFound& replica : chosen) {
    for (const raft::Member& member : replica.members.members) {
      if (member.node != view.self) {
        others.insert(member.node);
      }
    }
  }
  std::ostringstream text;
  text
      << "\nWhat may be lost: what the other replicas had acknowledged beyond these logs cannot be "
         "known here. Jobs that\nonly they had are unknown now, and their numbers are not given "
         "again; ends that only they had recorded are\nreached anew, so a task may run once more. "
         "Inputs and outputs whose copies were on lost disks only are gone.\nBe sure that nothing "
         "runs on the lost hosts any more: a command could run there and here at once.\n\n"
         "Now:\n  fastgpu-node run --dir "
      << view.folder << "\n";
  for (const base::NodeId node : others) {
    text
        << "  fastgpu node remove " << view.name_of(node)
        << "    # its replicas may not come back; with an empty folder it may join as a new node\n";
  }
  text << "  fastgpu node token, then fastgpu-node join on other hosts: the shards take their "
          "replicas there by themselves\n";
  return text.str();
}

}  // namespace fastgpu::node
