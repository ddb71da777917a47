#include "bench/foreign/foreign_device.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <span>

#include "bench/exec/bench_support.hpp"
#include "bench/foreign/kernel_text.hpp"
#include "runtime/exec/process_executor.hpp"

namespace fastgpu::bench {
namespace {

/// Only matters when something is broken.
constexpr std::chrono::minutes patience{5};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw ForeignFailure("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

struct ForeignDevice::Events {
  TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<exec::ExecutorEvent> queue;

  template <class Event>
  Event await() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (!changed.wait_for(lock, patience, [this] { return !queue.empty(); }))
        throw ForeignFailure("the device does not answer");
      const exec::ExecutorEvent event = std::move(queue.front());
      queue.pop_front();
      if (const auto* wanted = std::get_if<Event>(&event))
        return *wanted;
    }
  }
};

ForeignDevice::ForeignDevice() : events_(std::make_unique<Events>()) {
  exec::ProcessExecutorOptions options;
  options.program = FASTGPU_BENCH_EXECUTOR;
  options.cache_folder = events_->folder.path();
  const auto user = exec::claim_user(exec::default_users(), static_cast<std::uint32_t>(getpid()));
  if (!user.ok())
    throw ForeignFailure(user.error().message);
  options.user = user.value();
  executor_ = exec::make_process_executor(options);
  executor_->start([this](const exec::ExecutorEvent& event) {
    const std::lock_guard lock(events_->mutex);
    events_->queue.push_back(event);
    events_->changed.notify_all();
  });
  events_->await<exec::ExecutorReady>();
}

ForeignDevice::~ForeignDevice() {
  executor_.reset();
}

exec::ExecutorResult ForeignDevice::run(exec::ExecutorTask task) {
  task.token = {++launches_};
  if (!executor_->submit(std::move(task)))
    throw ForeignFailure("the device takes no task");
  return events_->await<exec::ExecutorDone>().result;
}

ForeignProgram::ForeignProgram(ForeignDevice& device, const std::string& folder,
                               const std::string& name, const Sizes& sizes)
    : device_(device) {
  const std::string path = folder + "/CUDA/" + name;
  const std::string code = read_file(path + ".cu");
  std::string header;
  if (std::ifstream(path + ".cuh"))
    header = read_file(path + ".cuh");
  std::string given;
  std::string given_again;  // a program without a header has its sizes in the source
  for (const auto& [size, value] : sizes) {
    const std::string define = "#define " + size + " " + std::to_string(value) + "\n";
    given += define;
    given_again += "#undef " + size + "\n" + define;
  }
  source_ = base::Bytes::copy_of(given + "#define POLYBENCH_LOOP_BOUND(x, y) x\n" + header + "\n" +
                                 (header.empty() ? "typedef float DATA_TYPE;\n" : "") +
                                 plain_defines(code) + given_again + device_functions(code));
}

void ForeignProgram::launch(const std::string& kernel, Shape extent, Shape block,
                            std::vector<ForeignArgument> arguments) {
  exec::ExecutorTask task;
  task.source = source_;
  task.kernel = kernel;
  task.block = block;
  for (std::size_t i = 0; i < block.size(); ++i)
    task.grid[i] = (extent[i] + block[i] - 1) / block[i];
  std::vector<Floats*> buffers;
  for (const ForeignArgument& argument : arguments) {
    if (const auto* const number = std::get_if<int>(&argument)) {
      task.arguments.push_back(exec::ExecutorArgument::i32(*number));
    } else if (const auto* const real = std::get_if<float>(&argument)) {
      task.arguments.push_back(exec::ExecutorArgument::f32(*real));
    } else {
      buffers.push_back(std::get<Floats*>(argument));
      const auto bytes = std::as_bytes(std::span(*buffers.back()));
      task.arguments.push_back(exec::ExecutorArgument::inout(base::Bytes::copy_of(
          std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()))));
    }
  }
  const exec::ExecutorResult result = device_.run(std::move(task));
  if (result.reason != base::FailureReason::none)
    throw ForeignFailure(kernel + " ended as " + base::to_word(result.reason) + ": " +
                         result.message);
  for (std::size_t i = 0; i < buffers.size(); ++i)
    std::memcpy(buffers[i]->data(), result.outputs.at(i).data(), result.outputs[i].size());
}

Floats sample(std::size_t count, unsigned seed) {
  Floats values(count);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

void expect_near(const std::string& what, const Floats& found, const Floats& expected,
                 float tolerance) {
  float largest = 0;
  for (const float value : expected)
    largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!(std::fabs(found.at(i) - expected[i]) <= tolerance * largest))
      throw ForeignFailure(what + "[" + std::to_string(i) + "] is " + std::to_string(found[i]) +
                           ", plain loops give " + std::to_string(expected[i]));
}

}  // namespace fastgpu::bench
