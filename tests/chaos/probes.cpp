#include "tests/chaos/probes.hpp"

#include <poll.h>

#include <algorithm>

namespace fastgpu::chaos {
namespace {

constexpr std::chrono::milliseconds look_interval{20};
constexpr std::chrono::milliseconds probe_limit{6000};
constexpr history::Stamp shard_probe_interval = 50'000'000;
constexpr std::chrono::milliseconds shard_probe_limit{20'000};
constexpr const char* name = "probe";

double milliseconds(history::Stamp from, history::Stamp to) {
  return static_cast<double>(to - from) / 1e6;
}

std::string attempts_of(const protocol::JobDetail& detail, std::uint32_t task) {
  std::string text;
  for (const protocol::AttemptInfo& attempt : detail.attempts) {
    if (std::any_of(attempt.ranges.begin(), attempt.ranges.end(),
                    [&](const base::TaskRange& range) { return range.contains(task); })) {
      text += (text.empty() ? "" : ", ") + base::to_string(attempt.attempt) + " " +
              base::to_string(attempt.device);
    }
  }
  return text;
}

}  // namespace

ProcessorClock::ProcessorClock()
    : first_ticks_(static_cast<std::int64_t>(__builtin_ia32_rdtsc())), first_stamp_(now()) {}

history::Stamp ProcessorClock::stamp_of(std::int64_t ticks) const {
  const auto ticks_passed =
      static_cast<double>(__builtin_ia32_rdtsc()) - static_cast<double>(first_ticks_);
  const auto time_passed = static_cast<double>(now() - first_stamp_);
  return first_stamp_ + static_cast<history::Stamp>(static_cast<double>(ticks - first_ticks_) *
                                                    time_passed / ticks_passed);
}

bool await(std::chrono::milliseconds limit, const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    ::poll(nullptr, 0, static_cast<int>(look_interval.count()));
  }
  return true;
}

std::optional<protocol::JobDetail> KernelProbe::read() {
  return work_.read(connection_, name, job_, probe_limit);
}

std::set<std::uint32_t> KernelProbe::running_on_victim(const protocol::JobDetail& detail) const {
  std::set<std::uint32_t> tasks;
  for (const protocol::AttemptInfo& attempt : detail.attempts) {  // the newest is the last
    for (const base::TaskRange& range : attempt.ranges) {
      for (std::uint32_t task = range.first; task < range.end(); ++task) {
        if (attempt.device.node == victim_) {
          tasks.insert(task);
        } else {
          tasks.erase(task);
        }
      }
    }
  }
  for (const protocol::TaskReport& report : detail.reports) {
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      tasks.erase(task);
    }
  }
  return tasks;
}

bool KernelProbe::start(base::NodeId victim, base::ShardId shard, std::uint32_t tasks, int task_ms,
                        base::Random& random) {
  victim_ = victim;
  running_.clear();
  const Request request = work_.make(name, history::Kind::kernel, tasks, task_ms, random, shard);
  job_ = work_.submit(connection_, name, request, probe_limit);
  if (job_ == 0) {
    return false;
  }
  return await(probe_limit / 3,
               [&] {
                 look();
                 return !running_.empty() || (last_ && last_->reports.size() == tasks);
               }) &&
         !running_.empty();
}

void KernelProbe::look() {
  last_ = read();
  if (last_) {
    running_ = running_on_victim(*last_);
  }
}

bool KernelProbe::await_end(std::chrono::milliseconds limit) {
  return await(limit, [&] {
    last_ = read();
    return last_ && protocol::is_terminal(last_->summary.state);
  });
}

std::vector<Successor> KernelProbe::successors(const ProcessorClock& clock) const {
  std::vector<Successor> all;
  if (last_) {
    for (const Times& times : times_of(*last_)) {
      // What the victim could still tell before it was struck, or told later on, was not lost.
      if (running_.contains(times.task) && times.node != victim_) {
        all.push_back({clock.stamp_of(times.begin), attempts_of(*last_, times.task)});
      }
    }
  }
  return all;
}

ShardProbe::ShardProbe(Work& work, std::shared_ptr<client::Connection> connection,
                       base::ShardId shard, std::uint64_t seed)
    : work_(work),
      connection_(std::move(connection)),
      shard_(shard),
      random_(seed),
      state_(std::make_shared<State>()) {}

void ShardProbe::tick() {
  if (accepted() || now() < next_at_) {
    return;
  }
  next_at_ = now() + shard_probe_interval;
  const Request request = work_.make(name, history::Kind::kernel, 1, 0, random_, shard_);
  work_.start_submit(*connection_, name, request, shard_probe_limit,
                     [state = state_](history::Answer answer, std::uint64_t) {
                       history::Stamp none = 0;
                       if (answer == history::Answer::ok) {
                         state->accepted_at.compare_exchange_strong(none, now());
                       }
                     });
}

std::optional<double> ShardProbe::latency_ms(history::Stamp struck) const {
  return accepted() ? std::optional(milliseconds(struck, state_->accepted_at)) : std::nullopt;
}

}  // namespace fastgpu::chaos
