#pragma once

/// A worker machine on a bench: a clock that is set by hand, the effects of each step sorted and
/// recorded, invariants checked after every step.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/worker/self_test.hpp"
#include "runtime/worker/worker_invariants.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

using namespace std::chrono_literals;

class WorkerBench {
 public:
  static constexpr base::NodeId leader{1};
  static constexpr base::NodeId other_leader{3};
  static constexpr base::DeviceId device{{2}, 0};
  static constexpr base::Incarnation life{7};
  static constexpr base::ShardId shard{4};
  static constexpr base::JobId job{12};

  explicit WorkerBench(std::uint32_t window = 1) : machine({device, life, window, 64, {}}) {}

  static base::AttemptId attempt(std::uint64_t sequence, std::uint64_t term = 1,
                                 std::uint64_t epoch = 1) {
    return {shard, {epoch}, {term}, sequence};
  }
  static protocol::SharedSpec spec_of(protocol::JobSpec spec) {
    return {std::make_shared<const protocol::JobSpec>(std::move(spec))};
  }
  static protocol::JobSpec plain_spec(std::uint32_t tasks = 1000) {
    protocol::JobSpec spec;
    spec.kernel.source = base::Bytes::copy_of(std::string_view("__global__ void k() {}"));
    spec.kernel.name = "k";
    spec.tasks = tasks;
    return spec;
  }
  static protocol::Assign assign(std::uint64_t sequence, base::TaskRange range,
                                 std::uint64_t term = 1) {
    return {attempt(sequence, term), job, {range}, device, life, spec_of(plain_spec())};
  }

  void step(const Event& event) {
    for (auto& effect : machine.step(event, now)) {
      if (auto* send = std::get_if<SendToNode>(&effect))
        sent.push_back(std::move(*send));
      else if (auto* launch = std::get_if<Launch>(&effect))
        (is_self_test(*launch) ? self_tests : launches).push_back(std::move(*launch));
      else if (auto* stage = std::get_if<protocol::Stage>(&effect))
        stages.push_back(std::move(*stage));
      else if (auto* keep = std::get_if<protocol::Keep>(&effect))
        keeps.push_back(std::move(*keep));
      else if (auto* kill = std::get_if<KillExecutor>(&effect))
        kills.push_back(kill->why);
      else if (auto* prepare = std::get_if<protocol::PrepareFolder>(&effect))
        prepares.push_back(std::move(*prepare));
      else if (auto* collect = std::get_if<protocol::CollectFolder>(&effect))
        collects.push_back(std::move(*collect));
      else if (auto* drop = std::get_if<protocol::DropFolder>(&effect))
        drops.push_back(drop->folder);
      else if (auto* command = std::get_if<LaunchCommand>(&effect))
        commands.push_back(std::move(*command));
      else if (auto* extend = std::get_if<ExtendLease>(&effect))
        extends.push_back(*extend);
      else if (auto* stopped = std::get_if<StopCommand>(&effect))
        command_stops.push_back(std::move(*stopped));
      else
        published.push_back(std::get<protocol::DeviceBooks>(effect));
    }
    for (const auto& broken : broken_invariants(machine))
      ADD_FAILURE() << broken;
    if (device_is_good && !self_tests.empty())
      end_self_test();
  }
  /// The device ends the self-test under way, well or with a wrong answer.
  void end_self_test(bool well = true) {
    ASSERT_FALSE(self_tests.empty());
    const Launch test = std::move(self_tests.front());
    self_tests.pop_front();
    step(ExecutorDone{test.token, base::FailureReason::none, "", {answer_of(test, well)}, {}});
  }
  /// The word of the self-test, again and again; zero from a null device.
  base::Bytes answer_of(const Launch& test, bool well) const {
    const auto& word = std::get<LaunchScalar>(test.arguments.at(0)).bytes;
    std::vector<std::uint8_t> answer(std::get<LaunchBuffer>(test.arguments.at(1)).size_bytes);
    for (std::size_t i = 0; machine.books().kind != protocol::DeviceKind::null && i < answer.size();
         ++i)
      answer[i] = word[i % word.size()];
    answer.back() ^= well ? 0 : 1;
    return base::Bytes(std::move(answer));
  }
  /// Lets time pass, with a Tick at every deadline on the way.
  void pass(base::Duration time) {
    const base::Time end = now + time;
    for (auto next = machine.next_deadline(); next && *next <= end;
         next = machine.next_deadline()) {
      now = std::max(now, *next);
      step(Tick{});
      const auto again = machine.next_deadline();
      ASSERT_TRUE(!again || *again > now) << "a deadline that was met is not over";
    }
    now = end;
    step(Tick{});
  }

  void ready(protocol::DeviceKind kind = protocol::DeviceKind::cpu,
             std::uint64_t memory_bytes = 1 << 20) {
    step(ExecutorReady{kind, "test device", "uuid", memory_bytes});
  }
  void give(const protocol::Assign& what, base::NodeId from = leader) {
    step(FromLeader<protocol::Assign>{from, what});
  }
  void renewed(base::Duration lease = base::limits::lease_safe,
               std::vector<protocol::Stop> stop = {}, std::uint64_t term = 1) {
    step(FromLeader<protocol::Renewed>{leader,
                                       {shard,
                                        {1},
                                        {term},
                                        device,
                                        now.time_since_epoch().count(),
                                        lease.count(),
                                        stop,
                                        base::Duration(base::limits::lease_command).count()}});
  }
  void stop(std::uint64_t sequence, base::TaskRange range) {
    step(FromLeader<protocol::Stop>{leader, {attempt(sequence), job, device, {range}}});
  }
  void settle(std::uint64_t sequence, base::TaskRange range) {
    step(FromLeader<protocol::Settled>{leader, {attempt(sequence), job, device, {range}}});
  }
  /// The oldest launch ends.
  void done(base::FailureReason reason = base::FailureReason::none, std::string message = "",
            std::vector<base::Bytes> outputs = {}) {
    ASSERT_FALSE(launches.empty());
    const LaunchToken token = launches.front().token;
    launches.pop_front();
    step(ExecutorDone{token, reason, std::move(message), std::move(outputs), {}});
  }
  /// The executor dies with everything that it has.
  void die(const std::string& reason = "signal 9",
           std::optional<LaunchToken> running = std::nullopt) {
    ExecutorDied died{reason, {}, running};
    for (auto* const all : {&launches, &self_tests}) {
      for (const auto& launch : *all)
        died.in_flight.push_back(launch.token);
      all->clear();
    }
    step(died);
  }
  /// Takes the first message of this kind that was sent.
  template <class Message>
  std::optional<Message> take(base::NodeId* to = nullptr) {
    for (auto it = sent.begin(); it != sent.end(); ++it) {
      if (auto* message = std::get_if<Message>(&it->message)) {
        Message taken = std::move(*message);
        if (to)
          *to = it->node;
        sent.erase(it);
        return taken;
      }
    }
    return std::nullopt;
  }
  template <class Message>
  std::size_t count() const {
    std::size_t number = 0;
    for (const auto& message : sent)
      number += std::holds_alternative<Message>(message.message) ? 1 : 0;
    return number;
  }
  /// Ready, and with a lease of the shard.
  void warm_up(protocol::DeviceKind kind = protocol::DeviceKind::cpu,
               std::uint64_t memory_bytes = 1 << 20) {
    ready(kind, memory_bytes);
    step(FromLeader<protocol::Adopt>{leader, {shard, {1}, {1}}});
    renewed();
    sent.clear();
  }

  WorkerMachine machine;
  base::Time now{1000s};
  std::vector<SendToNode> sent;
  std::deque<Launch> launches;
  std::deque<Launch> self_tests;
  bool device_is_good{true};  ///< it passes each self-test at once
  std::vector<protocol::Stage> stages;
  std::vector<protocol::Keep> keeps;
  std::vector<std::string> kills;
  std::vector<protocol::DeviceBooks> published;
  std::vector<protocol::PrepareFolder> prepares;
  std::vector<protocol::CollectFolder> collects;
  std::vector<std::string> drops;
  std::deque<LaunchCommand> commands;
  std::vector<ExtendLease> extends;
  std::vector<StopCommand> command_stops;
};

}  // namespace fastgpu::worker
