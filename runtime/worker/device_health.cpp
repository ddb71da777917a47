#include "runtime/worker/device_health.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/worker/worker_text.hpp"

namespace fastgpu::worker {

namespace {

/// More say nothing more.
constexpr std::size_t crashes_kept = 16;
/// The sentence rides in every heartbeat.
constexpr std::size_t reason_bytes_max = 400;

}  // namespace

bool DeviceHealth::wants_test(base::Time now) const {
  if (test_until_ || state_ == State::trusted)
    return false;
  return state_ == State::doubted || now >= until_;
}

std::optional<base::Time> DeviceHealth::next_deadline() const {
  if (test_until_)
    return test_until_;
  return state_ == State::quarantined ? std::optional(until_) : std::nullopt;
}

void DeviceHealth::crashed(base::Time now, std::vector<TaskRef> suspects,
                           const std::string& reason) {
  note({now, std::move(suspects), std::nullopt}, reason);
}

void DeviceHealth::crashed_by(base::Time now, std::uint64_t program, const std::string& reason) {
  note({now, {}, program}, reason);
}

void DeviceHealth::note(Crash crash, const std::string& reason) {
  const base::Time now = crash.at;
  if (state_ == State::quarantined)
    return;
  state_ = State::doubted;
  while (!crashes_.empty() &&
         (crashes_.front().at + crash_window <= now || crashes_.size() >= crashes_kept))
    crashes_.pop_front();
  crashes_.push_back(std::move(crash));
  if (const std::size_t count = culprits(); count >= crashes_max)
    quarantine(now, std::to_string(count) + " crashes with different culprits within " +
                        seconds_text(crash_window.count()) + ", the last: " + reason);
}

/// How many causes the crashes must have had at least. A program that was convicted is one; crashes
/// that have a suspect in common may be one; those without any are one each.
std::size_t DeviceHealth::culprits() const {
  std::set<std::uint64_t> programs;
  std::set<TaskRef> suspects;
  std::size_t others = 0;
  for (const Crash& crash : crashes_) {
    if (crash.program) {
      programs.insert(*crash.program);
      continue;
    }
    const bool counted = std::any_of(crash.suspects.begin(), crash.suspects.end(),
                                     [&](const TaskRef& task) { return suspects.contains(task); });
    suspects.insert(crash.suspects.begin(), crash.suspects.end());
    others += counted ? 0 : 1;
  }
  return programs.size() + others;
}

void DeviceHealth::convicted(const TaskRef& task, std::uint64_t program) {
  for (Crash& crash : crashes_)
    if (std::find(crash.suspects.begin(), crash.suspects.end(), task) != crash.suspects.end())
      crash = {crash.at, {}, program};
}

void DeviceHealth::failed_to_start(base::Time now, const std::string& reason) {
  starts_ += 1;
  const std::string all =
      "it failed to start " + std::to_string(starts_) + " times, the last: " + reason;
  if (state_ == State::quarantined)
    say(all);
  else if (starts_ >= starts_max)
    quarantine(now, all);
}

void DeviceHealth::quarantine(base::Time now, const std::string& reason) {
  const bool again =
      state_ == State::quarantined || (released_at_ && now < *released_at_ + forgiven_after);
  back_off_ = again ? std::min(back_off_ * 2, back_off_max) : back_off_min;
  until_ = now + back_off_;
  state_ = State::quarantined;
  test_until_.reset();
  crashes_.clear();
  say(reason);
}

void DeviceHealth::accused(base::Time now, const std::string& reason) {
  if (state_ != State::quarantined) {
    quarantine(now, reason);
    return;
  }
  test_until_.reset();
  until_ = now + back_off_;
  say(reason);
}

void DeviceHealth::say(const std::string& reason) {
  why_ = "quarantined: " + reason.substr(0, reason_bytes_max) + "; a self-test decides after " +
         seconds_text(back_off_.count());
}

void DeviceHealth::test_passed(base::Time now) {
  test_until_.reset();
  if (state_ == State::quarantined)
    released_at_ = now;
  state_ = State::trusted;
  why_.clear();
}

void DeviceHealth::test_failed(base::Time now, const std::string& reason) {
  quarantine(now, "its self-test failed: " + reason);
}

}  // namespace fastgpu::worker
