#pragma once

/// Short makers of the values that the ledger's tests speak.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/ledger/ledger_state.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger::testing {

inline constexpr base::ShardId shard{1};
inline constexpr base::ShardLayout layout{4};
inline constexpr base::ShardId root{0};

inline base::RequestId request(std::uint64_t number, base::ShardId of = shard) {
  return {of, 7, number};
}
inline base::DeviceId device(std::uint32_t node, std::uint16_t ordinal = 0) {
  return {{node}, ordinal};
}
inline base::AttemptId attempt(std::uint64_t sequence, std::uint64_t term = 1) {
  return {shard, {1}, {term}, sequence};
}
/// The id of the n-th job that the shard accepts, from 1.
inline base::JobId job_id(std::uint64_t number) {
  return layout.job_id(shard, number);
}

inline protocol::SharedSpec spec(std::uint32_t tasks, std::uint32_t retries = 0,
                                 std::uint32_t crash_limit = 5) {
  auto value = std::make_shared<protocol::JobSpec>();
  value->name = "saxpy";
  value->kernel.source = base::Bytes::copy_of(std::string_view("__global__ void saxpy() {}"));
  value->kernel.name = "saxpy";
  value->tasks = tasks;
  value->retries = retries;
  value->crash_limit = crash_limit;
  return {std::move(value)};
}
/// The same for a job that waits for others.
inline protocol::SharedSpec spec_after(std::uint32_t tasks,
                                       std::vector<protocol::Dependency> others) {
  protocol::JobSpec value = *spec(tasks);
  value.after = std::move(others);
  return {std::make_shared<const protocol::JobSpec>(std::move(value))};
}
/// Tasks that must not run twice at once.
inline protocol::SharedSpec command_spec(std::uint32_t tasks, std::int64_t lease_ns = 0,
                                         std::uint32_t crash_limit = 5) {
  auto value = std::make_shared<protocol::JobSpec>();
  value->name = "train";
  value->command.argv = {"train", "{}"};
  value->tasks = tasks;
  value->lease_ns = lease_ns;
  value->crash_limit = crash_limit;
  return {std::move(value)};
}
inline protocol::SubmitRecord submitted(std::uint64_t number, protocol::SharedSpec of) {
  return {request(number), std::move(of), 1000, {1}};
}
inline protocol::PlacedRecord placed(const base::AttemptId& by, std::vector<base::TaskRange> ranges,
                                     protocol::PlaceCause cause = protocol::PlaceCause::first,
                                     base::DeviceId on = device(2), std::uint64_t job = 1) {
  return {by, job_id(job), std::move(ranges), on, {1}, cause};
}
inline protocol::TaskOutcome outcome(protocol::TaskState state = protocol::TaskState::succeeded,
                                     base::FailureReason reason = base::FailureReason::none,
                                     const std::string& message = "") {
  protocol::TaskOutcome value;
  value.state = state;
  value.reason = reason;
  value.message = message;
  value.device = device(2);
  value.timings.run_ns = 5;
  return value;
}
inline protocol::TaskOutcome failure() {
  return outcome(protocol::TaskState::failed, base::FailureReason::kernel_assert, "assert");
}
inline protocol::TaskOutcome node_failure() {
  return outcome(protocol::TaskState::failed, base::FailureReason::device_lost, "gone");
}
inline protocol::FinishRecord finished(const base::AttemptId& by, base::TaskRange range,
                                       protocol::TaskOutcome with = outcome(),
                                       std::uint64_t job = 1) {
  return {by, job_id(job), {{range, std::move(with)}}, 2000};
}
inline protocol::ReleasedRecord released(const base::AttemptId& by,
                                         std::vector<base::TaskRange> ranges, std::int64_t ns,
                                         std::uint64_t job = 1) {
  return {by, job_id(job), device(2), std::move(ranges), ns};
}
inline protocol::CancelRecord cancelled(std::uint64_t number, std::uint64_t job = 1) {
  return {request(number), job_id(job), 3000};
}

/// Job `child` waits for `parent` no longer, or ends by how that ended.
inline protocol::DependencyRecord parent_ended(
    std::uint64_t child, base::JobId parent,
    protocol::TaskState as = protocol::TaskState::succeeded,
    protocol::JobKnowledge knowledge = protocol::JobKnowledge::known) {
  return {job_id(child), {parent, knowledge, as}, 4000};
}

/// All changes of one kind, in order.
template <class Change>
std::vector<Change> all(const std::vector<Applied>& changes) {
  std::vector<Change> found;
  for (const Applied& change : changes) {
    if (const auto* one = std::get_if<Change>(&change)) {
      found.push_back(*one);
    }
  }
  return found;
}

}  // namespace fastgpu::ledger::testing
