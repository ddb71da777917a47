#include "node/cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "node/cli/text/render.hpp"

namespace fastgpu::cli {
namespace {

constexpr std::size_t columns_default = 80;

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

Progress::Progress(const std::string& how)
    : style_(progress_style(how, ::isatty(STDERR_FILENO) == 1, std::getenv("TERM"))) {}

void Progress::show(const protocol::JobSummary& summary) {
  std::string line = line_of_counts(summary);
  if (summary.waiting.code != protocol::WaitingCode::none && !summary.waiting.sentence.empty()) {
    line += "; " + summary.waiting.sentence;
  }
  if (style_ == ProgressStyle::none || line == last_) {
    return;
  }
  last_ = line;
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
