#pragma once

/// A small cluster with two jobs, as nodes would tell of it.

#include <memory>
#include <string>

#include "node/cli/text/render.hpp"

namespace fastgpu::cli::test {

inline constexpr Stamp noon{1'769'860'800'000, 200};  // 2026-01-31T12:00:00Z

inline protocol::ClusterStatus cluster() {
  protocol::ClusterStatus status;
  status.cluster = {0x1122334455667788, 0x99aabbccddeeff00};
  status.source = {1};
  for (const std::uint32_t id : {1u, 2u}) {
    protocol::NodeView node;
    node.info = {{id}, "n" + std::to_string(id), "127.0.0.1:760" + std::to_string(id)};
    node.state = id == 1 ? protocol::NodeState::up : protocol::NodeState::down;
    node.age_ns = id == 1 ? 0 : 4'200'000'000;
    node.leads = {{{id - 1}, {1}, {1}}};
    protocol::DeviceBooks books;
    books.device = {{id}, 0};
    books.kind = protocol::DeviceKind::cpu;
    books.model = "CPU x86-64";
    books.memory_bytes_total = 8ull << 30;
    books.memory_bytes_free = 6ull << 30;
    books.slots_free = 0;
    books.queued_tasks = 3;
    node.devices.push_back(books);
    node.duties = protocol::NodeDuties{3, 0, true};
    status.nodes.push_back(node);
  }
  return status;
}

inline protocol::JobSummary running() {
  protocol::JobSummary job;
  job.job = {424};
  job.name = "sweep";
  job.state = protocol::TaskState::running;
  job.counts = {60, 2, 136, 2, 0, 0, 0};
  job.submitted_at_ms = noon.now_ms - 240'000;
  job.nodes = {{1}, {2}};
  job.waiting = {protocol::WaitingCode::capacity, "2 devices, all busy"};
  job.device_ns = 1'500'000'000;
  return job;
}

inline protocol::JobDetail finished() {
  protocol::JobDetail detail;
  detail.source = {1};
  detail.summary.job = {17};
  detail.summary.name = "saxpy";
  detail.summary.state = protocol::TaskState::failed;
  detail.summary.counts = {0, 0, 1, 1, 0, 0, 0};
  detail.summary.submitted_at_ms = noon.now_ms - 10'000;
  detail.summary.finished_at_ms = noon.now_ms - 7'500;
  detail.summary.nodes = {{1}, {2}};
  protocol::JobSpec spec;
  spec.name = "saxpy";
  spec.kernel.name = "saxpy<float>";
  spec.kernel.arguments.push_back(
      protocol::BufferArgument{protocol::BufferUse::out, "y_{}.f32", 4, {}});
  spec.kernel.arguments.push_back(
      protocol::BufferArgument{protocol::BufferUse::inout, "z_{}_of_{n}", 4, {}});
  spec.tasks = 2;
  detail.spec = {std::make_shared<const protocol::JobSpec>(spec)};
  protocol::TaskReport good;
  good.range = {0, 1};
  good.outcome.attempt = {{0}, {1}, {3}, 42};
  good.outcome.device = {{1}, 0};
  good.outcome.outputs = {base::Bytes::copy_of(std::string_view("abcd")),
                          protocol::ObjectRef{{{0xab}}, 4096, {1}}};
  good.outcome.timings = {200'000, 51'000'000, 100'000, 3'200'000, 90'000, false};
  protocol::TaskReport bad;
  bad.range = {1, 1};
  bad.outcome.state = protocol::TaskState::failed;
  bad.outcome.reason = base::FailureReason::out_of_bounds;
  bad.outcome.message = "read at 4096 of 4096 bytes\nmore";
  bad.outcome.attempt = {{0}, {1}, {3}, 43};
  bad.outcome.device = {{2}, 0};
  bad.outcome.timings.compile_cached = true;
  detail.reports = {good, bad};
  detail.next_task = 2;
  detail.attempts = {{good.outcome.attempt, {{0, 1}}, {{1}, 0}},
                     {bad.outcome.attempt, {{1, 1}}, {{2}, 0}}};
  return detail;
}

}  // namespace fastgpu::cli::test
