#pragma once

/// Judges a history: what a cluster promises, each promise a check of its own, told by clients,
/// executions and nodes alone; no code of the product is asked. After one sort by time each check
/// is one pass, so a run of hours is judged in seconds: no search for an order that would excuse
/// what was seen is needed, because all that is read of a job only grows and is never taken back.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/history/history.hpp"

namespace fastgpu::history {

enum class Check : std::uint8_t {
  one_outcome = 1,  ///< every accepted job is there, on every node the same, never changed
  no_strangers,     ///< no job is there that nobody submitted, or whose submit was refused
  one_job_per_key,  ///< a submit that is repeated stays one job
  right_result,     ///< what is recorded is what the winning attempt computed
  no_overlap,       ///< two executions of a command's task never live at once
  all_end,          ///< once healed and given time, every task is terminal
  no_undoing,       ///< a cancel changes nothing that was terminal; nothing is cancelled unasked
  fresh_reads,      ///< what somebody was told is in every answer to a later question
};
inline constexpr int check_count = 8;
/// "one_outcome"
const char* name_of(Check check);

struct Violation {
  Check check{};
  std::string text;
};

/// What the history says in numbers.
struct Figures {
  std::uint64_t submits_ok{};
  std::uint64_t submits_refused{};
  std::uint64_t submits_unknown{};
  std::uint64_t jobs{};
  std::uint64_t jobs_lost{};  ///< accepted, and some node does not know them
  std::uint64_t tasks{};      ///< of the jobs that are there
  std::uint64_t tasks_with_two_outcomes{};
  std::uint64_t tasks_unended{};
  std::uint64_t tasks_cancelled{};
  std::uint64_t reads_ok{};
  std::uint64_t cancels_ok{};
  std::uint64_t executions{};      ///< of commands
  std::uint64_t tasks_executed{};  ///< of commands
  std::uint64_t tasks_executed_again{};
  std::uint64_t results_refused{};  ///< of executions that ended well and are not what is recorded
  std::uint64_t overlaps{};
};

struct Verdict {
  std::vector<Violation> violations;
  Figures figures;
};

Verdict check(History history);

}  // namespace fastgpu::history
