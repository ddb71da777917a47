#include "tests/chaos/vacancy.hpp"

#include <algorithm>
#include <tuple>

namespace fastgpu::chaos {

Vacancy::Vacancy(const history::History& history, std::size_t devices_of_each)
    : devices_of_each_(devices_of_each) {
  std::map<std::tuple<std::uint64_t, std::uint32_t, std::string, std::string>, Execution> known;
  for (const history::Entry& entry : history) {
    const auto* const said = std::get_if<history::Execution>(&entry);
    if (said == nullptr) {
      continue;
    }
    const auto [at, is_new] = known.try_emplace({said->job, said->task, said->attempt, said->node},
                                                Execution{said->node, said->at, said->at});
    at->second.first = std::min(at->second.first, said->at);
    at->second.last = std::max(at->second.last, said->at);
  }
  for (auto& [name, execution] : known) {
    executions_.push_back(std::move(execution));
  }
}

history::Stamp Vacancy::none_for(const std::set<std::string>& nodes, history::Stamp from,
                                 history::Stamp to) const {
  std::map<history::Stamp, std::map<std::string, int>> changes;  // of how many run, by node
  for (const Execution& execution : executions_) {
    if (nodes.contains(execution.node) && execution.last > from && execution.first < to) {
      ++changes[std::max(execution.first, from)][execution.node];
      --changes[std::min(execution.last, to)][execution.node];
    }
  }
  std::map<std::string, int> running;
  history::Stamp none{0};
  history::Stamp full_since = -1;
  for (const auto& [at, by_node] : changes) {
    for (const auto& [node, change] : by_node) {
      running[node] += change;
    }
    const bool full = std::all_of(nodes.begin(), nodes.end(), [&](const std::string& node) {
      return running[node] >= static_cast<int>(devices_of_each_);
    });
    if (full_since >= 0 && !full) {
      none += at - full_since;
    }
    full_since = !full ? -1 : full_since >= 0 ? full_since : at;
  }
  return none;  // all have ended by `to`
}

}  // namespace fastgpu::chaos
