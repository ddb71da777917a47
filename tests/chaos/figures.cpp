#include "tests/chaos/figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "tests/chaos/vacancy.hpp"

namespace fastgpu::chaos {
namespace {

constexpr double kernels_target_ms = 2000;
constexpr double leader_target_ms = 2500;

std::string milliseconds(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f ms", ms);
  return text;
}

void add_to(history::Figures& sum, const history::Figures& more) {
  using F = history::Figures;
  for (std::uint64_t F::*part :
       {&F::submits_ok, &F::submits_refused, &F::submits_unknown, &F::jobs, &F::jobs_lost,
        &F::tasks, &F::tasks_with_two_outcomes, &F::tasks_unended, &F::tasks_cancelled,
        &F::reads_ok, &F::cancels_ok, &F::executions, &F::tasks_executed, &F::tasks_executed_again,
        &F::results_refused, &F::overlaps}) {
    sum.*part += more.*part;
  }
}

void add_to(std::map<std::string, Samples>& sum, const std::map<std::string, Samples>& more) {
  for (const auto& [what, samples] : more) {
    sum[what].ms.insert(sum[what].ms.end(), samples.ms.begin(), samples.ms.end());
  }
}

void check_target(const std::map<std::string, Samples>& all, const std::string& what, double target,
                  const std::string& name, std::vector<std::string>& missed) {
  const auto found = all.find(what);
  if (found != all.end() && found->second.quantile(0.99) > target) {
    missed.push_back(name + ": p99 " + milliseconds(found->second.quantile(0.99)) +
                     ", the target is " + milliseconds(target));
  }
}

void add_samples(std::ostringstream& text, const std::map<std::string, Samples>& all,
                 const std::string& before, const std::string& behind) {
  for (const auto& [what, samples] : all) {
    text << "  " << before << what << behind << samples.text() << "\n";
  }
}

}  // namespace

double Samples::quantile(double part) const {
  if (ms.empty()) {
    return 0;
  }
  std::vector<double> sorted = ms;
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::string Samples::text() const {
  return "n " + std::to_string(ms.size()) + ", p50 " + milliseconds(quantile(0.5)) + ", p99 " +
         milliseconds(quantile(0.99)) + ", max " + milliseconds(quantile(1));
}

void RunFigures::add(const RunFigures& other) {
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    rounds[kind] += other.rounds[kind];
  }
  rounds_skipped += other.rounds_skipped;
  rounds_without_kernels += other.rounds_without_kernels;
  add_to(kernels_elsewhere, other.kernels_elsewhere);
  add_to(kernels_with_waiting, other.kernels_with_waiting);
  add_to(shard_accepts, other.shard_accepts);
  add_to(history, other.history);
  histories += other.histories;
  bytes_over_links += other.bytes_over_links;
  seconds += other.seconds;
  violations.insert(violations.end(), other.violations.begin(), other.violations.end());
}

void judge_kernels(RunFigures& figures, const history::History& history,
                   const ChaosOptions& options) {
  const Vacancy vacancy(history, static_cast<std::size_t>(options.devices));
  for (const KernelMoved& moved : figures.kernels_moved) {
    std::set<std::string> others;
    for (int node = 0; node < options.nodes; ++node) {
      others.insert("n" + std::to_string(node + 1));
    }
    others.erase(moved.victim);
    const double all = std::max(0.0, static_cast<double>(moved.began - moved.struck) / 1e6);
    const double waited =
        static_cast<double>(vacancy.none_for(others, moved.struck, moved.began)) / 1e6;
    figures.kernels_with_waiting[moved.word].ms.push_back(all);
    figures.kernels_elsewhere[moved.word].ms.push_back(all - waited);
    if (all - waited > kernels_target_ms) {
      std::printf(
          "  slow: %s %s, a kernel task began elsewhere after %s, of these %s no room: %s\n",
          moved.victim.c_str(), moved.word.c_str(), milliseconds(all).c_str(),
          milliseconds(waited).c_str(), moved.attempts.c_str());
    }
  }
  figures.kernels_moved.clear();
}

std::vector<std::string> missed_targets(const RunFigures& figures, const ChaosOptions& options) {
  std::vector<std::string> missed;
  check_target(figures.kernels_elsewhere, "killed", kernels_target_ms,
               "killed -> its running kernel tasks run elsewhere", missed);
  check_target(figures.kernels_elsewhere, "frozen", kernels_target_ms,
               "frozen -> its running kernel tasks run elsewhere", missed);
  if (options.replicas_expected > 1) {
    check_target(figures.shard_accepts, "killed", leader_target_ms,
                 "leader killed -> next submit to its shard accepted", missed);
  }
  return missed;
}

std::string to_text(const RunFigures& figures, const ChaosOptions& options) {
  const history::Figures& it = figures.history;
  std::ostringstream text;
  text << "rounds:";
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    text << " " << name_of(static_cast<FaultKind>(kind)) << "=" << figures.rounds[kind];
  }
  text << " skipped=" << figures.rounds_skipped << "; " << figures.histories
       << " histories judged, " << static_cast<int>(figures.seconds) << " s of chaos, "
       << (figures.bytes_over_links >> 20) << " MiB over links\n"
       << "  submits accepted " << it.submits_ok << ", refused " << it.submits_refused
       << ", unknown " << it.submits_unknown << "; reads " << it.reads_ok << ", cancels "
       << it.cancels_ok << "\n"
       << "  jobs " << it.jobs << ", lost " << it.jobs_lost << "; tasks " << it.tasks
       << ", with two outcomes " << it.tasks_with_two_outcomes << ", not ended " << it.tasks_unended
       << ", cancelled " << it.tasks_cancelled << "\n"
       << "  commands: " << it.tasks_executed << " tasks executed " << it.executions
       << " times, more than once " << it.tasks_executed_again << " ("
       << (it.tasks_executed == 0 ? 0.0
                                  : 100.0 * static_cast<double>(it.tasks_executed_again) /
                                        static_cast<double>(it.tasks_executed))
       << " %), two at once " << it.overlaps << ", late results refused " << it.results_refused
       << "\n";
  add_samples(text, figures.kernels_elsewhere, "", " -> its running kernel tasks run elsewhere: ");
  add_samples(text, figures.kernels_with_waiting, "  ",
              ", with the time in which all other devices ran commands: ");
  add_samples(text, figures.shard_accepts, "leader ",
              options.replicas_expected > 1
                  ? " -> next submit to its shard accepted: "
                  : " -> next submit to its shard accepted (not judged: one replica): ");
  if (figures.rounds_without_kernels > 0) {
    text << "  rounds in which no kernel task ran on the victim: " << figures.rounds_without_kernels
         << "\n";
  }
  for (const std::string& missed : missed_targets(figures, options)) {
    text << "  MISSED " << missed << "\n";
  }
  return text.str();
}

}  // namespace fastgpu::chaos
