#pragma once

/// Values that the tests of the session machines share.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::session::test {

using namespace std::chrono_literals;

inline base::Time at(base::Duration since_start) {
  return base::Time{} + since_start;
}

/// A job that passes every check: saxpy on two buffers.
inline protocol::JobSpec good_spec() {
  protocol::JobSpec spec;
  spec.name = "saxpy";
  spec.kernel.name = "saxpy<float>";
  spec.kernel.source = base::Bytes::copy_of(std::string_view("template <class T> ..."));
  spec.kernel.grid = {4, 1, 1};
  spec.kernel.block = {256, 1, 1};
  spec.kernel.arguments.push_back(protocol::ScalarArgument{protocol::ScalarType::i32, "1024"});
  protocol::BufferArgument in{protocol::BufferUse::in, "x.f32", 4, {}};
  in.data.push_back(base::Bytes::copy_of(std::string_view("abcd")));
  spec.kernel.arguments.push_back(in);
  spec.kernel.arguments.push_back(
      protocol::BufferArgument{protocol::BufferUse::out, "y_{}.f32", 16, {}});
  spec.tasks = 3;
  spec.request.memory_bytes = 20;
  return spec;
}

inline protocol::Submit submit_to(std::uint32_t shard, protocol::JobSpec spec = good_spec()) {
  return {{{shard}, 7, 9}, {std::make_shared<const protocol::JobSpec>(std::move(spec))}};
}

inline protocol::NodeView node_view(std::uint32_t id, std::vector<std::uint32_t> shards,
                                    protocol::NodeState state = protocol::NodeState::up) {
  protocol::NodeView view;
  view.info = {{id}, "n" + std::to_string(id), "127.0.0.1:760" + std::to_string(id)};
  view.incarnation = {1};
  view.state = state;
  for (const std::uint32_t shard : shards) {
    view.leads.push_back({{shard}, {1}, {1}});
  }
  protocol::DeviceBooks books;
  books.device = {{id}, 0};
  books.incarnation = {1};
  books.kind = protocol::DeviceKind::cpu;
  books.memory_bytes_total = books.memory_bytes_free = 1u << 30;
  books.queue_room = 16;
  view.devices.push_back(books);
  return view;
}

/// Node `self` sees these.
inline protocol::SharedView view_of(std::uint32_t self, std::vector<protocol::NodeView> nodes) {
  protocol::ClusterView view;
  view.cluster = {1, 2};
  view.self = {self};
  view.nodes = std::move(nodes);
  return std::make_shared<const protocol::ClusterView>(std::move(view));
}

/// The effects of one kind, in order.
template <class Wanted, class Effects>
std::vector<Wanted> all_of(const Effects& effects) {
  std::vector<Wanted> wanted;
  for (const auto& effect : effects) {
    if (const auto* it = std::get_if<Wanted>(&effect)) {
      wanted.push_back(*it);
    }
  }
  return wanted;
}

inline protocol::JobSummary summary(std::uint64_t job, protocol::TaskState state) {
  protocol::JobSummary it;
  it.job = {job};
  it.state = state;
  return it;
}

inline protocol::JobList list_of(std::vector<protocol::JobSummary> jobs) {
  protocol::JobList list;
  list.jobs = std::move(jobs);
  return list;
}

inline const base::Error& error_in(const protocol::ClientReply& reply) {
  static const base::Error none{base::ErrorKind::internal, base::ErrorCode::none, "no error", ""};
  const auto* error = std::get_if<base::Error>(&reply);
  return error ? *error : none;
}

}  // namespace fastgpu::session::test
