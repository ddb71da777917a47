#pragma once

/// What happened to jobs, from what the ledger recorded of them. Pure.
///
/// Times are those that the ledger keeps: when a job was submitted and when it ended. Of placements
/// it keeps the order and the cause, of ended tasks the outcome, of neither the time: such events
/// have none, and nothing is guessed. Placements come in their order, then how tasks ended, by
/// task, then the end of the job.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/cli/text/render.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::cli {

struct Event {
  /// "submitted", "placed", "waiting", "ended" (the job); of tasks "succeeded", "failed",
  /// "timed_out", "lost", "cancelled"; of nodes "node_up", "node_suspect", "node_down"; of devices
  /// "device_unhealthy" and, where that was told before, "device_healthy".
  std::string what;
  std::int64_t time_ms{0};  ///< 0: not recorded
  std::optional<base::JobId> job{};
  std::vector<base::TaskRange> tasks{};  ///< none: the job as a whole
  std::string text{};                    ///< what happened, behind who it happened to
  std::string reason{};                  ///< why, in a word; may be empty
  std::string attempt{};
  std::string node{};
  std::optional<std::uint32_t> device{};
  bool operator==(const Event&) const = default;
};

/// Of one job, as it is looked at again and again: each look gives what was not told before.
class JobEvents {
 public:
  /// With `task` only what concerns this one.
  explicit JobEvents(const Names& names, std::optional<std::uint32_t> task = {})
      : names_(names), task_(task) {}

  std::vector<Event> news(const protocol::JobDetail& detail);

 private:
  Event event(const protocol::JobDetail& detail, const char* what, std::string text) const;
  void add_placements(const protocol::JobDetail& detail, std::vector<Event>& to);
  void add_ends(const protocol::JobDetail& detail, std::vector<Event>& to);

  const Names& names_;
  std::optional<std::uint32_t> task_;
  bool submitted_{false};
  bool ended_{false};
  std::string waiting_;
  base::AttemptId last_attempt_;
  std::vector<base::TaskRange> ended_tasks_;  ///< told, ascending
};

/// Of many jobs at a glance: submits and ends by time, at most `count` of them, the newest; then
/// what waits now.
std::vector<Event> events_of(const protocol::JobList& list, std::size_t count);
/// The state of each node now, and of each device that is up and not healthy.
std::vector<Event> events_of(const protocol::ClusterStatus& status);

/// Of the whole cluster, as it is looked at again and again: each look gives what was not told
/// before, and which devices are healthy again.
class ClusterEvents {
 public:
  /// What `events_of` gave now.
  std::vector<Event> news(const std::vector<Event>& seen);

 private:
  std::map<std::string, Event> told_;
};

/// "2026-01-31T11:56:00.000Z  job 424  submitted: ..."
std::string line_of(const Event& event);
Json json_event(const Event& event);
Json json_events(const std::vector<Event>& events, const std::string& source, Stamp stamp);

}  // namespace fastgpu::cli
