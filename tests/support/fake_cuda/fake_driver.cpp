// The driver's functions, over the fake device. Written to behave as a driver does where the CUDA
// device can tell the difference: work is asynchronous, errors of kernels come late and stay.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/cpu/module.hpp"
#include "runtime/exec/cuda/api/driver.hpp"
#include "runtime/exec/cuda/codes.hpp"
#include "tests/support/fake_cuda/fake_device.hpp"
#include "tests/support/fake_cuda/fake_identity.hpp"
#include "tests/support/fake_cuda/fake_image.hpp"
#include "tests/support/fake_cuda/knobs.hpp"

namespace fastgpu::exec::cuda {

struct LibraryHandle : testing::FakeLibrary {};
struct KernelHandle : testing::FakeLibrary {};
struct EventHandle {
  std::atomic<bool> reached{true};
  std::chrono::steady_clock::time_point time{};
};
struct MemoryPoolHandle {
  std::size_t bytes_max;
};

namespace {

using testing::FakeDevice;
using testing::knob;

FakeDevice& device() {
  return FakeDevice::instance();
}

int registered = 0;

bool can_name_threads() {
  const std::string path = "/proc/self/task/" + std::to_string(gettid()) + "/comm";
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  return file && write(file.get(), "fake", 4) == 4;
}

FileDescriptor local_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

/// Where other processes would ask for this one's memory.
bool can_listen() {
  const FileDescriptor socket = local_socket();
  sockaddr_un own{};  // without a name the kernel gives one
  own.sun_family = AF_UNIX;
  return socket &&
         bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own.sun_family) == 0 &&
         listen(socket.get(), 1) == 0;
}

/// A driver works through the MPS daemon wherever it finds one; this one does not start if one is
/// there and cannot be asked.
bool has_asked_mps() {
  const char* folder = std::getenv("CUDA_MPS_PIPE_DIRECTORY");
  sockaddr_un daemon{};
  daemon.sun_family = AF_UNIX;
  std::snprintf(daemon.sun_path, sizeof daemon.sun_path, "%s/control",
                folder != nullptr ? folder : "/tmp/nvidia-mps");
  if (access(daemon.sun_path, F_OK) != 0)
    return true;  // there is none to ask
  const FileDescriptor socket = local_socket();
  return socket &&
         connect(socket.get(), reinterpret_cast<const sockaddr*>(&daemon), sizeof daemon) == 0;
}

/// The driver of H100s (r580) does not start where it cannot name its threads, nor without a
/// socket.
Code cuInit(unsigned) {
  if (!can_name_threads() || !can_listen() || !has_asked_mps())
    return operating_system;
  return static_cast<Code>(knob("init", 0));
}
Code cuDriverGetVersion(int* version) {
  *version = static_cast<int>(knob("driver", 13000));
  return success;
}
Code cuGetErrorName(Code code, const char** name) {
  *name = name_of(code);
  return success;
}
Code cuGetErrorString(Code code, const char** text) {
  *text = code == illegal_address ? "an illegal memory access was encountered" : "as faked";
  return success;
}
Code cuDeviceGetCount(int* count) {
  *count = static_cast<int>(testing::visible_devices().size());
  return success;
}
Code cuDeviceGet(Device* which, int ordinal) {
  *which = ordinal;
  return success;
}
Code cuDeviceGetName(char* name, int bytes, Device which) {
  const auto seen = testing::visible_devices();
  std::snprintf(name, static_cast<std::size_t>(bytes), "%s",
                seen.at(static_cast<std::size_t>(which)).name.c_str());
  return success;
}
Code cuDeviceGetUuid(Uuid* uuid, Device which) {
  const auto seen = testing::visible_devices();
  std::memcpy(uuid->bytes, seen.at(static_cast<std::size_t>(which)).uuid.data(), 16);
  return success;
}
Code cuDeviceTotalMem(std::size_t* bytes, Device) {
  *bytes = knob("memory", 1ull << 30);
  return success;
}
Code cuDeviceGetAttribute(int* value, DeviceAttribute which, Device) {
  const int arch = static_cast<int>(knob("arch", 90));
  *value = which == DeviceAttribute::major                    ? arch / 10
           : which == DeviceAttribute::minor                  ? arch % 10
           : which == DeviceAttribute::shared_bytes_optin_max ? 227 << 10
                                                              : 1;
  return success;
}
Code cuDeviceGetPCIBusId(char* text, int bytes, Device which) {
  std::snprintf(text, static_cast<std::size_t>(bytes), "0000:0%d:00.0", which + 1);
  return success;
}
Code cuDevicePrimaryCtxSetFlags(Device, unsigned) {
  return success;
}
Code cuDevicePrimaryCtxRetain(Context* context, Device) {
  *context = reinterpret_cast<Context>(1);
  device();  // its signal handlers stand before any kernel runs
  return success;
}
Code cuCtxSetCurrent(Context) {
  return device().sticky();
}
Code cuCtxSetLimit(Limit, std::size_t) {
  return success;
}

void write_jit_log(const JitOption* options, void** values, unsigned count, const char* text) {
  char* log = nullptr;
  std::size_t bytes = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == JitOption::error_log)
      log = static_cast<char*>(values[i]);
    if (options[i] == JitOption::error_log_bytes)
      bytes = reinterpret_cast<std::size_t>(values[i]);
  }
  if (log != nullptr)
    std::snprintf(log, bytes, "%s", text);
}

Code cuLibraryLoadData(Library* library, const void* image, JitOption* options, void** values,
                       unsigned count, int*, void**, unsigned) {
  if (device().sticky() != success)
    return device().sticky();
  if (const auto refused = testing::knob_words("refuse_load"); !refused.empty()) {
    write_jit_log(options, values, count, "ptxas fatal   : as faked");
    return std::stoi(refused[0]);
  }
  const auto fake = testing::read_fake_image(image);
  if (!fake)
    return std::strncmp(static_cast<const char*>(image), ".version", 8) == 0 ? invalid_ptx
                                                                             : invalid_image;
  const int file = memfd_create("fake-kernel", MFD_CLOEXEC);
  if (write(file, fake->object.data(), fake->object.size()) !=
      static_cast<ssize_t>(fake->object.size()))
    return out_of_memory;
  // The loader takes a name that it knows for the same file: each gets a name of its own.
  static std::size_t loads = 0;
  auto module = Module::load("/proc/self/fd/" + std::string(++loads, '/') + std::to_string(file));
  close(file);
  if (!module.ok()) {
    std::fprintf(stderr, "fake driver: %s\n", module.error().message.c_str());
    return invalid_image;
  }
  *library = new LibraryHandle{{std::move(module).value(), fake->kernel, fake->arch}};
  return success;
}
/// The module itself goes with the last launch that needs it.
Code cuLibraryUnload(Library library) {
  delete library;
  return device().sticky();
}
Code cuLibraryGetKernel(Kernel* kernel, Library library, const char* name) {
  if (library->kernel != name)
    return not_found;
  *kernel = reinterpret_cast<Kernel>(library);
  return success;
}
Code cuLibraryGetKernelCount(unsigned* count, Library) {
  *count = 1;
  return success;
}
Code cuLibraryEnumerateKernels(Kernel* kernels, unsigned count, Library library) {
  if (count > 0)
    kernels[0] = reinterpret_cast<Kernel>(library);
  return success;
}
Code cuKernelGetName(const char** name, Kernel kernel) {
  *name = reinterpret_cast<Library>(kernel)->kernel.c_str();
  return success;
}
const abi::FastgpuKernel& descriptor(Kernel kernel) {
  return reinterpret_cast<Library>(kernel)->module->kernel();
}
Code cuKernelGetParamInfo(Kernel kernel, std::size_t index, std::size_t* offset,
                          std::size_t* bytes) {
  const auto& what = descriptor(kernel);
  if (index >= what.parameter_count)
    return invalid_value;
  *offset = 8 * index;
  *bytes = what.parameter_bytes[index];
  return success;
}
Code cuKernelGetAttribute(int* value, KernelAttribute which, Kernel, Device) {
  *value = which == KernelAttribute::registers ? 255 : 256;
  return success;
}
Code cuKernelSetAttribute(KernelAttribute, int, Kernel, Device) {
  return device().sticky();
}

Code cuStreamCreate(Stream* stream, unsigned) {
  *stream = reinterpret_cast<Stream>(2);
  return device().sticky();
}
Code cuStreamSynchronize(Stream) {
  return device().synchronise();
}
Code cuEventCreate(Event* event, unsigned) {
  *event = new EventHandle;
  return device().sticky();
}
Code cuEventRecord(Event event, Stream) {
  event->reached = false;
  device().enqueue([event] {
    event->time = std::chrono::steady_clock::now();
    event->reached = true;
  });
  return device().sticky();
}
Code cuEventQuery(Event event) {
  if (device().sticky() != success)
    return device().sticky();
  return event->reached ? success : not_ready;
}
Code cuEventSynchronize(Event event) {
  const Code code = device().synchronise();
  return code != success || event->reached ? code : unknown;
}
Code cuEventElapsedTime(float* milliseconds, Event from, Event to) {
  *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
  return device().sticky();
}

Code cuMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = knob("memory", 1ull << 30);
  *free = *total - device().used_bytes();
  return device().sticky();
}
Code cuMemHostRegister(void*, std::size_t, unsigned) {
  ++registered;
  return registered == 1 ? success : invalid_value;
}
Code cuMemPoolCreate(MemoryPool* pool, const MemoryPoolProperties* properties) {
  *pool =
      new MemoryPoolHandle{properties->bytes_max == 0 ? ~std::size_t{0} : properties->bytes_max};
  return device().sticky();
}
Code cuMemPoolSetAttribute(MemoryPool, PoolAttribute, void*) {
  return success;
}
Code cuMemPoolGetAttribute(MemoryPool, PoolAttribute, void* value) {
  *static_cast<std::uint64_t*>(value) = device().used_bytes();
  return device().sticky();
}
Code cuMemPoolTrimTo(MemoryPool, std::size_t) {
  return success;
}
Code cuMemAllocFromPoolAsync(DevicePointer* pointer, std::size_t bytes, MemoryPool pool, Stream) {
  if (device().sticky() != success)
    return device().sticky();
  if (bytes == 0)
    return invalid_value;
  std::uint64_t place = 0;
  const Code code = device().allocate(bytes, pool->bytes_max, place);
  *pointer = place;
  return code;
}
Code cuMemFreeAsync(DevicePointer pointer, Stream) {
  device().enqueue([pointer] { device().release(pointer); });
  return device().sticky();
}
Code cuMemsetD8Async(DevicePointer to, unsigned char value, std::size_t bytes, Stream) {
  if (!device().contains(to, bytes))
    return invalid_value;
  device().enqueue([=] { std::memset(reinterpret_cast<void*>(to), value, bytes); });
  return device().sticky();
}
Code cuMemcpyHtoDAsync(DevicePointer to, const void* from, std::size_t bytes, Stream) {
  if (!device().contains(to, bytes))
    return invalid_value;
  device().enqueue([=] { std::memcpy(reinterpret_cast<void*>(to), from, bytes); });
  return device().sticky();
}
Code cuMemcpyDtoHAsync(void* to, DevicePointer from, std::size_t bytes, Stream) {
  if (!device().contains(from, bytes))
    return invalid_value;
  device().enqueue([=] { std::memcpy(to, reinterpret_cast<const void*>(from), bytes); });
  return device().sticky();
}
Code cuLaunchKernelEx(const LaunchConfig* config, Kernel kernel, void** arguments, void**) {
  if (device().sticky() != success)
    return device().sticky();
  const auto refused = testing::knob_words("refuse_launch");
  if (!refused.empty())
    return std::stoi(refused[0]);
  const auto& what = descriptor(kernel);
  std::vector<std::vector<char>> values;
  for (unsigned i = 0; i < what.parameter_count; ++i) {
    const auto* begin = static_cast<const char*>(arguments[i]);
    values.emplace_back(begin, begin + what.parameter_bytes[i]);
  }
  LaunchShape shape;
  for (int i = 0; i < 3; ++i) {
    shape.grid[i] = config->grid[i];
    shape.block[i] = config->block[i];
  }
  shape.shared_bytes = config->shared_bytes;
  device().enqueue_launch(reinterpret_cast<Library>(kernel)->module, shape, std::move(values));
  return success;
}

bool is_lacking(const char* name) {
  for (const auto& one : testing::knob_list("lacks"))
    if (one == name)
      return true;
  return false;
}

}  // namespace

extern "C" Code cuGetProcAddress_v2(const char* name, void** function, int, std::uint64_t, int*) {
  *function = nullptr;
  if (knob("stub"))
    return stub_library;
#define FASTGPU_ENTRY(entry, version, parameters)            \
  if (std::strcmp(name, #entry) == 0 && !is_lacking(#entry)) \
    *function = reinterpret_cast<void*>(entry);
  FASTGPU_DRIVER_FUNCTIONS(FASTGPU_ENTRY)
#undef FASTGPU_ENTRY
  return *function != nullptr ? success : not_found;
}

}  // namespace fastgpu::exec::cuda
