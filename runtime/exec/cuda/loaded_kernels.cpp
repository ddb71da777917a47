#include "runtime/exec/cuda/loaded_kernels.hpp"

#include <algorithm>

namespace fastgpu::exec {
namespace {

using base::FailureReason;
using cuda::Code;

constexpr std::size_t kept_max = 128;
constexpr std::size_t jit_log_bytes = 16u << 10;

std::string sm(unsigned arch) {
  return "sm_" + std::to_string(arch);
}

/// Machine code runs on its own generation, from its own model upwards.
bool runs_on(unsigned built_for, unsigned device) {
  return built_for / 10 == device / 10 && built_for % 10 <= device % 10;
}

constexpr const char* or_the_source = ", or give the source in its place";

/// Empty, or why the device cannot take the image at all: known without asking the driver.
std::string check_target(const CudaImage& image, unsigned arch, int driver) {
  if (const auto cubin = read_cubin(image.bytes))
    return runs_on(cubin->arch, arch)
               ? ""
               : "the cubin is built for " + sm(cubin->arch) + ", the device is " + sm(arch) +
                     ": build it for " + sm(arch) + or_the_source;
  const auto ptx = read_ptx(image.bytes);
  if (!ptx)
    return "";
  if (ptx->arch > arch)
    return "the PTX is for " + sm(ptx->arch) + " and later, the device is " + sm(arch) +
           ": build it for " + sm(arch) + " or an earlier one" + or_the_source;
  const int needed = driver_for_ptx(ptx->version);
  if (needed > driver)
    return "PTX " + cuda::version_text(ptx->version) + " needs a driver of CUDA " +
           cuda::version_text(needed) + cuda::release_of(needed) + " or later, this host's is of " +
           cuda::version_text(driver) + ": update it, build the PTX with an older toolkit" +
           or_the_source;
  return "";
}

}  // namespace

LoadedGpuKernel::~LoadedGpuKernel() {
  if (library_ != nullptr)
    session_.api().cuLibraryUnload(library_);
}

LoadedKernels::Found LoadedKernels::take(const std::shared_ptr<const CudaImage>& image,
                                         std::string_view expression) {
  const auto same = [&](const Kept& one) {
    return one.expression == expression && (one.image == image || one.image->bytes == image->bytes);
  };
  if (const auto found = std::find_if(kept_.begin(), kept_.end(), same); found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
    return {found->kernel, cuda::success, FailureReason::none, ""};
  }
  Found found = load(image, expression);
  if (found.kernel && !image->has_globals) {
    kept_.push_front({image, std::string(expression), found.kernel});
    if (kept_.size() > kept_max)
      kept_.pop_back();
  }
  return found;
}

LoadedKernels::Found LoadedKernels::load(const std::shared_ptr<const CudaImage>& image,
                                         std::string_view expression) const {
  if (std::string wrong = check_target(*image, session_.arch(), session_.driver_version());
      !wrong.empty())
    return {nullptr, cuda::success, FailureReason::bad_kernel, std::move(wrong)};
  auto loaded = std::make_shared<LoadedGpuKernel>(session_, image);
  std::string log(jit_log_bytes, '\0');
  cuda::JitOption options[] = {cuda::JitOption::error_log, cuda::JitOption::error_log_bytes};
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
  Code code = session_.api().cuLibraryLoadData(&loaded->library_, image->bytes.c_str(), options,
                                               values, 2, nullptr, nullptr, 0);
  if (code != cuda::success) {
    loaded->library_ = nullptr;
    return refuse(code, *image, log.c_str());
  }
  std::string others;
  code = find_kernel(*loaded, expression, others);
  if (code == cuda::not_found)
    return {nullptr, cuda::success, FailureReason::bad_kernel,
            "no kernel '" + std::string(expression) +
                "'; the image has: " + (others.empty() ? "none" : others)};
  // Images are loaded lazily: what is wrong with one may show only now.
  if (code != cuda::success)
    return refuse(code, *image, log.c_str());
  return {std::move(loaded), cuda::success, FailureReason::none, ""};
}

/// By the name that the compiler gave it; in an image of the user's also by its name in the source.
Code LoadedKernels::find_kernel(LoadedGpuKernel& loaded, std::string_view expression,
                                std::string& others) const {
  const cuda::DriverApi& api = session_.api();
  const std::string& exact = loaded.image_->kernel;
  Code code = api.cuLibraryGetKernel(&loaded.kernel, loaded.library_, exact.c_str());
  if (code == cuda::success) {
    read_parameters(loaded, exact);
    return code;
  }
  unsigned count = 0;
  if (code != cuda::not_found || api.cuLibraryGetKernelCount == nullptr ||
      api.cuLibraryEnumerateKernels == nullptr || api.cuKernelGetName == nullptr ||
      api.cuLibraryGetKernelCount(&count, loaded.library_) != cuda::success)
    return code;
  std::vector<cuda::Kernel> kernels(count);
  api.cuLibraryEnumerateKernels(kernels.data(), count, loaded.library_);
  std::string name_found;
  int matches = 0;
  for (const cuda::Kernel kernel : kernels) {
    const char* name = nullptr;
    if (api.cuKernelGetName(&name, kernel) != cuda::success || name == nullptr)
      continue;
    const std::string plain = plain_name(name);
    others += (others.empty() ? "" : ", ") + plain;
    if (plain != expression)
      continue;
    ++matches;
    loaded.kernel = kernel;
    name_found = name;
  }
  if (matches != 1)
    return cuda::not_found;
  read_parameters(loaded, name_found);
  return cuda::success;
}

void LoadedKernels::read_parameters(LoadedGpuKernel& loaded, const std::string& name) const {
  loaded.parameters.kinds = kinds_in_name(name);
  loaded.count_in_name = count_in_name(name);
  const auto ask = session_.api().cuKernelGetParamInfo;
  if (ask == nullptr)
    return;
  loaded.parameters_known = true;
  std::size_t offset = 0;
  std::size_t bytes = 0;
  while (ask(loaded.kernel, loaded.parameters.bytes.size(), &offset, &bytes) == cuda::success)
    loaded.parameters.bytes.push_back(static_cast<unsigned>(bytes));
}

LoadedKernels::Found LoadedKernels::refuse(Code code, const CudaImage& image,
                                           const std::string& log) const {
  Found found;
  found.code = code;
  found.reason = cuda::reason_of(code);
  found.message = "the driver does not load the kernel's " +
                  std::string(read_cubin(image.bytes) ? "cubin"
                              : read_ptx(image.bytes) ? "PTX"
                                                      : "image") +
                  ": " + session_.describe(code);
  if (*cuda::meaning_of(code) != '\0')
    found.message += std::string("; ") + cuda::meaning_of(code);
  if (code == cuda::no_binary_for_gpu)
    found.message += ", the device is " + sm(session_.arch()) + ": build it for " +
                     sm(session_.arch()) + or_the_source;
  if (code == cuda::unsupported_ptx_version)
    found.message += " of CUDA " + cuda::version_text(session_.driver_version()) +
                     ": update it, build the PTX with an older toolkit" + or_the_source;
  if (!log.empty())
    found.message += "\n" + log;
  return found;
}

}  // namespace fastgpu::exec
