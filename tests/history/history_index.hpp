#pragma once

/// A history by job, key and task, as the checks look at it. Built in one pass over entries in the
/// order of their stamps; points into the history, which must outlive it.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/history/history.hpp"

namespace fastgpu::history {

/// One question and its answer; `answer` is null where none was ever written down.
struct Operation {
  const Invoke* invoke{};
  const Return* answer{};
  bool is(Answer wanted) const {
    return answer ? answer->answer == wanted : wanted == Answer::unknown;
  }
};

/// All submits with one key.
struct Request {
  std::vector<Operation> submits;  ///< by their first stamp; none: nobody submitted it
  std::set<std::uint64_t> jobs;    ///< that were answered, or that carry its key
  const Invoke& first() const { return *submits.front().invoke; }
  bool ever(Answer answer) const;
};

/// One execution of one task, from its own lines.
struct Run {
  std::string attempt;
  std::string node;
  Stamp first{};
  Stamp last{};
  const Execution* end{};  ///< null where it never said so
};

struct Job {
  std::uint64_t id{};
  std::string key;  ///< empty where it was never seen in a view
  std::vector<const NodeSays*> says;
  std::vector<std::pair<Stamp, const JobView*>> views;  ///< answers to reads, by time
  std::vector<Operation> cancels;
  std::map<std::uint32_t, std::vector<Run>> runs;  ///< of each task, by their first line
};

struct Index {
  std::map<std::string, Request> requests;
  std::map<std::uint64_t, Job> jobs;
  std::vector<std::string> nodes;  ///< that were asked in the end
  std::vector<const Entry*> by_time;
  std::map<std::uint64_t, Operation> operations;  ///< by op
};

/// Sorts the history.
Index index_of(History& history);

/// "job 17 (c2-9)"
std::string describe(const Job& job);

}  // namespace fastgpu::history
