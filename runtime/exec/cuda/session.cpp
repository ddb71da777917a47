#include "runtime/exec/cuda/session.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "runtime/exec/cuda/codes.hpp"

namespace fastgpu::exec {
namespace {

using cuda::Code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t printf_bytes = 1u << 20;
/// Left to the driver, to other processes, and to what kernels allocate themselves.
constexpr std::uint64_t reserve_divisor = 20;
/// What a pool takes from the device at a time.
constexpr std::uint64_t pool_part_bytes = 32u << 20;
constexpr auto look_time = std::chrono::microseconds(50);

base::Error unavailable(std::string what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal, std::move(what), ""};
}

bool is_uuid(std::string_view id) {
  return id.starts_with("GPU-") || id.starts_with("MIG-");
}

}  // namespace

std::string uuid_text(const cuda::Uuid& uuid, const char* prefix) {
  std::string text = prefix;
  for (int i = 0; i < 16; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    text += i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
    text += digits;
  }
  return text;
}

base::Result<CudaSession> CudaSession::open(const CudaSessionOptions& options) {
  CudaSession session;
  auto driver = cuda::open_driver();
  if (!driver.ok())
    return driver.error();
  session.driver_ = std::move(driver).value();
  // Before the driver looks at them: it then sees this device alone, which is also the only way to
  // one slice of a divided device.
  if (is_uuid(options.id))
    setenv("CUDA_VISIBLE_DEVICES", options.id.c_str(), 1);
  setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 1);
  if (!options.cache_folder.empty())
    setenv("CUDA_CACHE_PATH", (options.cache_folder + "/driver").c_str(), 1);
  if (const Code code = cuda::start_driver(session.api()); code != cuda::success)
    return unavailable("the driver " + session.driver_.path +
                       " does not start: " + session.describe(code) +
                       (*cuda::meaning_of(code) != '\0' ? "; " : "") + cuda::meaning_of(code));
  if (auto found = session.find_device(options.id); !found.ok())
    return found.error();
  if (auto made = session.make_context(); !made.ok())
    return made.error();
  if (auto made = session.make_pool(options.memory_bytes); !made.ok())
    return made.error();
  return session;
}

base::Status CudaSession::find_device(const std::string& id) {
  int count = 0;
  api().cuDeviceGetCount(&count);
  const bool by_uuid = is_uuid(id);
  std::string seen;
  for (int i = 0; i < count; ++i) {
    cuda::Uuid uuid{};
    cuda::Device device = 0;
    if (api().cuDeviceGet(&device, i) != cuda::success ||
        api().cuDeviceGetUuid(&uuid, device) != cuda::success)
      continue;
    uuid_ = uuid_text(uuid, id.starts_with("MIG-") ? "MIG-" : "GPU-");
    seen += (seen.empty() ? "" : ", ") + uuid_;
    if (by_uuid ? uuid_ != id : std::to_string(i) != id)
      continue;
    device_ = device;
    char name[128] = "";
    api().cuDeviceGetName(name, sizeof name - 1, device);
    model_ = name;
    return {};
  }
  return unavailable("the driver finds no device " + id +
                     (seen.empty() ? "" : "; it finds " + seen));
}

base::Status CudaSession::make_context() {
  const auto attribute = [this](cuda::DeviceAttribute which) {
    int value = 0;
    api().cuDeviceGetAttribute(&value, which, device_);
    return static_cast<unsigned>(std::max(value, 0));
  };
  arch_ = attribute(cuda::DeviceAttribute::major) * 10 + attribute(cuda::DeviceAttribute::minor);
  shared_bytes_max_ = attribute(cuda::DeviceAttribute::shared_bytes_optin_max);
  if (api().cuDevicePrimaryCtxSetFlags != nullptr)
    api().cuDevicePrimaryCtxSetFlags(device_, cuda::context_blocking_sync);
  cuda::Context context{};
  Code code = api().cuDevicePrimaryCtxRetain(&context, device_);
  if (code == cuda::success)
    code = api().cuCtxSetCurrent(context);
  if (code == cuda::success)
    code = api().cuStreamCreate(&stream_, cuda::stream_non_blocking);
  for (auto& mark : marks_)
    if (code == cuda::success)
      code = api().cuEventCreate(&mark, cuda::event_blocking_sync);
  if (code != cuda::success)
    return unavailable("the driver gives no context on " + uuid_ + ": " + describe(code));
  if (api().cuCtxSetLimit != nullptr)
    api().cuCtxSetLimit(cuda::Limit::printf_bytes, printf_bytes);
  return {};
}

base::Status CudaSession::make_pool(std::uint64_t wanted) {
  std::size_t total = 0;
  api().cuDeviceTotalMem(&total, device_);
  const std::uint64_t free = free_bytes();
  memory_bytes_ = wanted != 0 ? wanted : free - free / reserve_divisor;
  memory_bytes_ = std::min<std::uint64_t>(memory_bytes_, total);
  cuda::MemoryPoolProperties properties{};
  properties.allocation_type = cuda::allocation_pinned;
  properties.location_type = cuda::location_device;
  properties.location_id = device_;
  // A task's sum is checked to the byte before it comes here; the pool rounds and takes whole
  // parts.
  properties.bytes_max = (memory_bytes_ / pool_part_bytes + 2) * pool_part_bytes;
  Code code = api().cuMemPoolCreate(&pool_, &properties);
  if (code == cuda::invalid_value) {  // a driver that does not know the bound: the sum still holds
    properties.bytes_max = 0;
    code = api().cuMemPoolCreate(&pool_, &properties);
  }
  if (code != cuda::success)
    return unavailable("the driver gives no memory pool on " + uuid_ + ": " + describe(code));
  std::uint64_t keep_all = ~0ull;
  if (api().cuMemPoolSetAttribute != nullptr)
    api().cuMemPoolSetAttribute(pool_, cuda::PoolAttribute::release_threshold, &keep_all);
  return {};
}

std::uint64_t CudaSession::between(Mark from, Mark to) const {
  float milliseconds = 0;
  if (api().cuEventElapsedTime == nullptr ||
      api().cuEventElapsedTime(&milliseconds, marks_[from], marks_[to]) != cuda::success)
    return 0;
  return static_cast<std::uint64_t>(std::max(0.0f, milliseconds) * 1e6f);
}

Code CudaSession::await(Mark which) const {
  const auto until = Clock::now() + look_time;
  while (Clock::now() < until)
    if (const Code code = api().cuEventQuery(marks_[which]); code != cuda::not_ready)
      return code;
  return api().cuEventSynchronize(marks_[which]);
}

bool CudaSession::pin(void* begin, std::size_t bytes) const {
  return api().cuMemHostRegister != nullptr &&
         api().cuMemHostRegister(begin, bytes, cuda::host_register_portable) == cuda::success;
}

std::uint64_t CudaSession::free_bytes() const {
  std::size_t free = 0;
  std::size_t total = 0;
  if (api().cuMemGetInfo == nullptr || api().cuMemGetInfo(&free, &total) != cuda::success)
    return 0;
  return free;
}

std::uint64_t CudaSession::used_bytes() const {
  std::uint64_t used = 0;
  if (api().cuMemPoolGetAttribute == nullptr ||
      api().cuMemPoolGetAttribute(pool_, cuda::PoolAttribute::used_current, &used) != cuda::success)
    return 0;
  return used;
}

}  // namespace fastgpu::exec
