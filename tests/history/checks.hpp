#pragma once

/// The single checks, each one pass over an Index. Used by `check` alone, in this order.

#include <string>
#include <vector>

#include "tests/history/checker.hpp"
#include "tests/history/history_index.hpp"

namespace fastgpu::history {

/// Collects what a check finds.
class Findings {
 public:
  explicit Findings(Verdict& verdict) : verdict_(verdict) {}
  void add(Check check, std::string text) {
    verdict_.violations.push_back({check, std::move(text)});
  }
  Figures& figures() { return verdict_.figures; }

 private:
  Verdict& verdict_;
};

// checks_ledger.cpp: what the nodes say in the end
void check_one_outcome(const Index& index, Findings& findings);
void check_no_strangers(const Index& index, Findings& findings);
void check_one_job_per_key(const Index& index, Findings& findings);
void check_all_end(const Index& index, Findings& findings);

// checks_runs.cpp: what commands say, and what kernels must have computed
void check_right_result(const Index& index, Findings& findings);
void check_no_overlap(const Index& index, Findings& findings);

// checks_time.cpp: what was known when
void check_no_undoing(const Index& index, Findings& findings);
void check_fresh_reads(const Index& index, Findings& findings);

/// "task 3 of job 17 (c2-9)"
std::string describe(const Job& job, std::uint32_t task);
/// "succeeded by 1.1.2.7 on n2"
std::string describe(const TaskRecord& record);

}  // namespace fastgpu::history
