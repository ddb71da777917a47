// chaos: whole nodes as processes, clients that go on asking, and a nemesis that kills, freezes and
// cuts; then everybody is asked, and the history judged. scripts/chaos runs it. Exit code 0 only if
// nothing was violated; else the folder of the run is kept and a command line that repeats it is
// printed.

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/audit.hpp"
#include "tests/chaos/cluster.hpp"
#include "tests/chaos/figures.hpp"
#include "tests/chaos/load.hpp"
#include "tests/chaos/nemesis.hpp"
#include "tests/chaos/options.hpp"

namespace fastgpu::chaos {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int rounds_per_run = 20;  ///< of many: each then has a history of its own
constexpr std::size_t violations_shown = 20;

std::atomic<bool> interrupted{false};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string make_folder(const ChaosOptions& options) {
  const fs::path below =
      options.folder.empty() ? fs::temp_directory_path() : fs::absolute(options.folder);
  fs::create_directories(below);
  std::string path = (below / "fastgpu-chaos.XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    return {};
  }
  fs::permissions(path, fs::perms(0711));  // where we are root, commands of other users pass
  return path;
}

void run_rounds(Cluster& cluster, Work& work, const ChaosOptions& options, const Plan& plan,
                base::Random& random, RunFigures& figures) {
  Nemesis nemesis(cluster, work, options, plan, random, figures);
  const std::vector<FaultKind> rounds = draw_rounds(options, plan, random);
  if (!nemesis.heal()) {
    return;
  }
  {
    const Load load(cluster, work, plan, random);
    for (const FaultKind kind : rounds) {
      if (interrupted) {
        break;
      }
      const Clock::time_point start = Clock::now();
      const bool done = nemesis.run_round(kind);
      std::printf("  %-11s %s %.1f s\n", name_of(kind), done ? "    " : "skip",
                  seconds_since(start));
      std::fflush(stdout);
    }
  }
  nemesis.heal();
  work.mark("healed", "");
}

/// A run in which nothing was done has nothing to be praised for.
void check_worth(RunFigures& figures) {
  const history::Figures& it = figures.history;
  const std::pair<std::uint64_t, const char*> wanted[] = {
      {it.submits_ok, "no submit was accepted"},
      {it.reads_ok, "no read was answered"},
      {it.tasks - std::min(it.tasks, it.tasks_cancelled), "no task has run"},
      {it.executions, "no command has run"}};
  for (const auto& [count, what] : wanted) {
    if (count == 0) {
      figures.violations.push_back(std::string("the run proves nothing: ") + what);
    }
  }
}

/// One cluster, one history.
RunFigures run(const ChaosOptions& options) {
  RunFigures figures;
  base::Random random(options.seed);
  const Plan plan = draw_plan(options, random);
  std::printf("%s\n", to_text(options, plan).c_str());
  const std::string folder = make_folder(options);
  if (folder.empty()) {
    figures.violations.emplace_back("no folder can be made for the run");
    return figures;
  }
  const Clock::time_point start = Clock::now();
  {
    base::Result<std::unique_ptr<Cluster>> founded = Cluster::found(options, folder);
    if (!founded.ok()) {
      figures.violations.push_back(founded.error().message);
    } else {
      Cluster& cluster = *founded.value();
      if (cluster.links() == nullptr) {
        std::printf("  faults of links are skipped: %s\n", cluster.why_no_links().c_str());
      }
      if (cluster.disk() == nullptr) {
        std::printf("  full disks are skipped: %s\n", cluster.why_no_disk().c_str());
      }
      Work work(folder, cluster.shard_count(), cluster.recorder_port());
      run_rounds(cluster, work, options, plan, random, figures);
      ask_all_nodes(cluster, work, figures);
      if (const std::string wrong = work.wrong(); !wrong.empty()) {
        figures.violations.push_back("a good request was refused as wrong: " + wrong);
      }
      figures.bytes_over_links = cluster.links() == nullptr ? 0 : cluster.links()->bytes_carried();
    }
  }
  figures.seconds = seconds_since(start);
  judge(folder, options, figures);
  if (!interrupted) {
    check_worth(figures);
  }
  if (figures.violations.empty() && !options.keep) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  } else {
    std::printf("  kept: %s (judge it again with --check)\n", folder.c_str());
  }
  return figures;
}

void tell_violations(const RunFigures& figures, const ChaosOptions& options) {
  for (std::size_t i = 0; i < figures.violations.size(); ++i) {
    if (i == violations_shown) {
      std::printf("  and %zu more\n", figures.violations.size() - i);
      break;
    }
    std::printf("  VIOLATION %s\n", figures.violations[i].c_str());
  }
  if (!figures.violations.empty()) {
    std::printf("  again: %s\n", replay_command(options).c_str());
  }
}

/// Further runs with the next seeds until the time has passed.
RunFigures run_all(ChaosOptions options) {
  const Clock::time_point start = Clock::now();
  RunFigures sum;
  if (options.minutes > 0) {
    options.rounds = rounds_per_run;
  }
  do {
    const RunFigures figures = run(options);
    tell_violations(figures, options);
    sum.add(figures);
    ++options.seed;
  } while (!interrupted && seconds_since(start) < 60.0 * options.minutes);
  return sum;
}

int main_program(const std::vector<std::string>& words) {
  const base::Result<ChaosOptions> options = parse_options(words);
  if (!options.ok()) {
    std::fprintf(stderr, "%s\n%s\n", options.error().message.c_str(), options.error().hint.c_str());
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, [](int) { interrupted = true; });
  ::signal(SIGTERM, [](int) { interrupted = true; });
  RunFigures figures;
  if (!options.value().check.empty()) {
    judge(options.value().check, options.value(), figures);
    tell_violations(figures, options.value());
  } else {
    if (const base::Status able = enter_own_namespaces(); !able.ok()) {
      std::printf("no namespaces of our own: %s\n", able.error().message.c_str());
    }
    figures = run_all(options.value());
  }
  std::printf("%s", to_text(figures, options.value()).c_str());
  const bool slow = !options.value().quick && !missed_targets(figures, options.value()).empty();
  std::printf("%zu violations%s\n", figures.violations.size(), slow ? ", targets missed" : "");
  return figures.violations.empty() && !slow ? 0 : 1;
}

}  // namespace
}  // namespace fastgpu::chaos

int main(int argc, char** argv) {
  return fastgpu::chaos::main_program({argv + 1, argv + argc});
}
