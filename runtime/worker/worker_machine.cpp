#include "runtime/worker/worker_machine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::worker {

namespace {

void earlier(std::optional<base::Time>& earliest, std::optional<base::Time> other) {
  if (other && (!earliest || *other < *earliest))
    earliest = other;
}

}  // namespace

WorkerMachine::WorkerMachine(const WorkerOptions& options)
    : options_(options), ledger_(options.device, options.incarnation) {
  if (options.expected != books::DeviceShape{}) {
    books::DeviceShape shape = options.expected;
    shape.slots = 0;
    ledger_.describe(shape);
  }
}

Effects WorkerMachine::step(const Event& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { on(what); }, event);
  watch_time();
  watch_commands();
  keep_again_where_due();
  watch_health();
  watch_device();
  watch_queue();
  pump();
  stage_ahead();
  staging_.trim();
  flush_where_due();
  do_duties();
  publish_where_due();
  return std::exchange(effects_, {});
}

void WorkerMachine::on(const Tick&) {}

std::optional<base::Time> WorkerMachine::next_deadline() const {
  std::optional<base::Time> earliest = duty_at_;
  earlier(earliest, flush_at_);
  if (killing_since_) {
    earlier(earliest, *killing_since_ + kill_limit);
  } else if (up_) {
    earlier(earliest, kill_at_);
    earlier(earliest, head_deadline());
    earlier(earliest, launch_not_before_ ? launch_not_before_ : health_.next_deadline());
  }
  if (down_since_ && described_ && books().healthy)
    earlier(earliest, *down_since_ + unhealthy_after);
  if (down_since_ && books().queued_tasks != 0)
    earlier(earliest, *down_since_ + device_lost_after);
  if (storing_ && books().queued_tasks != 0)
    earlier(earliest, storing_->since + device_lost_after);
  if (storing_ && keeping_.empty())
    earlier(earliest, storing_->until);
  for (const auto& [token, keeping] : keeping_)
    earlier(earliest, keeping.retry_at);
  earlier(earliest, over_time_due());
  earlier(earliest, commands_due());
  earlier(earliest, queue_due());
  if (published_at_ && books().version != published_version_)
    earlier(earliest, *published_at_ + publish_interval);
  return earliest;
}

std::uint32_t WorkerMachine::window() const {
  return books().kind == protocol::DeviceKind::null ? options_.window_null : options_.window;
}

void WorkerMachine::send(base::ShardId shard, protocol::PeerMessage message) {
  effects_.push_back(SendToNode{shards_.at(shard).leader, std::move(message)});
}

void WorkerMachine::move(Attempt& attempt, Task& task, Phase to) {
  const auto& request = attempt.spec->request;
  const Phase from = task.phase;
  FASTGPU_CHECK(from != to, "a task moves to another phase");
  task.phase = to;
  const auto count = [&attempt, this](Phase phase) -> std::uint32_t* {
    switch (phase) {
      case Phase::queued:
        return &attempt.queued;
      case Phase::running:
        return &attempt.running;
      case Phase::keeping:
        return &attempt.keeping;
      case Phase::ended:
        return &unsettled_tasks_;
      case Phase::gone:
        return nullptr;
    }
    return nullptr;
  };
  if (std::uint32_t* const less = count(from))
    *less -= 1;
  if (std::uint32_t* const more = count(to))
    *more += 1;
  Shard& shard = shards_.at(attempt.id.shard);
  shard.queued += (to == Phase::queued ? 1 : 0) - (from == Phase::queued ? 1 : 0);
  shard.unsettled += (to == Phase::ended ? 1 : 0) - (from == Phase::ended ? 1 : 0);
  const bool here = to == Phase::queued || to == Phase::running;
  if (from == Phase::queued)
    to == Phase::running ? ledger_.launch(request) : ledger_.release_queued(1);
  else if (from == Phase::running)
    to == Phase::queued ? ledger_.requeue(request) : ledger_.release_running(request);
  else
    FASTGPU_CHECK(!here, "only what is granted runs");
  if (!here && (from == Phase::queued || from == Phase::running))
    run_times_.release(attempt.program, 1);
  if (to == Phase::ended || to == Phase::gone)
    drop_folder({attempt.id, static_cast<std::size_t>(&task - attempt.tasks.data())});
}

void WorkerMachine::forget_if_done(base::AttemptId id) {
  const auto found = attempts_.find(id);
  if (found == attempts_.end() || found->second.unfinished() || !found->second.reports.empty())
    return;
  if (found->second.next_queued < found->second.tasks.size())
    std::erase(queue_, id);
  to_flush_.erase(id);
  attempts_.erase(found);
  duties_changed_ = true;
}

void WorkerMachine::publish_where_due() {
  // A device that never came up is shown once it is known not to.
  if ((!described_ && !health_.quarantined()) || books().version == published_version_)
    return;
  if (published_at_ && now_ < *published_at_ + publish_interval &&
      published_healthy_ == books().healthy &&
      published_commands_ == books().no_commands_why.empty())
    return;
  ledger_.set_backlog(backlog_ns());
  published_version_ = books().version;
  published_healthy_ = books().healthy;
  published_commands_ = books().no_commands_why.empty();
  published_at_ = now_;
  effects_.push_back(books());
}

// --- the device's own health ---------------------------------------------------------------------

void WorkerMachine::watch_device() {
  if (storing_ && now_ >= storing_->until && keeping_.empty())
    storing_.reset();
  if (health_.quarantined())
    ledger_.set_health(health_.why());
  else if (!described_)
    return;
  else if (down_since_ && now_ >= *down_since_ + unhealthy_after)
    ledger_.set_health("the device's process is down");
  else if (storing_)
    ledger_.set_health("results cannot be stored: " + storing_->why);
  else if (!down_since_)
    ledger_.set_health("");
  if (books().queued_tasks == 0)
    return;
  if (health_.quarantined() || (down_since_ && now_ >= *down_since_ + device_lost_after))
    lose_device();
  else if (storing_ && now_ >= storing_->since + device_lost_after)
    hand_back(std::nullopt);
}

/// What was running when the device went down for good, or for a while, may be to blame: that
/// counts. Nothing else has run.
void WorkerMachine::lose_device() {
  for (auto& [id, attempt] : attempts_)
    for (std::size_t place = 0; place < attempt.tasks.size(); ++place)
      if (attempt.tasks[place].phase == Phase::queued && attempt.tasks[place].solo)
        end_queued(attempt, place, base::FailureReason::device_lost,
                   health_.quarantined()
                       ? "the device's process died while it ran; the device is " + health_.why()
                       : "the device's process died while it ran and could not be started again");
  hand_back(std::nullopt);
}

void WorkerMachine::hand_back(std::optional<base::ShardId> only) {
  hand_back([only](const Attempt& attempt) { return !only || attempt.id.shard == *only; });
}

void WorkerMachine::hand_back(const std::function<bool(const Attempt&)>& which) {
  std::set<base::ShardId> touched;
  for (auto it = attempts_.begin(); it != attempts_.end();) {
    Attempt& attempt = (it++)->second;
    if (attempt.queued == 0 || !which(attempt))
      continue;
    touched.insert(attempt.id.shard);
    base::Time& stamp = shards_.at(attempt.id.shard).given_back_stamp;
    stamp = std::max(stamp, attempt.granted_stamp);
    for (Task& task : attempt.tasks)
      if (task.phase == Phase::queued)
        move(attempt, task, Phase::gone);
    forget_if_done(attempt.id);
  }
  for (const base::ShardId id : touched) {
    shards_.at(id).warm_until = now_ + stay_warm;  // until it has surely been heard
    renew(id, shards_.at(id));
  }
}

}  // namespace fastgpu::worker
