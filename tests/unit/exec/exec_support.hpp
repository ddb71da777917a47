#pragma once

/// What the tests of the device side share: a folder of their own, a recorder of events, bytes.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>

#include "runtime/exec/executor.hpp"
#include "runtime/exec/process_executor.hpp"
#include "tests/support/own_user.hpp"

namespace fastgpu::exec::test {

/// Only matters when something is broken; sanitizers and busy machines are slow.
inline constexpr std::chrono::seconds patience{30};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fastgpu-exec.XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// One cache for all tests of the program: the same kernel is compiled once.
inline const std::string& shared_cache_folder() {
  static const TemporaryFolder folder;
  return folder.path();
}

template <class T>
base::Bytes bytes_of(const std::vector<T>& values) {
  return base::Bytes::copy_of(
      std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)));
}

template <class T>
std::vector<T> values_of(const base::Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty())
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

/// A started executor whose events are kept; waits are by condition variable.
class Recorder {
 public:
  explicit Recorder(std::unique_ptr<Executor> executor) : executor_(std::move(executor)) {
    executor_->start([this](const ExecutorEvent& event) { note(event); });
  }
  ~Recorder() { executor_.reset(); }

  Executor& executor() { return *executor_; }

  ExecutorReady await_ready() {
    return await<ExecutorReady>([this] { return take(readies_); });
  }
  ExecutorDied await_died() {
    return await<ExecutorDied>([this] { return take(deaths_); });
  }
  ExecutorResult await_done(TaskToken token) {
    return await<ExecutorResult>([this, token]() -> std::optional<ExecutorResult> {
      const auto found = results_.find(token);
      if (found == results_.end())
        return std::nullopt;
      ExecutorResult result = std::move(found->second);
      results_.erase(found);
      return result;
    });
  }
  std::size_t unread_results() {
    std::lock_guard lock(mutex_);
    return results_.size();
  }

  /// Submits, with a token of its own if it has none, and waits for the result.
  ExecutorResult run(ExecutorTask task) {
    if (!task.token)
      task.token = next_token();
    const TaskToken token = task.token;
    if (!executor_->submit(std::move(task))) {
      ADD_FAILURE() << "submit said no";
      return {};
    }
    return await_done(token);
  }
  TaskToken next_token() { return {++last_token_}; }
  /// What was told of kernels that were not at hand, in order.
  std::vector<ExecutorMaking> makings() {
    std::lock_guard lock(mutex_);
    return makings_;
  }

 private:
  void note(const ExecutorEvent& event) {
    std::lock_guard lock(mutex_);
    if (const auto* ready = std::get_if<ExecutorReady>(&event))
      readies_.push_back(*ready);
    else if (const auto* died = std::get_if<ExecutorDied>(&event))
      deaths_.push_back(*died);
    else if (const auto* making = std::get_if<ExecutorMaking>(&event))
      makings_.push_back(*making);
    else
      results_[std::get<ExecutorDone>(event).result.token] = std::get<ExecutorDone>(event).result;
    changed_.notify_all();
  }
  template <class T>
  static std::optional<T> take(std::deque<T>& queue) {
    if (queue.empty())
      return std::nullopt;
    T value = std::move(queue.front());
    queue.pop_front();
    return value;
  }
  template <class T, class Look>
  T await(Look look) {
    std::unique_lock lock(mutex_);
    std::optional<T> found;
    if (!changed_.wait_for(lock, patience, [&] { return (found = look()).has_value(); })) {
      ADD_FAILURE() << "the event did not come; "
                    << (deaths_.empty() ? "no death" : "the last death: " + deaths_.back().reason);
      return {};
    }
    return *found;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ExecutorReady> readies_;
  std::deque<ExecutorDied> deaths_;
  std::vector<ExecutorMaking> makings_;
  std::map<TaskToken, ExecutorResult> results_;
  std::uint64_t last_token_{0};
  std::unique_ptr<Executor> executor_;
};

inline ProcessExecutorOptions cpu_options() {
  static const ClaimedUser user = fastgpu::testing::own_user();  // of all, as the cache is
  ProcessExecutorOptions options;
  options.program = FASTGPU_TEST_EXECUTOR;
  options.cache_folder = shared_cache_folder();
  options.threads = 2;
  options.user = user;
  return options;
}

inline ProcessExecutorOptions null_options() {
  ProcessExecutorOptions options = cpu_options();
  options.device = "null";
  return options;
}

}  // namespace fastgpu::exec::test
