#pragma once

/// Gives the ready tasks of the shards led here to devices of the whole cluster.
///
/// Place in the flow: shards say what is ready (TasksReady), the monitor shows the cluster
/// (SharedView); Place goes back to the shard, which proposes and assigns. What a worker answers
/// corrects this machine's guess of the device. One per node, owned by the scheduler actor, stepped
/// on its thread only; no clock, no I/O, randomness from its seed.
///
/// Rules:
/// - Work is matched in rounds, at most one each `round_interval`. A round serves jobs by turn (see
///   ready_jobs.hpp; what a lost node had goes first), each time with a chunk: an even share of
///   what is ready, within the bounds of a message and of the device.
/// - The device is drawn at random among those that would complete the next task almost soonest,
///   so that schedulers that see the same do not all choose the same. Where a device of the kind
///   has a free slot, none is chosen that has not: what runs there may run for long.
/// - Short tasks are sent ahead, up to `ahead_ns` of predicted time; long ones when a slot is free;
///   unknown ones a few at a time until some have run; never more to one device than the mean of
///   its kind. A device that is held up by a task of unforeseen length gets nothing behind it, and
///   gives back what it has: it becomes ready again.
/// - A device that refuses or does not answer is avoided for a growing while; what else it refuses
///   meanwhile does not make that longer. Nodes that are not
///   up and devices that are not healthy are not used.
/// - Every job that could not be served has a reason, said when it changes.
/// Nothing fails. Work per round is bounded by `places_max`, `groups_max` and the devices.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"
#include "runtime/books/funnel.hpp"
#include "runtime/schedule/device_guess.hpp"
#include "runtime/schedule/predictor.hpp"
#include "runtime/schedule/ready_jobs.hpp"
#include "runtime/schedule/schedule_effects.hpp"
#include "runtime/schedule/schedule_events.hpp"

namespace fastgpu::schedule {

class SchedulerMachine {
 public:
  static constexpr base::Duration round_interval = std::chrono::milliseconds(1);
  /// While something waits there is a round at least this often.
  static constexpr base::Duration idle_round_interval = std::chrono::milliseconds(200);
  static constexpr base::Duration reason_interval = std::chrono::milliseconds(250);
  static constexpr base::Duration sentence_interval = std::chrono::seconds(1);
  static constexpr std::size_t places_max = 512;
  static constexpr std::size_t groups_max = 256;
  static constexpr std::size_t tellings_max = 256;
  static constexpr std::int64_t ahead_ns = 1'000'000'000;
  static constexpr std::uint32_t ahead_unknown = 2;  ///< tasks beyond the slots, without history
  static constexpr std::uint32_t shares_per_device = 3;
  static constexpr std::int64_t chunk_ns_min = 1'000'000;  ///< smaller chunks are not worth it
  static constexpr std::uint32_t chunk_small_max = 64;
  static constexpr std::int64_t near_best_ns = 50'000;
  static constexpr std::int64_t near_best_percent = 10;

  explicit SchedulerMachine(std::uint64_t seed) : random_(seed) {}

  std::size_t waiting_jobs() const { return ready_.size(); }
  const ReadyJob* waiting(base::JobId job) const { return ready_.find(job); }
  const DeviceGuess* device(base::DeviceId id) const;
  std::optional<base::Time> next_deadline() const;

  Effects step(const Event& event, base::Time now);

 private:
  void on(const protocol::TasksReady& event);
  void on(const protocol::TasksGone& event);
  void on(const protocol::AssignAnswered& event);
  void on(const protocol::TasksRan& event);
  void on(const protocol::ShardRetired& event);
  void on(const protocol::SharedView& event);
  void on(const Tick& event);

  struct Choice {
    base::DeviceId device;
    std::uint32_t tasks{};
    std::int64_t mean_ns{};
  };
  using Heads = std::set<std::pair<std::uint64_t, GroupKey>>;  ///< by the turn of the first job

  void round();
  Heads heads_of_round();
  bool serve_first(const GroupKey& key);
  struct KindShare {
    std::uint32_t devices{};
    std::uint64_t held{};  ///< tasks on all of them
    Prediction prediction;
  };
  std::map<protocol::DeviceKind, KindShare> shares_of(const ReadyJob& job) const;
  std::optional<Choice> choose(const ReadyJob& job);
  std::uint32_t chunk_of(const ReadyJob& job, protocol::DeviceKind kind,
                         const Prediction& prediction) const;
  std::uint32_t room_for(const ReadyJob& job, const DeviceGuess& device,
                         const Prediction& prediction) const;
  static std::uint32_t worth_sending(protocol::DeviceKind kind, const Prediction& prediction);
  bool usable(const DeviceGuess& device) const;
  bool may_take(const DeviceGuess& device, const ReadyJob& job) const;
  void find_reason(const GroupKey& key, Group& group);
  void tell_waiting(Group& group);
  void tell(ReadyJob& job, const protocol::WaitingReason& reason);
  void left(const std::optional<ReadyJob>& job);

  base::Random random_;
  Predictor predictor_;
  ReadyJobs ready_;
  std::map<base::DeviceId, DeviceGuess> devices_;
  std::map<base::NodeId, base::Incarnation> lives_;  ///< of the nodes in the view
  std::uint32_t usable_devices_{0};                  ///< of the round under way

  bool changed_{false};                   ///< a round may place more than the last one
  std::optional<base::Time> round_at_;    ///< of the last round
  std::optional<base::Time> trusted_at_;  ///< when a device stops being avoided
  std::optional<GroupKey> looked_up_to_;  ///< when there are more groups than a round looks at
  std::size_t tellings_left_{0};

  base::Time now_{};  ///< of the step under way
  Effects effects_;   ///< of the step under way
};

}  // namespace fastgpu::schedule
