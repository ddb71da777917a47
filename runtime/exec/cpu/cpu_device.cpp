#include "runtime/exec/cpu/cpu_device.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>

#include "runtime/exec/cpu/run/context.hpp"
#include "runtime/exec/cpu/run/device_heap.hpp"
#include "runtime/exec/cpu/run/fault_handler.hpp"
#include "runtime/exec/cuda/image.hpp"

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kept_buffer_bytes_max = 512u << 20;
/// Of variables; every loaded kernel has a page or two.
constexpr std::uint64_t small_global_bytes = 64u << 10;

std::uint64_t since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
}

unsigned usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return 1;
}

std::uint64_t host_memory_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string first_line_of(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string processor_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      return line.substr(line.find(':') + 2);
  return "CPU";
}

CpuDeviceOptions completed(CpuDeviceOptions options) {
  if (options.threads == 0)
    options.threads = usable_processors();
  if (options.memory_bytes == 0)
    options.memory_bytes = host_memory_bytes() / 2;
  return options;
}

LaunchShape shape_of(const TaskView& task) {
  return {task.grid, task.block, task.shared_bytes, task.precise};
}

bool is_integer(ScalarType type) {
  return type != ScalarType::f32 && type != ScalarType::f64;
}

/// Whether an integer may go into a parameter narrower than any scalar of a job: bool, char, short.
bool narrows_unharmed(const TaskView::Argument& argument, unsigned bytes) {
  std::int64_t value = 0;
  std::memcpy(&value, argument.scalar_value.data(), size_of(argument.scalar_type));
  if (argument.scalar_type == ScalarType::i32)
    value = static_cast<std::int32_t>(value);
  const std::int64_t limit = std::int64_t{1} << (8 * bytes);
  return value < limit && value >= -limit / 2;
}

std::string check_argument(const TaskView::Argument& argument, unsigned bytes, unsigned char kind) {
  if (argument.kind != ArgumentKind::scalar)
    return kind == abi::fastgpu_pointer
               ? ""
               : "kernel takes a value of " + std::to_string(bytes) + " bytes, job gives a buffer";
  const ScalarType type = argument.scalar_type;
  const std::string given =
      std::string("job gives ") + std::to_string(size_of(type)) + " (" + to_word(type) + ")";
  if (kind == abi::fastgpu_pointer)
    return "kernel takes a buffer, job gives a value (" + std::string(to_word(type)) + ")";
  if (kind == abi::fastgpu_integer && is_integer(type) && bytes < 4)
    return narrows_unharmed(argument, bytes)
               ? ""
               : "kernel takes an integer of " + std::to_string(bytes) +
                     " bytes, the job's value does not fit";
  if (bytes != size_of(type))
    return "kernel takes " + std::to_string(bytes) + " bytes, " + given;
  if (kind == abi::fastgpu_integer && !is_integer(type))
    return "kernel takes an integer, " + given;
  if (kind == abi::fastgpu_floating && is_integer(type))
    return "kernel takes a floating-point number, " + given;
  return "";
}

class PreparedCpuKernel final : public PreparedKernel {
 public:
  explicit PreparedCpuKernel(std::shared_ptr<const KernelEntry> made, bool there)
      : entry(std::move(made)), was_there(there) {}
  bool ready() const override { return entry == nullptr || entry->done(); }
  const std::shared_ptr<const KernelEntry> entry;  ///< null for what no compiler takes
  const bool was_there;                            ///< loaded before this task asked
};

}  // namespace

/// The memory of one launch. Given back when it goes.
struct CpuDevice::Buffers {
  explicit Buffers(BufferPool& from) : pool(from) {}
  ~Buffers() {
    for (auto& buffer : memory)
      pool.give_back(buffer);
  }
  BufferPool& pool;
  std::vector<GuardedBuffer> memory;  ///< by argument; empty for scalars
  std::vector<char*> pointers;        ///< by argument
  std::vector<std::array<std::uint8_t, 8>> scalars;
  std::vector<void*> arguments;  ///< what the kernel is given
};

CpuDevice::CpuDevice(CpuDeviceOptions options, std::function<void()> changed)
    : options_(completed(std::move(options))),
      cache_(options_.cache, std::move(changed)),
      launcher_(options_.threads),
      pool_(kept_buffer_bytes_max) {}

DeviceDescription CpuDevice::describe() const {
  return {DeviceKind::cpu,
          processor_model() + ", " + std::to_string(options_.threads) +
              (options_.threads == 1 ? " thread" : " threads"),
          options_.memory_bytes,
          "cpu-" + first_line_of("/etc/machine-id").substr(0, 12) + "-" +
              std::to_string(options_.ordinal),
          options_.threads};
}

std::unique_ptr<PreparedKernel> CpuDevice::prepare(const TaskView& task) {
  if (kind_of_source(task.source) != SourceKind::cuda)
    return std::make_unique<PreparedCpuKernel>(nullptr, true);
  KernelRequest request;
  request.source = task.source;
  request.expression = task.kernel;
  request.defines.assign(task.defines.begin(), task.defines.end());
  request.standard = task.standard;
  request.precise = task.precise;
  request.force_fibres = !fits_loop_mode(shape_of(task));
  auto entry = cache_.request(request);
  const bool there = entry->done();
  return std::make_unique<PreparedCpuKernel>(std::move(entry), there);
}

TaskOutcome CpuDevice::run(const TaskView& task, const PreparedKernel* prepared) {
  const auto& kernel = static_cast<const PreparedCpuKernel&>(*prepared);
  TaskOutcome outcome;
  if (!kernel.entry) {
    outcome.reason = base::FailureReason::not_supported_on_device;
    outcome.message = std::string("the job gives ") + to_word(kind_of_source(task.source)) +
                      ": that runs on a GPU only, a CPU device takes CUDA C++ source";
    return outcome;
  }
  const KernelEntry& entry = *kernel.entry;
  outcome.timings.compile_cached = kernel.was_there || !entry.compiled;
  outcome.timings.compile_ns = kernel.was_there ? 0 : entry.made_ns;
  const auto fail = [&outcome](base::FailureReason reason, std::string message) {
    outcome.reason = reason;
    outcome.message = std::move(message);
    return outcome;
  };
  if (entry.reason != base::FailureReason::none)
    return fail(entry.reason, entry.message);
  if (LaunchEnd end = check_launch(shape_of(task)); end.reason != base::FailureReason::none)
    return fail(end.reason, std::move(end.message));
  if (std::string wrong = check_arguments(task, entry.module->kernel()); !wrong.empty())
    return fail(base::FailureReason::bad_argument, std::move(wrong));

  const auto copy_in = Clock::now();
  Buffers buffers(pool_);
  std::string message;
  const auto placed = place_arguments(task, entry.module->global_bytes(), buffers, message);
  if (placed != base::FailureReason::none)
    return fail(placed, std::move(message));
  outcome.timings.copy_in_ns = since(copy_in);

  open_device_heap();
  begin_fault_scene(task.token.value);
  for (std::size_t i = 0; i < task.arguments.size(); ++i)
    if (task.arguments[i].kind != ArgumentKind::scalar)
      add_fault_buffer(static_cast<int>(i), buffers.memory[i]);
  set_print_target(task.printed.data(), task.printed.size());
  entry.module->reset_globals();
  const auto run = Clock::now();
  LaunchEnd end = launcher_.run(*entry.module, shape_of(task), buffers.arguments.data());
  outcome.timings.run_ns = since(run);
  end_fault_scene();
  close_device_heap();
  outcome.printed_bytes = printed_bytes();
  if (end.reason != base::FailureReason::none)
    return fail(end.reason, std::move(end.message));

  const auto copy_out = Clock::now();
  std::string overrun = take_outputs(task, buffers);
  if (!overrun.empty())
    return fail(base::FailureReason::out_of_bounds, std::move(overrun));
  outcome.timings.copy_out_ns = since(copy_out);
  return outcome;
}

/// Empty, or what the kernel wrote beside a buffer.
std::string CpuDevice::take_outputs(const TaskView& task, const Buffers& buffers) {
  for (std::size_t i = 0; i < task.arguments.size(); ++i) {
    const auto& argument = task.arguments[i];
    if (argument.kind == ArgumentKind::scalar)
      continue;
    const GuardedBuffer& buffer = buffers.memory[i];
    if (const std::int64_t over = buffer.bytes_overrun(); over != 0)
      return "the kernel wrote " + std::to_string(over > 0 ? over : -over) + " bytes " +
             (over > 0 ? "past the end" : "before the begin") + " of buffer argument " +
             std::to_string(i) + " (" + std::to_string(buffer.size()) + " bytes)";
    if (argument.data != nullptr && argument.kind != ArgumentKind::in && argument.bytes > 0)
      std::memcpy(argument.data, buffer.begin(), argument.bytes);
  }
  return "";
}

base::FailureReason CpuDevice::place_arguments(const TaskView& task, std::uint64_t global_bytes,
                                               Buffers& buffers, std::string& message) {
  const std::size_t count = task.arguments.size();
  std::uint64_t wanted = 0;
  for (const auto& argument : task.arguments)
    wanted += argument.kind == ArgumentKind::scalar ? 0 : argument.bytes;
  if (wanted + global_bytes > options_.memory_bytes) {
    message = "the buffers need " + std::to_string(wanted) + " bytes" +
              (global_bytes > small_global_bytes
                   ? " and the source's variables " + std::to_string(global_bytes)
                   : std::string()) +
              ", the device has " + std::to_string(options_.memory_bytes);
    return base::FailureReason::cuda_out_of_memory;
  }
  buffers.memory.resize(count);
  buffers.pointers.resize(count);
  buffers.scalars.resize(count);
  buffers.arguments.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& argument = task.arguments[i];
    if (argument.kind == ArgumentKind::scalar) {
      buffers.scalars[i] = argument.scalar_value;
      buffers.arguments[i] = buffers.scalars[i].data();
      continue;
    }
    if (!pool_.take(argument.bytes, buffers.memory[i])) {
      message = "the host gives no memory for buffer argument " + std::to_string(i) + " (" +
                std::to_string(argument.bytes) + " bytes)";
      return base::FailureReason::cuda_out_of_memory;
    }
    char* begin = buffers.memory[i].begin();
    const bool input = argument.kind == ArgumentKind::in || argument.kind == ArgumentKind::inout;
    if (argument.bytes > 0 && input)
      std::memcpy(begin, argument.data, argument.bytes);
    else if (argument.bytes > 0)
      std::memset(begin, 0, argument.bytes);
    buffers.pointers[i] = begin;
    buffers.arguments[i] = &buffers.pointers[i];
  }
  return base::FailureReason::none;
}

std::string check_arguments(const TaskView& task, const abi::FastgpuKernel& kernel) {
  if (task.arguments.size() != kernel.parameter_count)
    return "kernel takes " + std::to_string(kernel.parameter_count) + " arguments, job gives " +
           std::to_string(task.arguments.size());
  for (std::size_t i = 0; i < task.arguments.size(); ++i) {
    const std::string wrong =
        check_argument(task.arguments[i], kernel.parameter_bytes[i], kernel.parameter_kinds[i]);
    if (!wrong.empty())
      return "argument " + std::to_string(i) + ": " + wrong;
  }
  return "";
}

}  // namespace fastgpu::exec
