#include "tests/chaos/audit.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <future>
#include <map>
#include <set>

#include "tests/chaos/probes.hpp"
#include "tests/history/history_text.hpp"

namespace fastgpu::chaos {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds answer_limit{10'000};
/// Long enough for the longest command after the longest lease, and then some.
constexpr milliseconds end_limit{120'000};
constexpr std::size_t asks_open_max = 64;

std::optional<protocol::JobList> list(client::Connection& connection, const std::string& lot,
                                      bool finished_too) {
  auto listed = connection.ask_for<protocol::JobList>(
      protocol::ListJobs{finished_too, {{"lot", lot}}}, client::in(answer_limit));
  if (!listed.ok() || listed.value().shards_unanswered != 0) {
    return std::nullopt;
  }
  return std::move(listed).value();
}

std::set<std::string> lots_of(const Work& work) {
  std::set<std::string> lots;
  for (const Request& request : work.requests()) {
    lots.insert(request.lot);
  }
  return lots;
}

/// True once no job of a lot is live.
bool all_ended(client::Connection& connection, const std::set<std::string>& lots) {
  return std::all_of(lots.begin(), lots.end(), [&](const std::string& lot) {
    const std::optional<protocol::JobList> live = list(connection, lot, false);
    return live && live->jobs.empty();
  });
}

/// Asks one node for all these jobs, some at a time.
void ask_for_all(client::Connection& connection, const std::string& node,
                 const std::set<std::uint64_t>& jobs, Work& work, RunFigures& figures) {
  std::deque<std::pair<std::uint64_t, std::future<client::Reply>>> open;
  const auto take = [&] {
    const auto deadline = client::in(answer_limit);
    auto [job, future] = std::move(open.front());
    open.pop_front();
    const client::Reply reply = client::Connection::wait(std::move(future), deadline);
    if (const auto* detail = std::get_if<protocol::JobDetail>(&reply)) {
      work.file().add(history::NodeSays{now(), node, view_of(*detail)});
    } else if (const auto* error = std::get_if<base::Error>(&reply);
               error == nullptr || error->code != base::ErrorCode::not_found) {
      figures.violations.push_back(node + " does not tell of job " + std::to_string(job) + ": " +
                                   (error ? error->message : "another answer"));
    }
  };
  for (const std::uint64_t job : jobs) {
    if (open.size() >= asks_open_max) {
      take();
    }
    open.emplace_back(
        job, connection.start(protocol::ShowJob{base::JobId{job}, 0}, client::in(answer_limit)));
  }
  while (!open.empty()) {
    take();
  }
}

base::Result<history::History> read_history(const std::string& folder) {
  history::History all;
  for (const char* name : {"clients.jsonl", "executions.jsonl"}) {
    base::Result<history::History> part =
        history::parse(testing::read_file(folder + "/" + name), name);
    if (!part.ok()) {
      return part.error();
    }
    all.insert(all.end(), part.value().begin(), part.value().end());
  }
  return all;
}

}  // namespace

void ask_all_nodes(const Cluster& cluster, Work& work, RunFigures& figures) {
  const std::set<std::string> lots = lots_of(work);
  std::vector<std::shared_ptr<client::Connection>> each;
  for (int node = 0; node < cluster.size(); ++node) {
    each.push_back(cluster.connect({node}, "audit"));
  }
  // What is still live after that, the checker says by itself.
  await(end_limit, [&] { return all_ended(*each[0], lots); });
  std::set<std::uint64_t> jobs;
  for (const Request& request : work.requests()) {
    if (request.job != 0) {
      jobs.insert(request.job);
    }
  }
  std::string names;
  for (int node = 0; node < cluster.size(); ++node) {
    names += (node == 0 ? "" : " ") + Cluster::name(node);
    for (const std::string& lot : lots) {
      std::optional<protocol::JobList> all;
      await(answer_limit, [&] {
        all = list(*each[static_cast<std::size_t>(node)], lot, true);
        return all.has_value();
      });
      if (!all) {
        figures.violations.push_back(Cluster::name(node) + " does not list all jobs");
        continue;
      }
      for (const protocol::JobSummary& job : all->jobs) {
        jobs.insert(job.job.value);
      }
    }
  }
  work.mark("audit", names);
  for (int node = 0; node < cluster.size(); ++node) {
    ask_for_all(*each[static_cast<std::size_t>(node)], Cluster::name(node), jobs, work, figures);
  }
}

void judge(const std::string& folder, const ChaosOptions& options, RunFigures& figures) {
  base::Result<history::History> read = read_history(folder);
  if (!read.ok()) {
    figures.violations.push_back(read.error().message);
    return;
  }
  judge_kernels(figures, read.value(), options);
  const history::Verdict verdict = history::check(std::move(read).value());
  figures.history = verdict.figures;
  figures.histories = 1;
  for (const history::Violation& violation : verdict.violations) {
    figures.violations.push_back(std::string(history::name_of(violation.check)) + ": " +
                                 violation.text);
  }
}

}  // namespace fastgpu::chaos
