#include "client/results.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "client/error_words.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::client {
namespace {

constexpr std::size_t downloads_max = 16;
/// One step of a wait: how old a progress line can be.
constexpr std::chrono::milliseconds wait_step{500};
/// Enough for a try at one node and one at another.
constexpr std::chrono::seconds answer_time{7};

base::Error still_going(base::JobId job) {
  return time_is_over("job " + base::to_string(job) + " has not ended in the time given");
}

base::Error no_such_job(base::JobId job) {
  return {base::ErrorKind::rejected, base::ErrorCode::not_found,
          "there is no job " + base::to_string(job), "fastgpu ps -a lists all jobs"};
}

bool may_pass(const base::Error& error) {
  return error.kind == base::ErrorKind::unavailable || error.kind == base::ErrorKind::overloaded ||
         error.kind == base::ErrorKind::unknown;
}

}  // namespace

base::Result<protocol::JobDetail> fetch_detail(Connection& connection, base::JobId job,
                                               Time deadline) {
  auto detail = connection.ask_for<protocol::JobDetail>(protocol::ShowJob{job, 0}, deadline);
  if (!detail.ok() || !detail.value().spec) {
    return detail;
  }
  protocol::JobDetail whole = std::move(detail).value();
  while (whole.next_task < whole.spec->tasks) {
    auto page =
        connection.ask_for<protocol::JobDetail>(protocol::ShowJob{job, whole.next_task}, deadline);
    if (!page.ok()) {
      return page;
    }
    if (page.value().next_task <= whole.next_task) {
      break;  // the rest is not terminal
    }
    whole.next_task = page.value().next_task;
    whole.reports.insert(whole.reports.end(), page.value().reports.begin(),
                         page.value().reports.end());
  }
  return whole;
}

base::Result<protocol::JobSummary> wait_for(Connection& connection, base::JobId job,
                                            std::optional<Time> deadline, const WaitWatch& watch) {
  Time heard = std::chrono::steady_clock::now();
  for (;;) {
    const Time now = std::chrono::steady_clock::now();
    const Time until = std::min(deadline.value_or(now + wait_step), now + wait_step);
    const auto step = std::max<std::chrono::nanoseconds>(until - now, std::chrono::nanoseconds(0));
    // The answer has a time of its own: a node that is slow to answer is not a job that is slow.
    auto list = connection.ask_for<protocol::JobList>(protocol::WaitJob{job, step.count()},
                                                      now + step + answer_time);
    if (list.ok() && list.value().jobs.empty()) {
      return no_such_job(job);
    }
    if (list.ok()) {
      heard = std::chrono::steady_clock::now();
      const protocol::JobSummary& summary = list.value().jobs.front();
      if (watch.seen) {
        watch.seen(summary);
      }
      if (protocol::is_terminal(summary.state)) {
        return summary;
      }
    } else if (!may_pass(list.error())) {
      return list.error();
    }
    const Time later = std::chrono::steady_clock::now();
    const bool stopped = watch.go_on && !watch.go_on();
    if (stopped || (deadline && later >= *deadline)) {
      return still_going(job);
    }
    if (watch.silence_limit && later - heard >= *watch.silence_limit) {
      return list.error();
    }
  }
}

base::Result<std::vector<base::Bytes>> fetch_all(Connection& connection,
                                                 const std::vector<protocol::Data>& pieces,
                                                 Time deadline) {
  std::vector<base::Bytes> all(pieces.size());
  std::deque<std::pair<std::size_t, std::future<Reply>>> under_way;
  const auto take_oldest = [&]() -> base::Status {
    auto [index, future] = std::move(under_way.front());
    under_way.pop_front();
    auto chunk = Connection::expect<protocol::Chunk>(Connection::wait(std::move(future), deadline));
    if (!chunk.ok()) {
      return chunk.error();
    }
    all[index] = chunk.value().data;
    return {};
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (const auto* bytes = std::get_if<base::Bytes>(&pieces[i])) {
      all[i] = *bytes;
      continue;
    }
    if (under_way.size() >= downloads_max) {
      if (const base::Status status = take_oldest(); !status.ok()) {
        return status.error();
      }
    }
    under_way.emplace_back(
        i, connection.start_download(std::get<protocol::ObjectRef>(pieces[i]), deadline));
  }
  while (!under_way.empty()) {
    if (const base::Status status = take_oldest(); !status.ok()) {
      return status.error();
    }
  }
  return all;
}

}  // namespace fastgpu::client
