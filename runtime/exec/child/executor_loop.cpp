#include "runtime/exec/child/executor_loop.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>

#include "runtime/exec/channel/doorbell.hpp"
#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/channel/text.hpp"
#include "runtime/exec/channel/wire.hpp"
#include "runtime/exec/child/null_device.hpp"
#include "runtime/exec/cpu/cpu_device.hpp"
#include "runtime/exec/cpu/run/fault_handler.hpp"
#include "runtime/exec/cuda/cuda_device.hpp"

namespace fastgpu::exec {
namespace {

constexpr int exit_good = 0;
constexpr int exit_usage = 2;
constexpr int exit_wire = 3;
constexpr int exit_no_device = 5;

struct Pending {
  TaskView task;
  std::unique_ptr<PreparedKernel> kernel;
  bool waited{false};  ///< for its kernel, and the node was told
};

class Loop {
 public:
  Loop(SharedMemory channel, SharedMemory arena)
      : channel_memory_(std::move(channel)),
        arena_(std::move(arena)),
        channel_(*reinterpret_cast<Channel*>(channel_memory_.data())),
        submissions_(&channel_.submissions),
        completions_(&channel_.completions),
        own_bell_(&channel_.executor.asleep, executor_bell_fd),
        node_bell_(&channel_.node.asleep, node_bell_fd) {}

  int run(const ExecutorProcessOptions& options) {
    if (channel_memory_.size() < sizeof(Channel) || channel_.magic != wire_magic ||
        channel_.version != wire_version)
      return exit_wire;
    std::string trouble;
    device_ = make_device(options, trouble);
    if (!say_hello(options.walls, trouble) || !device_)
      return device_ ? exit_good : exit_no_device;
    for (;;) {
      if (!take_submissions())
        return exit_wire;
      if (run_one_ready())
        continue;
      pollfd node{control_fd, POLLIN, 0};
      own_bell_.wait([this] { return !submissions_.empty() || something_ready(); }, {&node, 1});
      if (node.revents != 0)
        return exit_good;  // the node never writes here: this is its end
    }
  }

 private:
  std::unique_ptr<Device> make_device(const ExecutorProcessOptions& options, std::string& trouble) {
    if (options.device == "null")
      return std::make_unique<NullDevice>();
    if (options.device.starts_with("cuda:"))
      return make_cuda_device(options, trouble);
    if (options.device.starts_with("cpu:"))
      return make_cpu_device(options);
    trouble = "there is no device '" + options.device + "'";
    return nullptr;
  }

  void tell_kernel_made() {
    kernels_made_.fetch_add(1, std::memory_order_release);
    own_bell_.ring();
  }

  std::unique_ptr<Device> make_cuda_device(const ExecutorProcessOptions& options,
                                           std::string& trouble) {
    CudaDeviceOptions cuda;
    cuda.session.id = options.device.substr(sizeof "cuda:" - 1);
    cuda.session.memory_bytes = options.memory_bytes;
    cuda.session.cache_folder = options.cache_folder;
    cuda.child_program = options.own_program;
    cuda.arena = arena_.data();
    cuda.arena_bytes = arena_.size();
    cuda.fault = &channel_.fault;
    auto device = CudaDevice::open(cuda, [this] { tell_kernel_made(); });
    if (device.ok())
      return std::move(device).value();
    trouble = device.error().message;
    return nullptr;
  }

  std::unique_ptr<Device> make_cpu_device(const ExecutorProcessOptions& options) {
    install_fault_handler(&channel_.fault);
    CpuDeviceOptions cpu;
    cpu.ordinal = static_cast<unsigned>(std::strtoul(options.device.c_str() + 4, nullptr, 10));
    cpu.threads = options.threads;
    cpu.memory_bytes = options.memory_bytes;
    cpu.cache.compiler.folder = options.cache_folder;
    cpu.cache.compiler.child_program = options.own_program;
    return std::make_unique<CpuDevice>(std::move(cpu), [this] { tell_kernel_made(); });
  }

  bool say_hello(const std::string& walls, const std::string& trouble) const {
    const DeviceDescription device = device_ ? device_->describe() : DeviceDescription{};
    ExecutorHello hello{};
    hello.magic = wire_magic;
    hello.version = wire_version;
    copy_text(hello.trouble, trouble.c_str());
    hello.device_kind = static_cast<std::uint32_t>(device.kind);
    hello.threads = device.threads;
    hello.memory_bytes = device.memory_bytes;
    copy_text(hello.model, device.model.c_str());
    copy_text(hello.uuid, device.uuid.c_str());
    copy_text(hello.walls, walls.c_str());
    return send(control_fd, &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello;
  }

  bool take_submissions() {
    Submission submission;
    while (submissions_.pop(submission)) {
      const bool inside = submission.slot_offset <= arena_.size() &&
                          submission.slot_bytes <= arena_.size() - submission.slot_offset;
      auto task = inside ? view_slot({submission.token}, arena_.data() + submission.slot_offset,
                                     submission.slot_bytes)
                         : std::nullopt;
      if (!task)
        return false;
      auto kernel = device_->prepare(*task);
      pending_.push_back({std::move(*task), std::move(kernel)});
      if ((pending_.back().waited = !is_ready(pending_.back())))
        notify(pending_.back().task.token, false);
    }
    return !submissions_.broken();
  }

  /// One that is lost makes the node count too much or too little time, and nothing else.
  static void notify(TaskToken token, bool running) {
    const KernelNotice notice{wire_magic, running ? 1u : 0u, token.value};
    send(control_fd, &notice, sizeof notice, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  static bool is_ready(const Pending& pending) {
    return pending.kernel == nullptr || pending.kernel->ready();
  }

  bool something_ready() {
    const std::uint64_t made = kernels_made_.load(std::memory_order_acquire);
    if (made == kernels_seen_)
      return false;
    kernels_seen_ = made;
    return true;
  }

  bool run_one_ready() {
    const auto next = std::find_if(pending_.begin(), pending_.end(), is_ready);
    if (next == pending_.end())
      return false;
    const Pending pending = std::move(*next);
    pending_.erase(next);
    if (pending.waited)
      notify(pending.task.token, true);
    channel_.running.store(pending.task.token.value, std::memory_order_release);
    const TaskOutcome outcome = device_->run(pending.task, pending.kernel.get());
    channel_.running.store(0, std::memory_order_release);
    complete(pending.task, outcome);
    return true;
  }

  void complete(const TaskView& task, const TaskOutcome& outcome) {
    Completion completion{};
    completion.token = task.token.value;
    completion.reason = static_cast<std::uint32_t>(outcome.reason);
    const std::size_t message = std::min(task.message.size(), outcome.message.size());
    std::memcpy(task.message.data(), outcome.message.data(), message);
    completion.message_bytes = static_cast<std::uint32_t>(message);
    completion.printed_bytes = static_cast<std::uint32_t>(outcome.printed_bytes);
    completion.compile_cached = outcome.timings.compile_cached;
    completion.compile_ns = outcome.timings.compile_ns;
    completion.copy_in_ns = outcome.timings.copy_in_ns;
    completion.run_ns = outcome.timings.run_ns;
    completion.copy_out_ns = outcome.timings.copy_out_ns;
    // Never full: the node has no more tasks in flight than the ring has entries.
    completions_.push(completion);
    node_bell_.ring();
  }

  SharedMemory channel_memory_;
  SharedMemory arena_;
  Channel& channel_;
  RingReader<Submission, ring_entries> submissions_;
  RingWriter<Completion, ring_entries> completions_;
  Doorbell own_bell_;
  Doorbell node_bell_;
  std::atomic<std::uint64_t> kernels_made_{0};
  std::uint64_t kernels_seen_{0};
  std::deque<Pending> pending_;
  std::unique_ptr<Device> device_;  // last: its threads ring the bells above
};

}  // namespace

int run_executor(const ExecutorProcessOptions& options) {
  auto channel = SharedMemory::open(FileDescriptor(channel_fd));
  auto arena = SharedMemory::open(FileDescriptor(arena_fd));
  if (!channel.ok() || !arena.ok()) {
    std::fprintf(stderr, "fastgpu-executor is started by a node, not by hand\n");
    return exit_usage;
  }
  Loop loop(std::move(channel).value(), std::move(arena).value());
  return loop.run(options);
}

}  // namespace fastgpu::exec
