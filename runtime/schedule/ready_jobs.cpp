#include "runtime/schedule/ready_jobs.hpp"

namespace fastgpu::schedule {

const ReadyJob* ReadyJobs::find(base::JobId id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

void ReadyJobs::enqueue(ReadyJob& job) {
  job.turn = ++turns_;
  Group& group = groups_[job.group];
  group.work = job.work;
  group.queue.emplace(job.turn, job.job);
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
  if (!fresh) {
    for (const auto& range : tasks.ranges)
      job.ready.add(range);
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
  for (const auto& range : ranges)
    found->second.ready.remove(range);
  if (!found->second.ready.empty())
    return std::nullopt;
  dequeue(found->second);
  ReadyJob left = std::move(found->second);
  jobs_.erase(found);
  return left;
}

std::vector<base::TaskRange> ReadyJobs::serve(base::JobId id, std::uint32_t tasks,
                                              std::optional<ReadyJob>& left) {
  ReadyJob& job = jobs_.at(id);
  auto ranges = job.ready.take(tasks);
  if (job.ready.empty()) {
    left = remove(id, {});
    return ranges;
  }
  // The new place first: an empty group would be forgotten with its reason.
  const std::uint64_t old_turn = job.turn;
  enqueue(job);
  groups_.at(job.group).queue.erase(old_turn);
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
