// NVRTC as the fake driver's compiler: the CPU device's own, with its log in NVRTC's form. Runs
// inside the compile child, so that the walls around it are the product's.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "runtime/exec/cpu/compiler.hpp"
#include "runtime/exec/cpu/module.hpp"
#include "runtime/exec/cuda/api/nvrtc.hpp"
#include "tests/support/fake_cuda/fake_image.hpp"
#include "tests/support/fake_cuda/knobs.hpp"

namespace fastgpu::exec::cuda {

struct NvrtcProgramHandle {
  std::string source;
  std::string expression;
  std::string lowered;
  std::string log;
  std::string image;
};

namespace {

/// "saxpy" with what it takes as a compiler would write it. Names of templates are left as they
/// are, as if they were extern "C".
std::string lowered_name(const std::string& expression, const abi::FastgpuKernel& kernel) {
  if (expression.find('<') != std::string::npos) {
    return expression;
  }
  std::string path;
  int parts = 0;
  std::istringstream names(std::regex_replace(expression, std::regex("::"), " "));
  for (std::string name; names >> name; ++parts) {
    path += std::to_string(name.size()) + name;
  }
  std::string mangled = parts > 1 ? "_ZN" + path + "E" : "_Z" + path;
  for (unsigned i = 0; i < kernel.parameter_count; ++i) {
    const bool wide = kernel.parameter_bytes[i] == 8;
    switch (kernel.parameter_kinds[i]) {
      case abi::fastgpu_pointer:
        mangled += "Pv";
        break;
      case abi::fastgpu_integer:
        mangled += wide ? "l" : kernel.parameter_bytes[i] == 4 ? "i" : "s";
        break;
      case abi::fastgpu_floating:
        mangled += wide ? "d" : "f";
        break;
      default:
        mangled += "5Thing";
    }
  }
  return kernel.parameter_count == 0 ? mangled + "v" : mangled;
}

/// Whether a variable stands behind a __device__, and not a function.
bool declares_variable(const std::string& source) {
  for (auto at = source.find("__device__"); at != std::string::npos;
       at = source.find("__device__", at + 1)) {
    const auto end = source.find_first_of("(;=", at);
    if (end != std::string::npos && source[end] != '(') {
      return true;
    }
  }
  return false;
}

std::string in_form_of_nvrtc(const std::string& log) {
  return std::regex_replace(log, std::regex("job\\.cu:([0-9]+):[0-9]+: "), "job.cu($1): ");
}

Standard standard_of(const std::vector<std::string>& options) {
  for (const auto& option : options) {
    if (option == "-std=c++20") {
      return Standard::cpp20;
    }
  }
  return Standard::cpp17;
}

unsigned arch_of(const std::vector<std::string>& options) {
  for (const auto& option : options) {
    if (option.starts_with("-arch=sm_")) {
      return static_cast<unsigned>(std::stoul(option.substr(9)));
    }
  }
  return 0;
}

NvrtcCode compile(NvrtcProgram program, const std::vector<std::string>& options) {
  CompilerOptions compiler_options;
  compiler_options.child_program = std::filesystem::read_symlink("/proc/self/exe");
  compiler_options.folder = std::filesystem::current_path() / "fake";
  compiler_options.walls = CompilerWalls::none;
  Compiler compiler(compiler_options);
  if (const auto usable = compiler.prepare(); !usable.ok()) {
    program->log = usable.error().message;
    return nvrtc_invalid_option;
  }
  KernelRequest request;
  request.source = program->source;
  request.expression = program->expression;
  request.standard = standard_of(options);
  for (const auto& option : options) {
    if (option.starts_with("-D")) {
      request.defines.push_back(option.substr(2));
    }
  }
  const CompileOutcome outcome = compiler.compile(request);
  if (outcome.message.find("is not a __global__") != std::string::npos) {
    program->lowered = program->expression;  // NVRTC gives names of any function
    program->image = "no kernel";
    return nvrtc_success;
  }
  if (outcome.reason != base::FailureReason::none) {
    program->log = outcome.reason == base::FailureReason::bad_kernel
                       ? "__nv_name_map(2): error: " + outcome.message + "\n"
                       : in_form_of_nvrtc(outcome.message);
    return nvrtc_compilation;
  }
  const auto module = Module::load(outcome.object_path);
  if (!module.ok()) {
    program->log = "job.cu(1): error: " + module.error().message;
    return nvrtc_compilation;
  }
  testing::FakeImage image;
  image.arch = arch_of(options);
  image.kernel = lowered_name(program->expression, module.value()->kernel());
  std::ifstream object(outcome.object_path, std::ios::binary);
  image.object.assign(std::istreambuf_iterator<char>(object), {});
  image.has_globals = declares_variable(program->source);
  program->lowered = image.kernel;
  program->image = testing::write_fake_image(image);
  return nvrtc_success;
}

NvrtcCode copy_size(const std::string& text, std::size_t extra, std::size_t* bytes) {
  *bytes = text.size() + extra;
  return nvrtc_success;
}

}  // namespace

extern "C" {

NvrtcCode nvrtcVersion(int* major, int* minor) {
  *major = static_cast<int>(testing::knob("nvrtc", 13));
  *minor = 0;
  return nvrtc_success;
}
const char* nvrtcGetErrorString(NvrtcCode) {
  return "NVRTC_ERROR_OF_THE_FAKE";
}
NvrtcCode nvrtcGetNumSupportedArchs(int* count) {
  *count = 2;
  return nvrtc_success;
}
NvrtcCode nvrtcGetSupportedArchs(int* archs) {
  archs[0] = 80;
  archs[1] = 90;
  return nvrtc_success;
}
NvrtcCode nvrtcCreateProgram(NvrtcProgram* program, const char* source, const char*, int,
                             const char* const*, const char* const*) {
  *program = new NvrtcProgramHandle{source, {}, {}, {}, {}};
  return nvrtc_success;
}
NvrtcCode nvrtcDestroyProgram(NvrtcProgram* program) {
  delete *program;
  return nvrtc_success;
}
NvrtcCode nvrtcAddNameExpression(NvrtcProgram program, const char* expression) {
  program->expression = expression;
  return nvrtc_success;
}
NvrtcCode nvrtcSetFlowCallback(NvrtcProgram, int (*)(void*, void*), void*) {
  return nvrtc_success;
}
NvrtcCode nvrtcCompileProgram(NvrtcProgram program, int count, const char* const* options) {
  return compile(program, {options, options + count});
}
NvrtcCode nvrtcGetLoweredName(NvrtcProgram program, const char*, const char** lowered) {
  *lowered = program->lowered.c_str();
  return nvrtc_success;
}
NvrtcCode nvrtcGetProgramLogSize(NvrtcProgram program, std::size_t* bytes) {
  return copy_size(program->log, 1, bytes);
}
NvrtcCode nvrtcGetProgramLog(NvrtcProgram program, char* log) {
  std::copy_n(program->log.c_str(), program->log.size() + 1, log);
  return nvrtc_success;
}
NvrtcCode nvrtcGetCUBINSize(NvrtcProgram program, std::size_t* bytes) {
  return copy_size(program->image, 0, bytes);
}
NvrtcCode nvrtcGetCUBIN(NvrtcProgram program, char* cubin) {
  program->image.copy(cubin, program->image.size());
  return nvrtc_success;
}
NvrtcCode nvrtcGetPTXSize(NvrtcProgram, std::size_t* bytes) {
  *bytes = 0;
  return nvrtc_success;
}
NvrtcCode nvrtcGetPTX(NvrtcProgram, char*) {
  return nvrtc_success;
}

}  // extern "C"

}  // namespace fastgpu::exec::cuda
