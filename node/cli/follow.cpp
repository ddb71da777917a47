#include "node/cli/follow.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "client/error_words.hpp"
#include "client/results.hpp"
#include "node/cli/progress.hpp"

namespace fastgpu::cli {

int worst_of(const std::vector<int>& codes) {
  static constexpr std::array<int, 4> order{10, 12, 13, 11};
  for (const int code : order) {
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) {
      return code;
    }
  }
  return 0;
}

Verdict verdict_of(const std::vector<protocol::JobSummary>& jobs) {
  std::vector<int> codes;
  for (const protocol::JobSummary& job : jobs) {
    codes.push_back(client::exit_code(job.state));
  }
  Verdict verdict;
  verdict.exit_code = worst_of(codes);
  for (const protocol::JobSummary& job : jobs) {
    if (verdict.exit_code != 0 && client::exit_code(job.state) == verdict.exit_code) {
      verdict.error = client::error_of(job);
      break;
    }
  }
  return verdict;
}

base::Result<std::vector<protocol::JobSummary>> follow(
    const Context& context, std::shared_ptr<client::Connection> connection,
    const std::vector<base::JobId>& jobs, const std::string& progress, Interrupts& interrupts) {
  const auto limit = context.limit();
  if (!limit.ok()) {
    return limit.error();
  }
  interrupts.following(connection, jobs);
  Progress line(progress);
  client::WaitWatch watch;
  watch.seen = [&](const protocol::JobSummary& summary) {
    if (!interrupts.pressed()) {
      line.show(summary);
    }
  };
  watch.go_on = [&] { return !interrupts.pressed(); };
  watch.silence_limit = std::chrono::seconds(60);
  std::vector<protocol::JobSummary> all;
  for (const base::JobId job : jobs) {
    auto ended = client::wait_for(*connection, job, limit.value(), watch);
    line.clear();
    if (interrupts.pressed()) {
      interrupts.park();
    }
    if (!ended.ok()) {
      return ended.error();
    }
    all.push_back(std::move(ended).value());
  }
  return all;
}

}  // namespace fastgpu::cli
