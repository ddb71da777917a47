#pragma once

/// What a worker machine remembers: plain data, changed by the machine alone, read by its checker.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/worker/report_book.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::worker {

enum class Phase : std::uint8_t {
  queued,   ///< granted, waits for its lease, its inputs, or its turn
  running,  ///< launched
  keeping,  ///< ended well; its outputs are being kept
  ended,    ///< reported, or about to be; waits to be settled
  gone,     ///< settled, or stopped before it ran: nothing is left to say
};

struct Task {
  std::uint32_t index{};
  Phase phase{Phase::queued};
  bool solo{false};             ///< suspected of killing the executor: runs alone
  bool stopped{false};          ///< its result is not wanted any more
  std::uint8_t solo_deaths{0};  ///< how often the executor died while it ran alone
};

/// An input that a queued task waits for because its holder is away.
struct AwayInput {
  std::size_t place{};  ///< of the task
  std::string input;    ///< which one, in words
  std::string said;     ///< at the last asking
  base::Time since;
};

/// Tasks granted under one attempt.
struct Attempt {
  base::AttemptId id;
  base::JobId job;
  protocol::SharedSpec spec;
  std::uint64_t program{};  ///< tasks of one program should take equally long
  base::Time granted_at;
  base::Time granted_stamp;  ///< the same as leaders are told it: not before any Renew sent earlier
  base::Time start_before{base::Time::min()};  ///< of commands: Assign::start_before_ns
  bool lost_before{false};                     ///< Assign::lost_before
  std::optional<base::Time> listed_at;         ///< sending of the first Renew that listed it
  std::vector<Task> tasks;                     ///< ascending
  std::uint32_t queued{0};                     ///< how many are in the phase of that name
  std::uint32_t running{0};
  std::uint32_t keeping{0};
  std::size_t next_queued{0};  ///< no task before this place is queued for the first time
  std::optional<AwayInput> away;
  ReportBook reports;
  bool unfinished() const { return queued + running + keeping != 0; }
};

/// A task of a held attempt, by its place there.
struct TaskRef {
  base::AttemptId attempt;
  std::size_t place{};
  bool operator==(const TaskRef&) const = default;
  auto operator<=>(const TaskRef&) const = default;
};

/// A launch that the executor has, or a command that the warden has.
struct InFlight {
  TaskRef task;
  base::Time launched_at;
  bool making{false};                  ///< its kernel is being made: it does not run yet
  std::optional<base::Time> ran_from;  ///< when that was over; none: from the launch on
  bool over_time{false};               ///< killed for its time limit
  std::optional<base::Time> died_at;   ///< and with it the process: its end waits for the next one
  // Of a command.
  bool command{false};
  base::Time lease_until{};  ///< it does not run beyond
  bool lease_over{false};    ///< and that has come
  bool stopping{false};      ///< its end was asked for
  bool device_lost{false};   ///< because the device is not to be believed any more
};

/// The folder of a command: from before it starts until nothing is to be done with it.
struct Folder {
  std::string name;
  protocol::StageToken asked;          ///< the question under way; 0 = none
  std::string path;                    ///< on the host; empty until it is ready
  base::Error failure;                 ///< meaningful after one
  bool failed{false};                  ///< for good
  std::optional<base::Time> again_at;  ///< it failed for now: asked for again then
};

/// A task whose outputs are being kept.
struct Keeping {
  TaskRef task;
  protocol::TaskOutcome outcome;
  std::vector<std::size_t> places;  ///< of the kept outputs among all; none for a command
  std::int64_t device_ns{};
  std::optional<base::Time> failing_since;
  base::Duration retry_delay{};
  std::optional<base::Time> retry_at;  ///< none while an answer is awaited
};

/// What we know of a shard: whom to answer, what to refuse, until when we may launch.
struct Shard {
  base::NodeId leader;
  base::Epoch epoch;       ///< highest seen
  base::Term term;         ///< highest seen of that epoch
  base::AttemptId newest;  ///< greatest attempt seen for this device
  base::Time lease_until{base::Time::min()};
  base::Time renewed_at{base::Time::min()};  ///< sending of the newest Renew that was answered
  base::Duration command_lease{};            ///< as the leader said last
  std::optional<base::Time> first_asked_at;
  std::optional<base::Time> asked_at;        ///< when the last Renew was sent; no two are the same
  base::Time warm_until{base::Time::min()};  ///< renew until then though nothing is held
  std::optional<base::Time> resend_at;
  base::Time granted_at{base::Time::min()};        ///< the last grant
  base::Time given_back_stamp{base::Time::min()};  ///< the newest grant that was handed back
  std::uint32_t queued{0};                         ///< tasks of this shard
  std::uint32_t unsettled{0};                      ///< tasks ended and not settled
};

}  // namespace fastgpu::worker
