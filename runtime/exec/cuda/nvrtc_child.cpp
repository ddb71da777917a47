#include "runtime/exec/cuda/nvrtc_child.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "runtime/exec/cuda/codes.hpp"
#include "runtime/exec/cuda/image.hpp"
#include "runtime/exec/cuda/libraries.hpp"
#include "runtime/exec/cuda/shims.hpp"

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;
using cuda::NvrtcApi;
using cuda::NvrtcCode;
using cuda::NvrtcProgram;

bool parse(int count, char** words, NvrtcChildPlan& plan) {
  for (int i = 0; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const char* value = words[i + 1];
    if (name == "--library")
      plan.library = value;
    else if (name == "--arch")
      plan.arch = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    else if (name == "--standard")
      plan.standard = value;
    else if (name == "--include")
      plan.include = value;
    else if (name == "--limit-ms")
      plan.limit_ms = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    else if (name == "--expression")
      plan.expression = value;
    else if (name == "--define")
      plan.defines.emplace_back(value);
    else
      return false;
  }
  return !plan.library.empty() && plan.arch != 0 && !plan.expression.empty();
}

int fail(NvrtcChildExit how, const std::string& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
  return how;
}

int stop_when_late(void* deadline, void*) {
  return Clock::now() >= *static_cast<const Clock::time_point*>(deadline) ? 1 : 0;
}

/// The target for NVRTC: the device's own machine code, or PTX where NVRTC is older than the
/// device. Empty where the device is too old for it.
struct Target {
  std::string option;
  bool ptx{false};
  std::string known;  ///< what it builds for, for people
};
Target target_for(const NvrtcApi& api, unsigned arch) {
  int count = 0;
  Target target;
  std::vector<int> archs;
  if (api.nvrtcGetNumSupportedArchs(&count) == cuda::nvrtc_success && count > 0)
    archs.resize(static_cast<std::size_t>(count));
  if (!archs.empty() && api.nvrtcGetSupportedArchs(archs.data()) != cuda::nvrtc_success)
    archs.clear();
  int best = 0;
  for (const int one : archs) {
    target.known += (target.known.empty() ? "sm_" : ", sm_") + std::to_string(one);
    if (one <= static_cast<int>(arch))
      best = std::max(best, one);
  }
  target.ptx = best != static_cast<int>(arch);
  if (best != 0)
    target.option = (target.ptx ? "-arch=compute_" : "-arch=sm_") + std::to_string(best);
  return target;
}

std::string log_of(const NvrtcApi& api, NvrtcProgram program) {
  std::size_t bytes = 0;
  if (api.nvrtcGetProgramLogSize(program, &bytes) != cuda::nvrtc_success || bytes == 0)
    return "";
  std::string log(bytes, '\0');
  api.nvrtcGetProgramLog(program, log.data());
  log.resize(std::string_view(log.c_str()).size());
  return log;
}

/// With its ending zero, where the driver wants one.
std::string image_of(const NvrtcApi& api, NvrtcProgram program, bool ptx) {
  const auto size = ptx ? api.nvrtcGetPTXSize : api.nvrtcGetCUBINSize;
  const auto get = ptx ? api.nvrtcGetPTX : api.nvrtcGetCUBIN;
  std::size_t bytes = 0;
  if (size(program, &bytes) != cuda::nvrtc_success || bytes == 0)
    return "";
  std::string image(bytes, '\0');
  return get(program, image.data()) == cuda::nvrtc_success ? image : "";
}

/// Every option that NVRTC gets is made here; of the user's words only defines come in, each as one
/// word behind -D.
std::vector<std::string> options_for(const NvrtcChildPlan& plan, const Target& target) {
  std::vector<std::string> options{target.option, "-std=" + plan.standard, "-lineinfo", "-w",
                                   std::string("--pre-include=") + header_shims()[0].name};
  if (!plan.include.empty()) {
    options.push_back("-I" + plan.include);
    options.push_back("-I" + plan.include + "/cccl");
  }
  for (const auto& define : plan.defines)
    options.push_back("-D" + define);
  return options;
}

int finish(const NvrtcApi& api, NvrtcProgram program, const NvrtcChildPlan& plan, bool ptx) {
  const char* lowered = nullptr;
  if (api.nvrtcGetLoweredName(program, plan.expression.c_str(), &lowered) != cuda::nvrtc_success ||
      lowered == nullptr)
    return fail(nvrtc_child_trouble, "NVRTC gives no name for '" + plan.expression + "'");
  const std::string image = image_of(api, program, ptx);
  if (image.empty())
    return fail(nvrtc_child_trouble, "NVRTC gives no image");
  const std::string file = image_file(lowered, image);
  std::ofstream out(nvrtc_image_file, std::ios::binary);
  out.write(file.data(), static_cast<std::streamsize>(file.size()));
  out.flush();
  if (!out.good())
    return fail(nvrtc_child_trouble, "no room for the compiled kernel");
  return nvrtc_child_good;
}

int compile(const NvrtcApi& api, NvrtcProgram program, const NvrtcChildPlan& plan,
            const Target& target) {
  auto deadline = Clock::now() + std::chrono::milliseconds(plan.limit_ms);
  if (plan.limit_ms > 0)
    api.nvrtcSetFlowCallback(program, stop_when_late, &deadline);
  if (api.nvrtcAddNameExpression(program, plan.expression.c_str()) != cuda::nvrtc_success)
    return fail(nvrtc_child_trouble, "NVRTC does not take the name '" + plan.expression + "'");
  const std::vector<std::string> options = options_for(plan, target);
  std::vector<const char*> words;
  for (const auto& option : options)
    words.push_back(option.c_str());
  const NvrtcCode code =
      api.nvrtcCompileProgram(program, static_cast<int>(words.size()), words.data());
  if (code == cuda::nvrtc_success)
    return finish(api, program, plan, target.ptx);
  if (code == cuda::nvrtc_cancelled)
    return fail(nvrtc_child_too_long, "");
  const std::string log = log_of(api, program);
  if (code == cuda::nvrtc_compilation || code == cuda::nvrtc_name_not_valid)
    return fail(nvrtc_child_log, log);
  return fail(nvrtc_child_trouble, std::string(api.nvrtcGetErrorString(code)) + "\n" + log);
}

}  // namespace

std::vector<std::string> words_of(const NvrtcChildPlan& plan) {
  std::vector<std::string> words;
  const auto add = [&words](const char* name, std::string value) {
    words.emplace_back(name);
    words.push_back(std::move(value));
  };
  add("--library", plan.library);
  add("--arch", std::to_string(plan.arch));
  add("--standard", plan.standard);
  add("--include", plan.include);
  add("--limit-ms", std::to_string(plan.limit_ms));
  add("--expression", plan.expression);
  for (const auto& define : plan.defines)
    add("--define", define);
  return words;
}

int nvrtc_child_main(int count, char** words) {
  NvrtcChildPlan plan;
  if (!parse(count, words, plan))
    return fail(nvrtc_child_trouble, "--nvrtc-child is started by the executor, not by hand");
  const auto nvrtc = cuda::open_nvrtc(plan.library);
  if (!nvrtc.ok())
    return fail(nvrtc_child_trouble, nvrtc.error().message);
  const NvrtcApi& api = nvrtc.value().api;
  const Target target = target_for(api, plan.arch);
  if (target.option.empty())
    return fail(nvrtc_child_arch, "NVRTC " + cuda::version_text(nvrtc.value().version) +
                                      " does not build for sm_" + std::to_string(plan.arch) +
                                      "; it builds for " + target.known);
  std::ifstream in(nvrtc_source_file, std::ios::binary);
  const std::string source{std::istreambuf_iterator<char>(in), {}};
  std::vector<const char*> texts;
  std::vector<const char*> names;
  for (const HeaderShim& shim : header_shims()) {
    texts.push_back(shim.text);
    names.push_back(shim.name);
  }
  NvrtcProgram program = nullptr;
  if (api.nvrtcCreateProgram(&program, source.c_str(), nvrtc_source_file,
                             static_cast<int>(names.size()), texts.data(),
                             names.data()) != cuda::nvrtc_success)
    return fail(nvrtc_child_trouble, "NVRTC does not take the source");
  const int result = compile(api, program, plan, target);
  api.nvrtcDestroyProgram(&program);
  return result;
}

}  // namespace fastgpu::exec
