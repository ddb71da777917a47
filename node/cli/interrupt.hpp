#pragma once

/// Ctrl-C while a command works on jobs: never loses work and never lies, whatever the command is
/// busy with. The first press says what goes on and which command takes it up again; where jobs go
/// on, a second one within three seconds asks the cluster to cancel them. Either way the program
/// exits with 130. Serves `run` and `wait`. One for each run of the program, made on its main
/// thread before any other thread exists; a thread of its own takes the signal, so that no call
/// that blocks the main thread delays it. A program started with SIGINT ignored goes on ignoring
/// it.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/connection.hpp"
#include "node/cli/context.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::cli {

class Interrupts {
 public:
  /// `nothing_done` is what to say before any of the calls below.
  Interrupts(const Context& context, std::string nothing_done);
  /// From here on Ctrl-C changes nothing. Does not return where it was pressed before.
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  /// A submit is on its way: it may or may not be accepted.
  void submitting();
  /// These jobs are there and live.
  void following(std::shared_ptr<client::Connection> connection, std::vector<base::JobId> jobs);
  /// They have ended; what is left is to bring their results, or to tell of them.
  void ended(bool outputs_to_bring);

  bool pressed() const { return pressed_; }
  /// Once pressed, the thread that takes the signal ends the program: wait for that.
  [[noreturn]] void park() const;
  /// While it is held, a file is being written: the program ends between files, not inside one.
  std::unique_lock<std::timed_mutex> whole_file() { return std::unique_lock(file_); }

 private:
  enum class Phase { nothing_done, submitting, following, ended, over };

  void watch();
  [[noreturn]] void leave();
  void say_what_goes_on() const;
  bool pressed_again() const;
  void cancel_all();
  std::string ids() const;

  const Context& context_;
  const std::string nothing_done_;
  std::mutex mutex_;  ///< of the four below
  Phase phase_{Phase::nothing_done};
  std::shared_ptr<client::Connection> connection_;
  std::vector<base::JobId> jobs_;
  bool outputs_to_bring_{false};
  std::vector<base::JobId> cancelled_;  ///< by the second press
  std::timed_mutex file_;
  std::atomic<bool> pressed_{false};
  int signals_{-1};
  int over_{-1};
  std::thread thread_;
};

}  // namespace fastgpu::cli
