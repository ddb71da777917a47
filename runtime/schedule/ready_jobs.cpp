#include "runtime/schedule/ready_jobs.hpp"

#include <algorithm>

namespace fastgpu::schedule {

const ReadyJob* ReadyJobs::find(base::JobId id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

void ReadyJobs::enqueue(ReadyJob& job) {
  if (job.own_turn == 0)
    job.own_turn = ++turns_;
  job.turn = job.lost.empty() ? job.own_turn : ++lost_turns_;
  Group& group = groups_[job.group];
  group.work = job.work;
  group.queue.emplace(job.turn, job.job);
  group.told_up_to = std::min(group.told_up_to, job.turn - 1);
}

/// The new place first: an empty group would be forgotten with its reason.
void ReadyJobs::requeue(ReadyJob& job) {
  const std::uint64_t old_turn = job.turn;
  enqueue(job);
  groups_.at(job.group).queue.erase(old_turn);
}

void ReadyJobs::dequeue(const ReadyJob& job) {
  const auto group = groups_.find(job.group);
  group->second.queue.erase(job.turn);
  if (group->second.queue.empty())
    groups_.erase(group);
}

void ReadyJobs::add(const protocol::TasksReady& tasks) {
  books::TaskSet ready(tasks.ranges);
  if (ready.empty())
    return;
  const auto [place, fresh] = jobs_.try_emplace(tasks.job);
  ReadyJob& job = place->second;
  const bool had_lost = !job.lost.empty();
  if (tasks.lost_before)
    for (const auto& range : tasks.ranges)
      job.lost.add(range);
  if (!fresh) {
    for (const auto& range : tasks.ranges)
      job.ready.add(range);
    if (!had_lost && !job.lost.empty())
      requeue(job);
    return;
  }
  job.shard = tasks.shard;
  job.job = tasks.job;
  job.group = {tasks.request, tasks.signature};
  job.work = tasks.command ? books::Work::command : books::Work::kernel;
  job.ready = std::move(ready);
  enqueue(job);
}

std::optional<ReadyJob> ReadyJobs::remove(base::JobId id,
                                          const std::vector<base::TaskRange>& ranges) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end())
    return std::nullopt;
  const bool had_lost = !found->second.lost.empty();
  for (const auto& range : ranges) {
    found->second.ready.remove(range);
    found->second.lost.remove(range);
  }
  if (!found->second.ready.empty()) {
    if (had_lost && found->second.lost.empty())
      requeue(found->second);
    return std::nullopt;
  }
  dequeue(found->second);
  ReadyJob left = std::move(found->second);
  jobs_.erase(found);
  return left;
}

std::vector<base::TaskRange> ReadyJobs::serve(base::JobId id, std::uint32_t tasks,
                                              std::optional<ReadyJob>& left) {
  ReadyJob& job = jobs_.at(id);
  if (job.lost.empty())
    job.own_turn = 0;
  auto ranges = (job.lost.empty() ? job.ready : job.lost).take(tasks);
  left = remove(id, ranges);
  if (!left)
    requeue(job);
  return ranges;
}

void ReadyJobs::retire(base::ShardId shard) {
  for (auto it = jobs_.begin(); it != jobs_.end();) {
    if (it->second.shard == shard) {
      dequeue(it->second);
      it = jobs_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace fastgpu::schedule
