#pragma once

/// When was there room for a kernel task? A device runs commands or kernels, never both at once,
/// and a task that runs is not driven out by one that was lost: while every device of the nodes
/// that are left runs a command, a lost kernel task can begin nowhere, in this cluster or any
/// other. Such time is no measure of how soon its loss was noticed and mended, so it is told apart.
/// What counts as such is strict: only between the first and the last word of the commands
/// themselves. That a slot is taken a little before and freed a little later, and that another
/// kernel may run there, counts as room.
///
/// Made from one history; answers any number of questions. O(executions) each.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/history/history.hpp"

namespace fastgpu::chaos {

class Vacancy {
 public:
  Vacancy(const history::History& history, std::size_t devices_of_each);

  /// Of the time from `from` to `to`: how much had a command on every device of these nodes.
  history::Stamp none_for(const std::set<std::string>& nodes, history::Stamp from,
                          history::Stamp to) const;

 private:
  struct Execution {
    std::string node;
    history::Stamp first{};
    history::Stamp last{};
  };
  std::vector<Execution> executions_;
  std::size_t devices_of_each_;
};

}  // namespace fastgpu::chaos
