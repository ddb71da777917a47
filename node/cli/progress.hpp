#pragma once

/// How far jobs are, on stderr: on a terminal one line that is written over, elsewhere nothing
/// unless it was asked for. Used by the main thread only.

#include <chrono>
#include <cstdint>
#include <string>

#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::cli {

enum class ProgressStyle { none, plain, live };

/// What `--progress` means here: `auto` is live on a terminal that can go back in a line, else
/// none. `term` is the variable TERM; nullptr where it is not set.
ProgressStyle progress_style(const std::string& how, bool is_terminal, const char* term);

/// The text cut to so many columns, so that it stays one line; UTF-8 is not cut inside a letter.
std::string fit_line(const std::string& text, std::size_t columns);

/// How fast tasks end and when the last one will, from what was seen: "; 6.4 done/min, ~3m left".
/// Empty where too little was seen to say.
std::string pace_text(std::uint64_t ended, std::uint64_t left, std::chrono::nanoseconds elapsed);

class Progress {
 public:
  explicit Progress(const std::string& how);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A line for a person; only where it differs from the last one.
  void show(const protocol::JobSummary& summary);
  void clear();

 private:
  ProgressStyle style_;
  std::string pace_of(const protocol::JobSummary& summary);

  bool shown_{false};
  std::string last_;
  base::JobId job_;  ///< the one that was shown last, and what of it was seen first
  std::uint64_t ended_at_first_{};
  std::chrono::steady_clock::time_point first_{};
};

}  // namespace fastgpu::cli
