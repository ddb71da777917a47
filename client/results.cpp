#include "client/results.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "client/error_words.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::client {
namespace {

/// Downloads that are under way at once.
constexpr std::size_t downloads_max = 16;
constexpr std::uint64_t download_bytes_max = 64u << 20;
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

std::uint64_t bytes_to_bring(const protocol::Data& piece) {
  const auto* object = std::get_if<protocol::ObjectRef>(&piece);
  return object != nullptr ? object->size_bytes : 0;
}

/// Downloads on their way, in the order in which they were started. Pieces that need none have
/// their place in it too.
class Downloads {
 public:
  Downloads(Connection& connection, Time deadline) : connection_(connection), deadline_(deadline) {}

  bool has_room(const protocol::Data& piece) const {
    return under_way_.empty() || (under_way_.size() < downloads_max &&
                                  bytes_ + bytes_to_bring(piece) <= download_bytes_max);
  }
  void add(const protocol::Data& piece) {
    bytes_ += bytes_to_bring(piece);
    const auto* object = std::get_if<protocol::ObjectRef>(&piece);
    under_way_.push_back(object ? connection_.start_download(*object, deadline_)
                                : std::future<Reply>());
  }
  /// `piece` is the one that was added first.
  base::Result<base::Bytes> take_oldest(const protocol::Data& piece) {
    std::future<Reply> future = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_ -= bytes_to_bring(piece);
    if (const auto* bytes = std::get_if<base::Bytes>(&piece)) {
      return *bytes;
    }
    auto chunk =
        Connection::expect<protocol::Chunk>(Connection::wait(std::move(future), deadline_));
    return chunk.ok() ? base::Result(chunk.value().data) : chunk.error();
  }

 private:
  Connection& connection_;
  Time deadline_;
  std::uint64_t bytes_{0};
  std::deque<std::future<Reply>> under_way_;
};

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

base::Status fetch_each(Connection& connection, const std::vector<protocol::Data>& pieces,
                        Time deadline, const TakePiece& take) {
  Downloads downloads(connection, deadline);
  std::size_t next = 0;  // to be started
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (; next < pieces.size() && downloads.has_room(pieces[next]); ++next) {
      downloads.add(pieces[next]);
    }
    const auto data = downloads.take_oldest(pieces[i]);
    if (!data.ok()) {
      return data.error();
    }
    if (const base::Status taken = take(i, data.value()); !taken.ok()) {
      return taken;
    }
  }
  return {};
}

base::Result<std::vector<base::Bytes>> fetch_all(Connection& connection,
                                                 const std::vector<protocol::Data>& pieces,
                                                 Time deadline) {
  std::vector<base::Bytes> all;
  const base::Status fetched = fetch_each(
      connection, pieces, deadline, [&](std::size_t, const base::Bytes& data) -> base::Status {
        all.push_back(data);
        return {};
      });
  return fetched.ok() ? base::Result(std::move(all)) : fetched.error();
}

}  // namespace fastgpu::client
