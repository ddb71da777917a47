#pragma once

/// How far jobs are, on stderr: on a terminal one line that is written over, elsewhere nothing
/// unless it was asked for. Used by the main thread only.

#include <string>

#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::cli {

enum class ProgressStyle { none, plain, live };

/// What `--progress` means here: `auto` is live on a terminal that can go back in a line, else
/// none. `term` is the variable TERM; nullptr where it is not set.
ProgressStyle progress_style(const std::string& how, bool is_terminal, const char* term);

/// The text cut to so many columns, so that it stays one line; UTF-8 is not cut inside a letter.
std::string fit_line(const std::string& text, std::size_t columns);

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
  bool shown_{false};
  std::string last_;
};

}  // namespace fastgpu::cli
