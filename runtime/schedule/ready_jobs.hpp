#pragma once

/// The tasks that wait for a device, in groups of tasks that fit the same devices and should run
/// equally long. Within a group and among groups the turn decides: a job gets the next turn number
/// when it comes and another one each time that it was served, so every job that waits is served
/// once before any is served twice, in the order in which they came. Tasks that a node had
/// when it was lost had had their turn: they come before all that have not, in their own order.
/// Owned by the scheduler machine. A job is ranges: costs do not grow with tasks. Nothing fails.

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/books/fit.hpp"
#include "runtime/books/task_set.hpp"
#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::schedule {

using GroupKey = std::pair<protocol::ResourceRequest, base::ObjectHash>;

struct ReadyJob {
  base::ShardId shard;
  base::JobId job;
  GroupKey group;
  books::Work work{books::Work::kernel};
  books::TaskSet ready;  ///< never empty
  books::TaskSet lost;   ///< of these, what a lost node had: served before the rest
  std::uint64_t turn{};
  std::uint64_t own_turn{};  ///< as if nothing were lost; 0: to be given

  /// How many tasks may go in its next turn.
  std::uint64_t due() const { return lost.empty() ? ready.size() : lost.size(); }
  protocol::WaitingReason told;  ///< what its shard was told last
};

struct Group {
  books::Work work{books::Work::kernel};       ///< the signature tells commands from kernels
  std::map<std::uint64_t, base::JobId> queue;  ///< by turn; never empty
  protocol::WaitingReason reason;              ///< why its jobs wait; none while not known
  std::optional<base::Time> reasoned_at;
  std::optional<base::Time> worded_at;  ///< when the sentence changed last
  std::uint64_t told_up_to{0};          ///< jobs of these turns know the reason
};

class ReadyJobs {
 public:
  bool empty() const { return jobs_.empty(); }
  std::size_t size() const { return jobs_.size(); }
  const std::map<GroupKey, Group>& groups() const { return groups_; }
  Group& group(const GroupKey& key) { return groups_.at(key); }
  ReadyJob& job(base::JobId id) { return jobs_.at(id); }
  const ReadyJob* find(base::JobId id) const;

  void add(const protocol::TasksReady& tasks);
  /// Takes ranges off a job. Gives the job when nothing of it waits any more: it is forgotten.
  std::optional<ReadyJob> remove(base::JobId id, const std::vector<base::TaskRange>& ranges);
  /// Takes the lowest of the tasks that are due, and gives the job its next turn. `left` as with
  /// remove().
  std::vector<base::TaskRange> serve(base::JobId id, std::uint32_t tasks,
                                     std::optional<ReadyJob>& left);
  void retire(base::ShardId shard);

 private:
  static constexpr std::uint64_t first_turn = std::uint64_t{1} << 32;

  void enqueue(ReadyJob& job);
  void requeue(ReadyJob& job);
  void dequeue(const ReadyJob& job);

  std::map<base::JobId, ReadyJob> jobs_;
  std::map<GroupKey, Group> groups_;
  std::uint64_t turns_{first_turn};
  std::uint64_t lost_turns_{0};  ///< below first_turn
};

}  // namespace fastgpu::schedule
