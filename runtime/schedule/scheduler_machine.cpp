#include "runtime/schedule/scheduler_machine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"

namespace fastgpu::schedule {

namespace {

using protocol::DeviceKind;
using protocol::RefusalReason;
using protocol::WaitingCode;

}  // namespace

Effects SchedulerMachine::step(const Event& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { on(what); }, event);
  const auto due = next_deadline();
  if (due && now_ >= *due)
    round();
  return std::exchange(effects_, {});
}

std::optional<base::Time> SchedulerMachine::next_deadline() const {
  if (ready_.empty())
    return std::nullopt;
  if (!round_at_)
    return now_;
  const base::Time due = *round_at_ + (changed_ ? round_interval : idle_round_interval);
  return std::min(due, trusted_at_.value_or(due));
}

const DeviceGuess* SchedulerMachine::device(base::DeviceId id) const {
  const auto found = devices_.find(id);
  return found == devices_.end() ? nullptr : &found->second;
}

// --- what the shards say -------------------------------------------------------------------------

void SchedulerMachine::on(const Tick&) {}

void SchedulerMachine::on(const protocol::TasksReady& event) {
  ready_.add(event);
  changed_ = true;
}

void SchedulerMachine::on(const protocol::TasksGone& event) {
  left(ready_.remove(event.job, event.ranges));
}

void SchedulerMachine::on(const protocol::ShardRetired& event) {
  ready_.retire(event.shard);
}

void SchedulerMachine::on(const protocol::AssignAnswered& event) {
  const auto found = devices_.find(event.device);
  if (found == devices_.end())
    return;
  DeviceGuess& device = found->second;
  const bool granted = event.answered && event.refused == RefusalReason::none;
  device.answered(event.tasks, granted);
  // Books of a device that has not been described yet say nothing.
  if (event.answered && event.books.device == event.device && event.books.slots_total != 0)
    device.see(event.books, now_);
  // Its shard took the choice back before the device was asked: no word on the device.
  const bool never_asked = !event.answered && event.refused != RefusalReason::none;
  // Its books say that it takes no commands for now, and speak for themselves: kernels may go on.
  const bool only_commands =
      event.answered && event.refused == RefusalReason::unhealthy && event.books.healthy;
  if (granted)
    device.trust();
  else if (!never_asked && !only_commands)
    device.avoid(now_);
  changed_ = true;
}

void SchedulerMachine::on(const protocol::TasksRan& event) {
  predictor_.ran(event.signature, event.kind, event.tasks, event.run_ns);
  const auto found = devices_.find(event.device);
  if (found != devices_.end())
    found->second.ended(event.tasks);
  changed_ = true;
}

// --- what the monitor shows ----------------------------------------------------------------------

void SchedulerMachine::on(const protocol::SharedView& event) {
  if (!event)
    return;
  lives_.clear();
  for (const auto& node : event->nodes) {
    lives_[node.info.node] = node.incarnation;
    for (const auto& books : node.devices) {
      DeviceGuess& device = devices_[books.device];
      device.see(books, now_);
      device.set_reachable(node.state == protocol::NodeState::up &&
                           node.info.state == protocol::MemberState::active);
    }
  }
  // A node that left the cluster takes its devices along; one whose new life has not told of its
  // devices yet has none of the old ones.
  std::erase_if(devices_, [&](const auto& entry) {
    const auto life = lives_.find(entry.first.node);
    return life == lives_.end() || life->second != entry.second.books().incarnation;
  });
  changed_ = true;
}

// --- rounds --------------------------------------------------------------------------------------

bool SchedulerMachine::usable(const DeviceGuess& device) const {
  return device.reachable() && device.books().healthy && !device.avoided(now_);
}

bool SchedulerMachine::may_take(const DeviceGuess& device, const ReadyJob& job) const {
  return usable(device) && books::serves(device.books(), job.work) &&
         books::could_ever_fit(job.group.first, device.books());
}

/// The groups that this round looks at: all, or the next ones in turn.
SchedulerMachine::Heads SchedulerMachine::heads_of_round() {
  Heads heads;
  const auto& groups = ready_.groups();
  auto it = looked_up_to_ ? groups.upper_bound(*looked_up_to_) : groups.begin();
  for (std::size_t i = 0; i < std::min(groups.size(), groups_max); ++i) {
    if (it == groups.end())
      it = groups.begin();
    heads.emplace(it->second.queue.begin()->first, it->first);
    looked_up_to_ = it->first;
    ++it;
  }
  return heads;
}

void SchedulerMachine::round() {
  round_at_ = now_;
  changed_ = ready_.groups().size() > groups_max;
  tellings_left_ = tellings_max;
  usable_devices_ = 0;
  trusted_at_.reset();
  for (const auto& [id, device] : devices_) {
    usable_devices_ += usable(device) ? 1 : 0;
    if (device.avoided(now_))
      trusted_at_ = std::min(trusted_at_.value_or(device.avoid_until()), device.avoid_until());
  }
  std::size_t places = 0;
  for (Heads heads = heads_of_round(); !heads.empty();) {
    const GroupKey key = heads.begin()->second;
    heads.erase(heads.begin());
    if (places == places_max) {
      changed_ = true;
      return;
    }
    if (!serve_first(key)) {
      Group& group = ready_.group(key);
      find_reason(key, group);
      tell_waiting(group);
      continue;
    }
    ++places;
    const auto group = ready_.groups().find(key);
    if (group != ready_.groups().end())
      heads.emplace(group->second.queue.begin()->first, key);
  }
}

/// Places a chunk of the group's first job, if any device takes one now.
bool SchedulerMachine::serve_first(const GroupKey& key) {
  const base::JobId id = ready_.group(key).queue.begin()->second;
  const ReadyJob& job = ready_.job(id);
  const auto choice = choose(job);
  if (!choice)
    return false;
  DeviceGuess& device = devices_.at(choice->device);
  const base::ShardId shard = job.shard;
  std::optional<ReadyJob> done;
  auto ranges = ready_.serve(id, choice->tasks, done);
  device.sent(choice->tasks, choice->mean_ns * choice->tasks);
  effects_.push_back(
      protocol::Place{shard, id, std::move(ranges), choice->device, device.books().incarnation});
  left(done);
  return true;
}

std::uint32_t SchedulerMachine::chunk_of(const ReadyJob& job, DeviceKind kind,
                                         const Prediction& prediction) const {
  const std::uint64_t shares = std::uint64_t{std::max(usable_devices_, 1u)} * shares_per_device;
  const std::uint64_t share = (job.due() + shares - 1) / shares;
  std::uint64_t least = 1;
  if (prediction.known || kind == DeviceKind::null)
    least = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(chunk_ns_min / prediction.mean_ns),
                                      1, chunk_small_max);
  const std::uint64_t chunk = std::min(std::max(share, least), job.due());
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(chunk, base::limits::assign_tasks_max));
}

/// How many tasks the device should get now at most.
std::uint32_t SchedulerMachine::room_for(const ReadyJob& job, const DeviceGuess& device,
                                         const Prediction& prediction) const {
  if (!may_take(device, job))
    return 0;
  const auto& books = device.books();
  const std::uint32_t room = device.room();
  const std::uint32_t held = device.held();
  const std::uint32_t free_slots = books.slots_total - std::min(books.slots_total, held);
  if (!prediction.known && books.kind != DeviceKind::null) {
    const bool soon = device.backlog_ns(now_) < ahead_ns;
    const std::uint32_t ahead = books.slots_total + (soon ? ahead_unknown : 0);
    return std::min(room, ahead - std::min(ahead, held));
  }
  const std::int64_t time_left = std::max<std::int64_t>(0, ahead_ns - device.backlog_ns(now_));
  const std::uint64_t by_time = static_cast<std::uint64_t>(time_left / prediction.mean_ns);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(room, std::max<std::uint64_t>(by_time, free_slots)));
}

/// A quarter of what may be sent ahead.
std::uint32_t SchedulerMachine::worth_sending(DeviceKind kind, const Prediction& prediction) {
  if (!prediction.known && kind != DeviceKind::null)
    return 1;
  const std::int64_t ahead =
      std::min<std::int64_t>(ahead_ns / prediction.mean_ns, base::limits::device_queue_tasks_max);
  return static_cast<std::uint32_t>(std::max<std::int64_t>(ahead / 4, 1));
}

/// The devices of each kind that a job may use: what tasks should take there, and how much is
/// there already.
std::map<DeviceKind, SchedulerMachine::KindShare> SchedulerMachine::shares_of(
    const ReadyJob& job) const {
  std::map<DeviceKind, KindShare> shares;
  for (const auto& [id, device] : devices_) {
    if (!may_take(device, job))
      continue;
    KindShare& share = shares[device.books().kind];
    share.devices += 1;
    share.held += device.held();
  }
  for (auto& [kind, share] : shares)
    share.prediction = predictor_.predict(job.group.second, kind);
  return shares;
}

std::optional<SchedulerMachine::Choice> SchedulerMachine::choose(const ReadyJob& job) {
  struct Candidate {
    Choice choice;
    std::int64_t completion_ns{};
    DeviceKind kind{};
    bool has_free_slot{};
  };
  std::vector<Candidate> candidates;
  std::set<DeviceKind> kinds_with_free_slots;
  const auto shares = shares_of(job);
  for (const auto& [id, device] : devices_) {
    const DeviceKind kind = device.books().kind;
    const auto share = shares.find(kind);
    if (share == shares.end())
      continue;
    const auto& [devices, held, prediction] = share->second;
    // Not more than the mean of its kind: what was measured first on one device would else draw
    // everything there while its equals still compile. What was lost goes ahead of what is held.
    const std::uint32_t room = room_for(job, device, prediction);
    const std::uint64_t mean = (held + job.ready.size() + devices - 1) / devices;
    const std::uint64_t below_mean =
        job.lost.empty() ? mean - std::min<std::uint64_t>(mean, device.held()) : room;
    const std::uint32_t chunk = chunk_of(job, kind, prediction);
    const auto tasks =
        static_cast<std::uint32_t>(std::min<std::uint64_t>({room, chunk, below_mean}));
    // What has enough to do gets a whole chunk later, not the place of each task that ends.
    const std::uint32_t worth = std::min(chunk, worth_sending(kind, prediction));
    if (tasks == 0 || (room < worth && device.held() >= worth))
      continue;
    const bool has_free_slot = device.held() < device.books().slots_total;
    candidates.push_back({{id, tasks, prediction.mean_ns},
                          device.backlog_ns(now_) + prediction.mean_ns,
                          kind,
                          has_free_slot});
    if (has_free_slot)
      kinds_with_free_slots.insert(kind);
  }
  // How long a task will go on to run is a guess, and often one of somebody else; that a slot is
  // free is not.
  std::erase_if(candidates, [&](const Candidate& c) {
    return !c.has_free_slot && kinds_with_free_slots.contains(c.kind);
  });
  if (candidates.empty())
    return std::nullopt;
  const auto sooner = [](const Candidate& a, const Candidate& b) {
    return a.completion_ns < b.completion_ns;
  };
  const std::int64_t best =
      std::min_element(candidates.begin(), candidates.end(), sooner)->completion_ns;
  const std::int64_t band = std::max(best / 100 * near_best_percent, near_best_ns);
  std::erase_if(candidates, [&](const Candidate& c) { return c.completion_ns > best + band; });
  return candidates[random_.below(candidates.size())].choice;
}

// --- reasons -------------------------------------------------------------------------------------

/// Looks again now and then, not in every round: the numbers change faster than people read.
void SchedulerMachine::find_reason(const GroupKey& key, Group& group) {
  if (group.reasoned_at && now_ < *group.reasoned_at + reason_interval)
    return;
  group.reasoned_at = now_;
  books::Funnel funnel(key.first, group.work);
  for (const auto& [id, device] : devices_)
    funnel.add(device.books(), device.reachable() && !device.avoided(now_),
               device.held() == 0 ? device.room() : 0);  // it has enough ahead: nothing was sent
  auto reason = funnel.waiting();
  if (reason == group.reason)
    return;
  if (reason.code == group.reason.code && group.worded_at &&
      now_ < *group.worded_at + sentence_interval)
    return;
  group.reason = std::move(reason);
  group.worded_at = now_;
  group.told_up_to = 0;
}

void SchedulerMachine::tell_waiting(Group& group) {
  for (auto it = group.queue.upper_bound(group.told_up_to);
       it != group.queue.end() && tellings_left_ > 0; ++it) {
    group.told_up_to = it->first;
    ReadyJob& job = ready_.job(it->second);
    if (job.told == group.reason)
      continue;
    tell(job, group.reason);
    tellings_left_ -= 1;
  }
}

void SchedulerMachine::tell(ReadyJob& job, const protocol::WaitingReason& reason) {
  job.told = reason;
  effects_.push_back(protocol::Waiting{job.shard, job.job, reason});
}

/// Nothing of the job waits any more.
void SchedulerMachine::left(const std::optional<ReadyJob>& job) {
  if (job && job->told.code != WaitingCode::none)
    effects_.push_back(protocol::Waiting{job->shard, job->job, {}});
}

}  // namespace fastgpu::schedule
