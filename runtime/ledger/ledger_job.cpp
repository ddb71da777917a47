#include "runtime/ledger/ledger_job.hpp"

#include <algorithm>
#include <variant>

namespace fastgpu::ledger {

namespace {

using protocol::TaskState;

constexpr std::uint64_t job_bytes = 512;
constexpr std::uint64_t segment_bytes = 160;
constexpr std::uint64_t outcome_bytes = 224;
constexpr std::uint64_t argument_bytes = 96;
constexpr std::uint64_t data_bytes = 64;

std::uint64_t size_of(const protocol::Data& data) {
  const auto* bytes = std::get_if<base::Bytes>(&data);
  return data_bytes + (bytes ? bytes->size() : 0);
}

std::uint64_t size_of(const protocol::Argument& argument) {
  if (const auto* scalar = std::get_if<protocol::ScalarArgument>(&argument)) {
    return argument_bytes + scalar->text.size();
  }
  const auto& buffer = std::get<protocol::BufferArgument>(argument);
  std::uint64_t size = argument_bytes + buffer.name.size();
  for (const protocol::Data& data : buffer.data) {
    size += size_of(data);
  }
  return size;
}

}  // namespace

protocol::TaskState Job::state() const {
  if (live()) {
    return TaskState::pending;
  }
  for (const TaskState gravest :
       {TaskState::failed, TaskState::timed_out, TaskState::lost, TaskState::cancelled}) {
    if (ended[static_cast<std::size_t>(gravest)] > 0) {
      return gravest;
    }
  }
  return TaskState::succeeded;
}

TaskRanges Job::live_part(const TaskRanges& ranges) const {
  TaskRanges live;
  for (const base::TaskRange& range : ranges) {
    tasks.for_each_in(range, [&live](base::TaskRange part, const protocol::TaskRecord& record) {
      if (record.phase != protocol::TaskPhase::ended) {
        append(live, part);
      }
    });
  }
  return live;
}

JobAttempt& Job::attempt_on(const base::AttemptId& attempt, base::DeviceId device) {
  const auto [at, is_new] = attempts.try_emplace(attempt);
  if (is_new) {
    at->second.device = device;
    const auto place = std::lower_bound(nodes.begin(), nodes.end(), device.node);
    if (device.node && (place == nodes.end() || *place != device.node)) {
      nodes.insert(place, device.node);
    }
  }
  return at->second;
}

bool passes_fence(const protocol::TaskRecord& task, const base::AttemptId& attempt) {
  switch (task.phase) {
    case protocol::TaskPhase::placed:
      return attempt >= task.floor;
    case protocol::TaskPhase::ready:
      return attempt > task.floor;  // the floor itself has failed
    case protocol::TaskPhase::ended:
      return false;
  }
  return false;
}

bool holds(protocol::DependencyKind kind, const protocol::JobStanding& parent) {
  if (kind == protocol::DependencyKind::any) {
    return parent.knowledge != protocol::JobKnowledge::never;
  }
  const bool well = parent.state == TaskState::succeeded;
  return parent.knowledge == protocol::JobKnowledge::known &&
         well == (kind == protocol::DependencyKind::ok);
}

std::string broken_text(protocol::DependencyKind kind, const protocol::JobStanding& parent) {
  const auto end = [&parent]() -> const char* {
    if (parent.knowledge != protocol::JobKnowledge::known) {
      return parent.knowledge == protocol::JobKnowledge::never
                 ? " is not known"
                 : " ended so long ago that nobody knows how";
    }
    switch (parent.state) {
      case TaskState::succeeded:
        return " succeeded";
      case TaskState::cancelled:
        return " was cancelled";
      case TaskState::timed_out:
        return " timed out";
      case TaskState::lost:
        return " was lost";
      default:
        return " failed";
    }
  };
  const char* const wish = kind == protocol::DependencyKind::ok    ? "succeeded"
                           : kind == protocol::DependencyKind::any ? "ended"
                                                                   : "failed";
  return "job " + base::to_string(parent.job) + end() + ", and this job was to run only after it " +
         wish;
}

std::uint64_t estimated_bytes(const protocol::JobSpec& spec) {
  std::uint64_t size = job_bytes + spec.after.size() * sizeof(protocol::Dependency) +
                       spec.name.size() + spec.kernel.source.size() + spec.kernel.name.size() +
                       spec.kernel.standard.size();
  for (const auto& [name, value] : spec.kernel.defines) {
    size += argument_bytes + name.size() + value.size();
  }
  for (const protocol::Argument& argument : spec.kernel.arguments) {
    size += size_of(argument);
  }
  for (const auto& [name, value] : spec.labels) {
    size += argument_bytes + name.size() + value.size();
  }
  return size + spec.items.ranges.size() * sizeof(base::TaskRange);
}

std::uint64_t estimated_bytes(const protocol::TaskOutcome& outcome) {
  std::uint64_t size = outcome_bytes + outcome.message.size();
  for (const protocol::Data& data : outcome.outputs) {
    size += size_of(data);
  }
  return size;
}

std::uint64_t kept_bytes(const Job& job) {
  std::uint64_t size = estimated_bytes(*job.spec);
  job.tasks.for_each([&size](base::TaskRange, const protocol::TaskRecord& record) {
    size += segment_bytes + (record.outcome ? estimated_bytes(*record.outcome) : 0);
  });
  return size;
}

}  // namespace fastgpu::ledger
