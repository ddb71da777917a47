#include "node/cli/follow.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "client/error_words.hpp"
#include "client/results.hpp"
#include "node/cli/interrupt.hpp"

namespace fastgpu::cli {
namespace {

constexpr int exit_interrupted = 130;
constexpr std::chrono::seconds second_press{3};

/// One line on stderr that is written over: only where somebody sees it.
class Progress {
 public:
  explicit Progress(const std::string& how)
      : live_(how == "auto" && ::isatty(STDERR_FILENO) == 1), plain_(how == "plain") {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const protocol::JobSummary& summary) {
    std::string line = line_of_counts(summary);
    if (summary.waiting.code != protocol::WaitingCode::none && !summary.waiting.sentence.empty()) {
      line += "; " + summary.waiting.sentence;
    }
    if (line == last_) {
      return;
    }
    last_ = line;
    if (live_) {
      std::fprintf(stderr, "\r\033[K%s", line.c_str());
      std::fflush(stderr);
      shown_ = true;
    } else if (plain_) {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
  }
  void clear() {
    if (shown_) {
      std::fprintf(stderr, "\r\033[K");
      std::fflush(stderr);
      shown_ = false;
    }
  }

 private:
  bool live_;
  bool plain_;
  bool shown_{false};
  std::string last_;
};

int cancel_all(Context& context, client::Connection& connection,
               const std::vector<base::JobId>& jobs) {
  for (const base::JobId job : jobs) {
    const auto list = connection.ask_for<protocol::JobList>(protocol::CancelJob{{}, job},
                                                            client::in(std::chrono::seconds(10)));
    if (!list.ok()) {
      context.fail(list.error());
    } else {
      context.tell("job " + base::to_string(job) + " is cancelled");
    }
  }
  return exit_interrupted;
}

/// The jobs go on; on a terminal a second Ctrl-C within three seconds cancels them.
int detach(Context& context, client::Connection& connection, const std::vector<base::JobId>& jobs) {
  std::string ids;
  for (const base::JobId job : jobs) {
    ids += (ids.empty() ? "" : " ") + std::to_string(job.value);
  }
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  context.tell("\nDetached. Job " + ids + " keeps running.\n  follow  fastgpu wait " + ids +
               "      stop  fastgpu cancel " + ids +
               (terminal ? "      (press Ctrl-C again within 3 s to cancel now)" : ""));
  const client::Time until = client::in(terminal ? second_press : std::chrono::seconds(0));
  while (std::chrono::steady_clock::now() < until) {
    if (interrupts() > 1) {
      return cancel_all(context, connection, jobs);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return exit_interrupted;
}

}  // namespace

int worst_of(const std::vector<int>& codes) {
  static constexpr std::array<int, 4> order{10, 12, 13, 11};
  for (const int code : order) {
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) {
      return code;
    }
  }
  return 0;
}

int follow(Context& context, client::Connection& connection, const std::vector<base::JobId>& jobs,
           const std::string& progress) {
  const auto limit = context.limit();
  if (!limit.ok()) {
    return context.fail(limit.error());
  }
  count_interrupts();
  Progress line(progress);
  client::WaitWatch watch;
  watch.seen = [&](const protocol::JobSummary& summary) { line.show(summary); };
  watch.go_on = [] { return interrupts() == 0; };
  watch.silence_limit = std::chrono::seconds(60);
  std::vector<int> codes;
  for (const base::JobId job : jobs) {
    const auto ended = client::wait_for(connection, job, limit.value(), watch);
    line.clear();
    if (interrupts() != 0) {
      return detach(context, connection, jobs);
    }
    if (!ended.ok()) {
      return context.fail(ended.error());
    }
    codes.push_back(client::exit_code(ended.value().state));
  }
  return worst_of(codes);
}

}  // namespace fastgpu::cli
