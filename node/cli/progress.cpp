#include "node/cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "node/cli/text/quantities.hpp"
#include "node/cli/text/render.hpp"

namespace fastgpu::cli {
namespace {

constexpr std::size_t columns_default = 80;
/// Before that, a pace would be a guess.
constexpr std::chrono::seconds pace_elapsed_min{2};

/// A terminal may be made wider or narrower at any time.
std::size_t columns_of_terminal() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
                                                                           : columns_default;
}

}  // namespace

ProgressStyle progress_style(const std::string& how, bool is_terminal, const char* term) {
  if (how == "plain") {
    return ProgressStyle::plain;
  }
  const std::string kind = term == nullptr ? "" : term;
  const bool can_go_back = is_terminal && !kind.empty() && kind != "dumb";
  return how == "auto" && can_go_back ? ProgressStyle::live : ProgressStyle::none;
}

std::string fit_line(const std::string& text, std::size_t columns) {
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && letters++ == columns) {
      return text.substr(0, at);
    }
  }
  return text;
}

std::string pace_text(std::uint64_t ended, std::uint64_t left, std::chrono::nanoseconds elapsed) {
  if (ended == 0 || elapsed < pace_elapsed_min) {
    return {};
  }
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double per_second = static_cast<double>(ended) / seconds;
  const bool by_second = per_second >= 1;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "; %.1f done/%s",
                by_second ? per_second : per_second * 60, by_second ? "s" : "min");
  std::string pace = text.data();
  if (left != 0) {
    const double seconds_left = static_cast<double>(left) / per_second;
    const auto whole = std::chrono::seconds(static_cast<std::int64_t>(seconds_left + 0.5));
    pace += ", ~" + show_duration(whole) + " left";
  }
  return pace;
}

Progress::Progress(const std::string& how)
    : style_(progress_style(how, ::isatty(STDERR_FILENO) == 1, std::getenv("TERM"))) {}

/// Of a job with several tasks, since it was seen first.
std::string Progress::pace_of(const protocol::JobSummary& summary) {
  std::uint64_t total = 0;
  for (const std::uint32_t tasks : summary.counts) {
    total += tasks;
  }
  const std::uint64_t left =
      summary.counts[static_cast<std::size_t>(protocol::TaskState::pending)] +
      summary.counts[static_cast<std::size_t>(protocol::TaskState::running)];
  const auto now = std::chrono::steady_clock::now();
  if (summary.job != job_) {
    job_ = summary.job;
    ended_at_first_ = total - left;
    first_ = now;
  }
  return total > 1 ? pace_text(total - left - ended_at_first_, left, now - first_) : std::string();
}

void Progress::show(const protocol::JobSummary& summary) {
  std::string line = line_of_counts(summary);
  if (summary.waiting.code != protocol::WaitingCode::none && !summary.waiting.sentence.empty()) {
    line += "; " + summary.waiting.sentence;
  }
  const std::string pace = pace_of(summary);
  if (style_ == ProgressStyle::none || line == last_) {
    return;
  }
  last_ = line;
  line += pace;
  if (style_ == ProgressStyle::plain) {
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  // The last column stays free: writing into it would begin a new line on some terminals.
  std::fprintf(stderr, "\r\033[K%s", fit_line(line, columns_of_terminal() - 1).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (shown_) {
    std::fprintf(stderr, "\r\033[K");
    std::fflush(stderr);
    shown_ = false;
  }
}

}  // namespace fastgpu::cli
