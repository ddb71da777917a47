#pragma once

/// What the tests of the warden share: folders that commands may enter, a recorder of events, and
/// the sight of processes from outside.

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/process_runner.hpp"
#include "runtime/exec/warden/process_table.hpp"
#include "tests/support/own_user.hpp"

namespace fastgpu::exec::test {

/// Only matters when something is broken; sanitizers and busy machines are slow.
inline constexpr std::chrono::seconds patience{50};

/// Can be entered by the user that runs commands.
class JobFolder {
 public:
  JobFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fastgpu-job.XXXXXX").string();
    path_ = mkdtemp(name.data());
    chmod(path_.c_str(), 0755);
  }
  ~JobFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline base::Time boot_time() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return base::Time(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

/// A word that stands in the arguments of processes of one test only.
inline std::string unique_word() {
  static std::atomic<int> last{0};
  return "7" + std::to_string(getpid()) + "." + std::to_string(++last + 100);
}

/// The living processes that have `word` as an argument.
inline std::vector<pid_t> processes_with(const std::string& word) {
  std::vector<pid_t> found;
  for (const pid_t process : all_processes()) {
    const std::string line = std::string(1, '\0') + read_process_file(process, "cmdline");
    if (line.find(std::string(1, '\0') + word + std::string(1, '\0')) != std::string::npos &&
        !is_zombie(process))
      found.push_back(process);
  }
  return found;
}

/// True once the process has ended; false if it does not within the patience.
inline bool await_end_of(pid_t process) {
  const FileDescriptor held(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  pollfd ended{held.get(), POLLIN, 0};
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  return !held || poll(&ended, 1, static_cast<int>(limit)) > 0;
}

struct Seen {
  std::optional<CommandStarted> started;
  std::vector<CommandOutput> outputs;
  std::optional<CommandEnded> ended;
  std::string text(CommandStream stream) const {
    std::string text;
    for (const auto& output : outputs)
      if (output.stream == stream && !output.is_mark)
        text += output.bytes.text();
    return text;
  }
  std::string out() const { return text(CommandStream::standard_output); }
};

/// A started runner whose events are kept; waits are by condition variable.
class Recorder {
 public:
  explicit Recorder(ProcessRunnerOptions options) : runner_(make_process_runner(options)) {
    runner_->start([this](const CommandEvent& event) { note(event); });
  }
  ~Recorder() { runner_.reset(); }

  CommandRunner& runner() { return *runner_; }
  CommandToken next_token() { return {++last_token_}; }

  WardenReady await_ready() {
    std::unique_lock lock(mutex_);
    wait(lock, [this] { return !readies_.empty(); });
    if (readies_.empty())
      return {};
    const WardenReady ready = readies_.front();
    readies_.pop_front();
    return ready;
  }
  WardenDied await_died() {
    std::unique_lock lock(mutex_);
    wait(lock, [this] { return !deaths_.empty(); });
    if (deaths_.empty())
      return {};
    const WardenDied died = deaths_.front();
    deaths_.pop_front();
    return died;
  }
  WardenAway await_away() {
    std::unique_lock lock(mutex_);
    wait(lock, [this] { return !aways_.empty(); });
    if (aways_.empty())
      return {};
    const WardenAway away = aways_.front();
    aways_.pop_front();
    return away;
  }
  Seen await_end(CommandToken token) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return seen_[token].ended.has_value(); });
    if (!seen_[token].ended)
      seen_[token].ended.emplace();
    return seen_[token];
  }
  /// Until the command has written this on its standard output.
  void await_text(CommandToken token, const std::string& text) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return seen_[token].out().find(text) != std::string::npos; });
  }
  /// The same for standard error.
  void await_complaint(CommandToken token, const std::string& text) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] {
      return seen_[token].text(CommandStream::standard_error).find(text) != std::string::npos;
    });
  }
  Seen seen(CommandToken token) {
    std::lock_guard lock(mutex_);
    return seen_[token];
  }

  CommandToken begin(CommandTask task) {
    if (!task.token)
      task.token = next_token();
    const CommandToken token = task.token;
    EXPECT_TRUE(runner_->run(std::move(task))) << "run said no";
    return token;
  }
  Seen run(CommandTask task) { return await_end(begin(std::move(task))); }

 private:
  void note(const CommandEvent& event) {
    std::lock_guard lock(mutex_);
    if (const auto* ready = std::get_if<WardenReady>(&event))
      readies_.push_back(*ready);
    else if (const auto* died = std::get_if<WardenDied>(&event))
      deaths_.push_back(*died);
    else if (const auto* away = std::get_if<WardenAway>(&event))
      aways_.push_back(*away);
    else if (const auto* started = std::get_if<CommandStarted>(&event))
      seen_[started->token].started = *started;
    else if (const auto* output = std::get_if<CommandOutput>(&event))
      seen_[output->token].outputs.push_back(*output);
    else
      note_end(std::get<CommandEnded>(event));
    changed_.notify_all();
  }
  void note_end(const CommandEnded& ended) {
    Seen& seen = seen_[ended.token];
    EXPECT_FALSE(seen.ended) << "ended twice: " << ended.token.value;
    seen.ended = ended;
  }
  template <class Look>
  void wait(std::unique_lock<std::mutex>& lock, Look look) {
    EXPECT_TRUE(changed_.wait_for(lock, patience, look)) << "the event did not come";
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WardenReady> readies_;
  std::deque<WardenDied> deaths_;
  std::deque<WardenAway> aways_;
  std::map<CommandToken, Seen> seen_;
  std::uint64_t last_token_{0};
  std::unique_ptr<CommandRunner> runner_;
};

/// Each with a user of its own.
inline ProcessRunnerOptions options_of(const std::string& sandbox) {
  ProcessRunnerOptions options;
  options.program = FASTGPU_TEST_EXECUTOR;
  options.sandbox = sandbox;
  options.user = fastgpu::testing::own_user();
  return options;
}

inline CommandTask shell(const JobFolder& folder, const std::string& script) {
  CommandTask task;
  task.folder = folder.path();
  task.argv = {"/bin/sh", "-c", script};
  return task;
}

/// A command whose processes each start two more, for ever, deaf to requests; found by the word.
inline CommandTask fork_storm(const JobFolder& folder, const std::string& word) {
  std::ofstream(folder.file("storm"))
      << "trap '' TERM\nwhile :; do sh ./storm " + word + " & sh ./storm " + word + "; done\n";
  return shell(folder, "trap '' TERM; sh ./storm " + word + " & while :; do wait; done");
}

}  // namespace fastgpu::exec::test
