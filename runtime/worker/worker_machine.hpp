#pragma once

/// Books one device, grants what shard leaders assign to it, runs it, and reports until settled.
///
/// Place in the flow: leaders' Assign comes in through the router; Launch goes to the device's
/// executor; Finish goes back to the leader. The leader's knowledge is advice, this machine's books
/// are the truth. One per device, owned by the worker actor, stepped on its thread only; no clock,
/// no I/O.
///
/// Rules:
/// - It grants only what names its own life, is not of a lower epoch or term than it has seen of
///   the shard, and is greater than every attempt it has seen of that shard. A repeat of what it
///   holds is answered from the books and changes nothing. So no attempt is granted twice.
/// - Tasks launch in the order in which they were granted, but those that another node had when it
///   was lost come before the others.
/// - Nothing launches without an unexpired lease of its shard, counted from the sending of the
///   Renew. What runs goes on when a lease ends: its result counts only with the recorded finish.
/// - A command starts only while its leader surely counts on it: before the end that its Assign
///   names, or when a Renew that listed its attempt was answered. It runs no longer than its lease,
///   which begins with the sending of the last Renew that was answered; the warden keeps that too,
///   also when this process stands still. A command that is stopped ends alone. It has a slot of
///   the device like a launch; commands and kernels do not run on one device at the same time, nor
///   two executions of one command task.
/// - A task has one end per attempt, told until Settled.
/// - When the device's process dies by itself and nobody is proven to have done it, tasks that may
///   be to blame run again one at a time, behind a self-test (device_health.hpp). Who kills it
///   twice alone has failed if the device passes the self-test then; else the device is to blame.
///   When we killed it, or the culprit is known, the others just run again.
/// - A device in quarantine gets nothing and keeps nothing queued.
/// - Tasks that cannot run here (the device stays down, results cannot be stored, their leader
///   gives no lease) are handed back by leaving them out of the next Renew: they have not run.
/// - While nothing starts commands, commands are refused with the reason in the books, and queued
///   ones are handed back after a moment; kernels are not concerned.
/// - Results that cannot be stored are kept again and again until limits::keep_deadline; meanwhile
///   the device is unhealthy and starts nothing.
/// Failures of the outside become outcomes; broken own invariants abort. Everything held is bounded
/// by limits::device_queue_tasks_max and the limits `unsettled_tasks...`, which no shard whose
/// leader is gone can use up for the others.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "runtime/base/time.hpp"
#include "runtime/books/device_books.hpp"
#include "runtime/worker/device_health.hpp"
#include "runtime/worker/run_times.hpp"
#include "runtime/worker/staging_cache.hpp"
#include "runtime/worker/worker_effects.hpp"
#include "runtime/worker/worker_events.hpp"
#include "runtime/worker/worker_state.hpp"

namespace fastgpu::worker {

struct WorkerOptions {
  base::DeviceId device;
  base::Incarnation incarnation;
  std::uint32_t window{1};  ///< launches in flight on a gpu or cpu
  std::uint32_t window_null{64};
  /// What its driver tells before the executor is up: people see which device does not come up.
  books::DeviceShape expected;
};

class WorkerMachine {
 public:
  static constexpr base::Duration finish_batch_delay = std::chrono::milliseconds(2);
  static constexpr base::Duration publish_interval = std::chrono::milliseconds(20);
  static constexpr base::Duration renew_retry_interval = std::chrono::milliseconds(500);
  static constexpr base::Duration stay_warm = std::chrono::seconds(60);
  static constexpr base::Duration stop_grace = std::chrono::milliseconds(10);
  static constexpr base::Duration unhealthy_after = std::chrono::seconds(1);
  static constexpr base::Duration device_lost_after = std::chrono::seconds(5);
  static constexpr base::Duration held_up_min = std::chrono::milliseconds(500);
  static constexpr base::Duration held_up_max = std::chrono::seconds(1);
  static constexpr std::size_t staged_ahead_tasks = 4;
  static constexpr base::Duration launch_retry_delay = std::chrono::milliseconds(5);
  static constexpr base::Duration kill_limit = std::chrono::seconds(10);
  static constexpr base::Duration restart_told_within = std::chrono::seconds(1);
  static constexpr base::Duration kernel_made_within = std::chrono::minutes(3);
  static constexpr base::Duration command_retry_delay = std::chrono::milliseconds(100);
  static constexpr base::Duration folder_retry_delay = std::chrono::seconds(1);

  explicit WorkerMachine(const WorkerOptions& options);

  const protocol::DeviceBooks& books() const { return ledger_.books(); }
  const std::map<base::AttemptId, Attempt>& attempts() const { return attempts_; }
  const std::map<LaunchToken, InFlight>& in_flight() const { return in_flight_; }
  const std::map<TaskRef, Folder>& folders() const { return folders_; }
  const std::map<protocol::StageToken, Keeping>& keeping() const { return keeping_; }
  const std::map<base::ShardId, Shard>& shards() const { return shards_; }
  const DeviceHealth& health() const { return health_; }
  bool holds(base::AttemptId attempt) const { return attempts_.contains(attempt); }
  bool leased(base::ShardId shard, base::Time now) const;
  std::optional<base::Time> next_deadline() const;

  Effects step(const Event& event, base::Time now);

 private:
  // What leaders say: worker_grants.cpp, and worker_leases.cpp for leadership and leases.
  void on(const FromLeader<protocol::Assign>& event);
  void on(const FromLeader<protocol::Stop>& event);
  void on(const FromLeader<protocol::Settled>& event);
  void on(const FromLeader<protocol::Adopt>& event);
  void on(const FromLeader<protocol::Renewed>& event);
  // What objects and the executor say: worker_launches.cpp, worker_ends.cpp.
  void on(const protocol::Staged& event);
  void on(const protocol::Kept& event);
  void on(const protocol::FolderReady& event);
  void on(const protocol::FolderCollected& event);
  void on(const ExecutorReady& event);
  void on(const ExecutorDone& event);
  void on(const ExecutorDied& event);
  void on(const KernelMaking& event);
  void on(const DeviceAccused& event);
  void on(const protocol::DeviceTelemetry& event) { ledger_.set_telemetry(event); }
  void on(const LaunchRefused& event);
  void on(const CommandStarted& event);
  void on(const CommandEnded& event);
  void on(const WardenReady& event);
  void on(const WardenAway& event);
  void on(const Tick& event);

  protocol::RefusalReason judge(const protocol::Assign& assign) const;
  void grant(const protocol::Assign& assign);
  void enqueue(const Attempt& attempt);
  void answer(base::NodeId to, const protocol::Assign& assign, protocol::RefusalReason refused);
  void stop(base::AttemptId attempt, base::JobId job, const std::vector<base::TaskRange>& ranges);
  void stop_task(Attempt& attempt, Task& task);
  void supersede(const protocol::Assign& assign);
  void forget_if_done(base::AttemptId attempt);
  /// Queued tasks of the shard, or of all, will not run here: forgotten, and the leader hears.
  void hand_back(std::optional<base::ShardId> shard);
  void hand_back_commands();
  void hand_back(const std::function<bool(const Attempt&)>& which);
  /// The one place where a task changes its phase, and all counts with it.
  void move(Attempt& attempt, Task& task, Phase to);

  bool follow(base::ShardId shard, base::Epoch epoch, base::Term term, base::NodeId leader);
  void renew(base::ShardId id, Shard& shard);
  std::vector<protocol::HeldAttempt> held_of(base::ShardId shard) const;
  bool holds_any(base::ShardId shard) const;
  std::optional<base::Time> renew_due(base::ShardId id, const Shard& shard) const;
  std::optional<base::Time> hand_back_due(const Shard& shard) const;
  void do_duties();
  void resend(base::ShardId id, Shard& shard);
  void settle(Attempt& attempt, base::TaskRange range);

  enum class Try : std::uint8_t { consumed, wait, full };
  void pump();
  bool pump_again();
  bool pump_attempt(Attempt& attempt, std::size_t& looks);
  Try try_launch(Attempt& attempt, std::size_t place);
  enum class Inputs : std::uint8_t { there, awaited, failed };
  struct StagingFailure {
    std::string input;  ///< which one, in words
    base::Error error;
  };
  Inputs stage_inputs(const Attempt& attempt, const Task& task, StagingFailure& failure);
  /// The arguments' objects, or the command's folder.
  Inputs inputs_of(const Attempt& attempt, std::size_t place, StagingFailure& failure);
  void note_away(Attempt& attempt, std::size_t place, const StagingFailure& failure);
  protocol::WaitingReason waiting_of(const Attempt& attempt) const;
  void launch(Attempt& attempt, std::size_t place, std::vector<LaunchArgument> arguments);
  void stage_ahead();
  bool may_launch() const;
  /// Under a lease, and with room for what will have to be told.
  bool may_launch_of(base::ShardId shard) const;
  void end_queued(Attempt& attempt, std::size_t place, base::FailureReason reason,
                  std::string message);

  // worker_commands.cpp
  Inputs want_folder(const Attempt& attempt, std::size_t place, StagingFailure& failure);
  void ask_folder(const Attempt& attempt, std::size_t place, Folder& folder);
  void drop_folder(const TaskRef& ref);
  /// Beside what is in flight now.
  bool may_run_beside(const Attempt& attempt, const Task& task) const;
  base::Time lease_end(const Attempt& attempt) const;
  bool is_counted_on(const Attempt& attempt) const;
  void launch_command(Attempt& attempt, std::size_t place);
  void stop_command(LaunchToken token, InFlight& launch, std::string why);
  void extend_leases(base::ShardId shard);
  void watch_commands();
  std::optional<base::Time> commands_due() const;
  protocol::TaskOutcome outcome_of(const CommandEnded& event, const InFlight& launch) const;

  struct Ended {
    InFlight launch;
    std::int64_t device_ns{};
    std::string restart;  ///< for people, how long the device's process was away; may be empty
  };
  std::optional<Ended> take_launch(LaunchToken token);
  void end_succeeded(const Ended& ended, const ExecutorDone& event);
  void run_again(const TaskRef& ref);
  void finish(Attempt& attempt, Task& task, protocol::TaskOutcome outcome, std::int64_t device_ns);
  void keep_outputs(const TaskRef& ref, protocol::TaskOutcome outcome,
                    std::vector<std::size_t> places, std::int64_t device_ns);
  void begin_keeping(Keeping keeping);
  void keep(protocol::StageToken token, const Keeping& keeping);
  void keep_failed(protocol::StageToken token, const base::Error& error);
  void note_storing_trouble(const base::Error& error);
  void keep_again_where_due();
  void end_kept(const Keeping& keeping, protocol::TaskOutcome outcome);
  void stop_keeping(Attempt& attempt, Task& task);
  protocol::TaskOutcome outcome_of(const Attempt& attempt, base::FailureReason reason,
                                   std::string message) const;
  void flush(Attempt& attempt);
  void flush_where_due();
  void watch_time();
  void watch_device();
  void lose_device();
  void kill(std::string why);

  // worker_health.cpp
  /// A task that killed the device's process alone, until the self-test has passed.
  struct Accused {
    TaskRef task;
    std::string reason;
    std::int64_t device_ns{};
  };
  void note_crash(const ExecutorDied& event);
  void end_died(const Ended& ended, bool suspect, bool alone, const std::string& reason);
  void watch_health();
  void end_test(const ExecutorDone& event);
  void end_over_time(std::optional<base::Duration> restart);
  std::optional<base::Time> over_time_due() const;
  void convict(const Accused& accused);
  void give_process_up();

  std::optional<LaunchToken> head() const;
  std::optional<base::Time> head_deadline() const;

  // worker_queue.cpp
  void watch_queue();
  std::optional<base::Time> queue_due() const;
  base::Time progressed_at() const;
  base::Duration held_up_after() const;
  void release_queue();
  std::int64_t backlog_ns() const { return run_times_.backlog_ns(books().kind) + overrun_ns_; }

  void publish_where_due();
  std::uint32_t window() const;
  void send(base::ShardId shard, protocol::PeerMessage message);

  const WorkerOptions options_;
  books::DeviceLedger ledger_;
  RunTimes run_times_;
  StagingCache staging_;

  std::map<base::AttemptId, Attempt> attempts_;
  std::map<base::ShardId, Shard> shards_;
  std::deque<base::AttemptId> queue_;  ///< attempts with tasks not tried yet, in their order
  std::deque<TaskRef> again_;          ///< tasks to be run again, before the queue
  std::map<LaunchToken, InFlight> in_flight_;  ///< in the order of launching
  std::map<protocol::StageToken, Keeping> keeping_;
  std::map<TaskRef, Folder> folders_;
  std::map<protocol::StageToken, TaskRef> folder_asks_;
  std::set<base::AttemptId> to_flush_;  ///< attempts with reports never told
  std::optional<base::Time> flush_at_;
  std::optional<base::Time> duty_at_;  ///< when the next renewal or repeat is due
  bool duties_changed_{false};         ///< `duty_at_` must be found anew
  std::uint32_t unsettled_tasks_{0};   ///< ended and not settled, of all shards

  bool described_{false};
  bool up_{false};                           ///< the executor takes launches
  std::optional<base::Time> killing_since_;  ///< we asked for its end and have not heard of it
  std::optional<base::Time> down_since_;
  /// Results could not be stored.
  struct StoringTrouble {
    base::Time since;
    base::Time until;  ///< tried again then, if nothing is being kept
    std::string why;
  };
  std::optional<StoringTrouble> storing_;
  DeviceHealth health_;
  LaunchToken test_;  ///< the self-test under way; 0: none
  std::deque<Accused> accused_;
  std::uint64_t last_failed_program_{0};  ///< of the last launch that ended badly by itself
  std::optional<base::Time> kill_at_;     ///< for stopped tasks that still run
  std::optional<base::Time> launch_not_before_;
  std::optional<base::Time> command_not_before_;
  std::optional<base::Time> warden_away_since_;  ///< until queued commands have been handed back
  base::Time last_end_{base::Time::min()};       ///< of the last launch that ended
  std::int64_t overrun_ns_{0};  ///< expected further time of what runs for longer than foreseen
  std::uint64_t last_token_{0};
  std::uint64_t published_version_{0};
  bool published_healthy_{false};
  bool published_commands_{false};  ///< that it takes them
  std::optional<base::Time> published_at_;

  bool look_ahead_{false};  ///< the next tasks of the queue are others since the last look
  base::Time now_{};        ///< of the step under way
  Effects effects_;         ///< of the step under way
};

}  // namespace fastgpu::worker
