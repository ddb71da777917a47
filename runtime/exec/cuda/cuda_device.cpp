#include "runtime/exec/cuda/cuda_device.hpp"

#include <unistd.h>

#include <array>
#include <chrono>

#include "runtime/exec/channel/text.hpp"
#include "runtime/exec/cpu/run/fault_handler.hpp"
#include "runtime/exec/cpu/run/launcher.hpp"
#include "runtime/exec/cuda/failed_assert.hpp"
#include "runtime/exec/cuda/nvrtc_maker.hpp"

namespace fastgpu::exec {
namespace {

using base::FailureReason;
using cuda::Code;
using cuda::DevicePointer;
using Clock = std::chrono::steady_clock;

/// Shared memory that every kernel may have; more must be asked for, kernel by kernel.
constexpr std::uint32_t shared_bytes_plain = 48u << 10;
/// As many parameters, and bytes of one, as the driver could read for a kernel of which it does not
/// tell what it takes.
constexpr std::size_t unknown_parameters_max = 4096;
constexpr std::size_t parameter_bytes_max = 32u << 10;

/// Of what the driver says of failed assertions: the first line matters.
constexpr std::size_t told_bytes_max = 4096;

std::uint64_t since(Clock::time_point begin) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
}

NvrtcMakerOptions maker_options(const CudaSession& session, const CudaDeviceOptions& options) {
  NvrtcMakerOptions maker;
  maker.child_program = options.child_program;
  maker.folder = options.session.cache_folder;
  maker.arch = session.arch();
  maker.driver_version = session.driver_version();
  return maker;
}

KernelCacheOptions cache_options(const CudaDeviceOptions& options) {
  KernelCacheOptions cache;
  cache.compiler.folder = options.session.cache_folder;
  return cache;
}

/// A kernel on its way from the cache, or one that came as an image.
class PreparedGpuKernel final : public PreparedKernel {
 public:
  PreparedGpuKernel(std::shared_ptr<const KernelEntry> made, bool there)
      : entry(std::move(made)), was_there(there) {}
  explicit PreparedGpuKernel(std::shared_ptr<const CudaImage> given)
      : image(std::move(given)), was_there(true) {}
  bool ready() const override { return entry == nullptr || entry->done(); }
  const std::shared_ptr<const KernelEntry> entry;
  const std::shared_ptr<const CudaImage> image;
  const bool was_there;  ///< known before this task asked
};

/// Empty, or how the task's arguments differ from what the kernel takes, as far as that is known.
std::string check_fits(const TaskView& task, const LoadedGpuKernel& kernel) {
  if (kernel.parameters_known)
    return check_gpu_arguments(task, kernel.parameters);
  const std::size_t given = task.arguments.size();
  if (kernel.count_in_name.value_or(given) == given)
    return "";
  return "kernel takes " + std::to_string(*kernel.count_in_name) + " arguments, job gives " +
         std::to_string(given);
}

bool is_input(const TaskView::Argument& argument) {
  return argument.kind == ArgumentKind::in || argument.kind == ArgumentKind::inout;
}
bool is_output(const TaskView::Argument& argument) {
  return argument.kind == ArgumentKind::out || argument.kind == ArgumentKind::inout;
}

}  // namespace

/// One task on its way through the device.
struct CudaDevice::Launch {
  const TaskView& task;
  TaskOutcome outcome{};
  struct Buffer {
    DevicePointer pointer{0};
    std::size_t bytes{0};
  };
  std::vector<Buffer> buffers{};  ///< by argument; scalars have none
  std::vector<std::array<std::uint8_t, 8>> scalars{};
  std::vector<void*> arguments{};
  cuda::Kernel kernel{};

  bool fail(FailureReason reason, std::string message) {
    outcome.reason = reason;
    outcome.message = std::move(message);
    return false;
  }
};

base::Result<std::unique_ptr<Device>> CudaDevice::open(const CudaDeviceOptions& options,
                                                       std::function<void()> changed) {
  auto session = CudaSession::open(options.session);
  if (!session.ok())
    return session.error();
  return std::unique_ptr<Device>(
      new CudaDevice(std::move(session).value(), options, std::move(changed)));
}

CudaDevice::CudaDevice(CudaSession session, const CudaDeviceOptions& options,
                       std::function<void()> changed)
    : session_(std::move(session)),
      fault_(options.fault),
      cache_(cache_options(options), std::make_unique<NvrtcMaker>(maker_options(session_, options)),
             std::move(changed)),
      loaded_(session_),
      printed_(STDOUT_FILENO),
      told_(STDERR_FILENO),
      nothing_(parameter_bytes_max) {
  if (options.arena != nullptr)
    session_.pin(options.arena, options.arena_bytes);
}

DeviceDescription CudaDevice::describe() const {
  return {DeviceKind::cuda, session_.model(), session_.memory_bytes(), session_.uuid(), 0};
}

std::unique_ptr<PreparedKernel> CudaDevice::prepare(const TaskView& task) {
  if (const SourceKind kind = kind_of_source(task.source); kind != SourceKind::cuda) {
    auto image = std::make_shared<CudaImage>();
    image->kernel = task.kernel;
    image->bytes = task.source;
    const auto cubin = read_cubin(task.source);
    const auto ptx = read_ptx(task.source);
    // Of a fat binary nothing is known: it is taken for one with variables.
    image->has_globals = cubin ? cubin->has_globals : ptx ? ptx->has_globals : true;
    return std::make_unique<PreparedGpuKernel>(std::move(image));
  }
  KernelRequest request;
  request.source = task.source;
  request.expression = task.kernel;
  request.defines.assign(task.defines.begin(), task.defines.end());
  request.standard = task.standard;
  auto entry = cache_.request(request);
  const bool there = entry->done();
  return std::make_unique<PreparedGpuKernel>(std::move(entry), there);
}

TaskOutcome CudaDevice::run(const TaskView& task, const PreparedKernel* prepared) {
  const auto& made = static_cast<const PreparedGpuKernel&>(*prepared);
  Launch launch{task};
  launch.outcome.timings.compile_cached = made.was_there || !made.entry->compiled;
  launch.outcome.timings.compile_ns = made.was_there ? 0 : made.entry->made_ns;
  if (made.entry && made.entry->reason != FailureReason::none) {
    launch.fail(made.entry->reason, made.entry->message);
    return launch.outcome;
  }
  if (LaunchEnd end = check_launch({task.grid, task.block, task.shared_bytes, false});
      end.reason != FailureReason::none) {
    launch.fail(end.reason, std::move(end.message));
    return launch.outcome;
  }
  const auto load = Clock::now();
  LoadedKernels::Found found =
      loaded_.take(made.entry ? made.entry->image : made.image, task.kernel);
  launch.outcome.timings.compile_ns += since(load);
  if (!found.kernel) {
    if (cuda::is_sticky(found.code))
      end_process(task.token.value, found.code, "loading the kernel");
    launch.fail(found.reason, std::move(found.message));
    return launch.outcome;
  }
  launch.kernel = found.kernel->kernel;
  if (std::string wrong = check_fits(task, *found.kernel); !wrong.empty()) {
    launch.fail(FailureReason::bad_argument, std::move(wrong));
    return launch.outcome;
  }
  if (set_shared_memory(launch, *found.kernel) && place_arguments(launch) &&
      start(launch, *found.kernel))
    take_outputs(launch);
  give_back(launch);
  launch.outcome.printed_bytes = printed_.take(task.printed);
  return launch.outcome;
}

bool CudaDevice::set_shared_memory(Launch& launch, LoadedGpuKernel& kernel) {
  const std::uint32_t wanted = launch.task.shared_bytes;
  if (wanted > session_.shared_bytes_max() && session_.shared_bytes_max() != 0)
    return launch.fail(FailureReason::bad_argument,
                       "dynamic shared memory in bytes is " + std::to_string(wanted) +
                           ", the limit of this device is " +
                           std::to_string(session_.shared_bytes_max()));
  if (wanted <= shared_bytes_plain || wanted <= kernel.shared_bytes_set)
    return true;
  const Code code = session_.api().cuKernelSetAttribute(
      cuda::KernelAttribute::dynamic_shared_bytes_max, static_cast<int>(wanted), kernel.kernel,
      session_.device());
  if (code == cuda::invalid_value)
    return launch.fail(FailureReason::bad_argument,
                       "dynamic shared memory in bytes is " + std::to_string(wanted) +
                           ": too much beside what the kernel declares itself; the limit of this "
                           "device for both is " +
                           std::to_string(session_.shared_bytes_max()));
  if (!check(launch, code, "asking for shared memory"))
    return false;
  kernel.shared_bytes_set = wanted;
  return true;
}

bool CudaDevice::place_arguments(Launch& launch) {
  const auto& arguments = launch.task.arguments;
  const cuda::DriverApi& api = session_.api();
  std::uint64_t wanted = 0;
  for (const auto& argument : arguments)
    wanted += argument.kind == ArgumentKind::scalar ? 0 : argument.bytes;
  if (wanted > session_.memory_bytes())
    return launch.fail(FailureReason::cuda_out_of_memory,
                       "the buffers need " + std::to_string(wanted) + " bytes, the device has " +
                           std::to_string(session_.memory_bytes()));
  launch.buffers.resize(arguments.size());
  launch.scalars.resize(arguments.size());
  launch.arguments.resize(arguments.size());
  if (!check(launch, api.cuEventRecord(session_.mark(CudaSession::began), session_.stream()),
             "starting"))
    return false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    launch.scalars[i] = argument.scalar_value;
    launch.arguments[i] = launch.scalars[i].data();
    if (argument.kind == ArgumentKind::scalar)
      continue;
    auto& buffer = launch.buffers[i];
    const std::size_t bytes = std::max<std::size_t>(argument.bytes, 1);
    const Code code =
        api.cuMemAllocFromPoolAsync(&buffer.pointer, bytes, session_.pool(), session_.stream());
    if (code == cuda::out_of_memory)
      return launch.fail(FailureReason::cuda_out_of_memory,
                         "the device gives no memory for buffer argument " + std::to_string(i) +
                             " (" + std::to_string(argument.bytes) + " bytes): the task's " +
                             std::to_string(session_.used_bytes()) + " of " +
                             std::to_string(session_.memory_bytes()) + " bytes are in use, " +
                             std::to_string(session_.free_bytes()) +
                             " bytes of the device are free");
    if (!check(launch, code, "allocating memory"))
      return false;
    buffer.bytes = bytes;
    launch.arguments[i] = &buffer.pointer;
    const Code filled = is_input(argument) && argument.bytes > 0
                            ? api.cuMemcpyHtoDAsync(buffer.pointer, argument.data, argument.bytes,
                                                    session_.stream())
                            : api.cuMemsetD8Async(buffer.pointer, 0, bytes, session_.stream());
    if (!check(launch, filled, "copying inputs"))
      return false;
  }
  return check(launch, api.cuEventRecord(session_.mark(CudaSession::copied_in), session_.stream()),
               "copying inputs");
}

bool CudaDevice::start(Launch& launch, const LoadedGpuKernel& kernel) {
  const cuda::DriverApi& api = session_.api();
  const TaskView& task = launch.task;
  if (!kernel.parameters_known)
    launch.arguments.resize(launch.arguments.size() + unknown_parameters_max,
                            const_cast<char*>(nothing_.data()));
  cuda::LaunchConfig config{};
  for (int i = 0; i < 3; ++i) {
    config.grid[i] = task.grid[i];
    config.block[i] = task.block[i];
  }
  config.shared_bytes = task.shared_bytes;
  config.stream = session_.stream();
  const Code code = api.cuLaunchKernelEx(&config, launch.kernel, launch.arguments.data(), nullptr);
  if (code == cuda::launch_out_of_resources)
    return launch.fail(cuda::reason_of(code), explain_resources(launch));
  return check(launch, code, "launching") &&
         check(launch, api.cuEventRecord(session_.mark(CudaSession::ran), session_.stream()),
               "launching");
}

bool CudaDevice::take_outputs(Launch& launch) {
  const cuda::DriverApi& api = session_.api();
  const auto& arguments = launch.task.arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (is_output(arguments[i]) && arguments[i].bytes > 0 &&
        !check(launch,
               api.cuMemcpyDtoHAsync(arguments[i].data, launch.buffers[i].pointer,
                                     arguments[i].bytes, session_.stream()),
               "copying outputs"))
      return false;
  if (!check(launch, api.cuEventRecord(session_.mark(CudaSession::copied_out), session_.stream()),
             "copying outputs") ||
      !check(launch, session_.await(CudaSession::copied_out), "running"))
    return false;
  auto& times = launch.outcome.timings;
  times.copy_in_ns = session_.between(CudaSession::began, CudaSession::copied_in);
  times.run_ns = session_.between(CudaSession::copied_in, CudaSession::ran);
  times.copy_out_ns = session_.between(CudaSession::ran, CudaSession::copied_out);
  return true;
}

void CudaDevice::give_back(Launch& launch) {
  const cuda::DriverApi& api = session_.api();
  for (const auto& buffer : launch.buffers) {
    if (buffer.pointer == 0)
      continue;
    check(launch, api.cuMemsetD8Async(buffer.pointer, 0, buffer.bytes, session_.stream()),
          "wiping memory");
    check(launch, api.cuMemFreeAsync(buffer.pointer, session_.stream()), "freeing memory");
  }
  // What kernels print comes out when the device is waited for, and so does what is wrong with it.
  check(launch, api.cuStreamSynchronize(session_.stream()), "ending");
}

/// False where the code is an error: the task has failed with it. Does not return from a sticky
/// one.
bool CudaDevice::check(Launch& launch, Code code, const char* during) {
  if (code == cuda::success)
    return true;
  if (cuda::is_sticky(code))
    end_process(launch.task.token.value, code, during);
  // Of a code that is in no table it can be seen whether it stays.
  if (const Code again = session_.api().cuStreamSynchronize(session_.stream());
      again != cuda::success)
    end_process(launch.task.token.value, code, during);
  if (launch.outcome.reason == FailureReason::none)
    launch.fail(cuda::reason_of(code),
                std::string("CUDA, ") + during + ": " + session_.describe(code));
  return false;
}

std::string CudaDevice::explain_resources(const Launch& launch) const {
  const auto attribute = [&](cuda::KernelAttribute which) {
    int value = 0;
    if (session_.api().cuKernelGetAttribute != nullptr)
      session_.api().cuKernelGetAttribute(&value, which, launch.kernel, session_.device());
    return std::to_string(value);
  };
  const auto& block = launch.task.block;
  return "a block of " + std::to_string(std::uint64_t{block[0]} * block[1] * block[2]) +
         " threads needs more than there is: each thread of the kernel uses " +
         attribute(cuda::KernelAttribute::registers) + " registers, a block may have " +
         attribute(cuda::KernelAttribute::threads_max) + " threads of it";
}

/// In the driver's words, which say as much as the CPU device does. Else the record stays as it is.
void CudaDevice::tell_failed_assert(FaultRecord& fault) {
  std::array<char, told_bytes_max> text{};
  const auto failed = read_failed_assert({text.data(), told_.take(text)});
  if (!failed)
    return;
  fault.kind = FaultKind::failed_check;
  fault.line = failed->line;
  fault.has_thread = 1;
  std::copy(failed->block.begin(), failed->block.end(), fault.block);
  std::copy(failed->thread.begin(), failed->thread.end(), fault.thread);
  copy_text(fault.what, ("assertion failed: " + failed->condition).c_str());
  copy_text(fault.file, failed->file.c_str());
}

void CudaDevice::end_process(std::uint64_t token, Code code, const char* during) {
  if (fault_ != nullptr) {
    fault_->claimed.store(1, std::memory_order_relaxed);
    fault_->kind = FaultKind::gpu;
    fault_->token = token;
    fault_->gpu_code = code;
    fault_->argument = -1;
    copy_text(fault_->what, session_.describe(code).c_str());
    copy_text(fault_->file, during);
    if (code == cuda::assert_failed)
      tell_failed_assert(*fault_);
    fault_->complete.store(1, std::memory_order_release);
  }
  // Not exit(): the driver's own clean-up could hang on a broken device.
  _exit(fault_exit_code);
}

}  // namespace fastgpu::exec
