#include "runtime/exec/cuda/nvrtc_maker.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/sha256.hpp"
#include "runtime/exec/cpu/child.hpp"
#include "runtime/exec/cpu/compile_child.hpp"
#include "runtime/exec/cpu/compiler.hpp"
#include "runtime/exec/cuda/codes.hpp"
#include "runtime/exec/cuda/image.hpp"
#include "runtime/exec/cuda/libraries.hpp"
#include "runtime/exec/cuda/nvrtc_child.hpp"
#include "runtime/exec/cuda/shims.hpp"

namespace fastgpu::exec {
namespace {

namespace fs = std::filesystem;
using base::FailureReason;

/// The callback of NVRTC comes before the wall, so that the user is told by NVRTC's own end.
constexpr std::chrono::milliseconds flow_margin{2000};

struct WorkFolder {
  std::string path;
  ~WorkFolder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
};

CompileOutcome failed(FailureReason reason, std::string message) {
  CompileOutcome outcome;
  outcome.reason = reason;
  outcome.message = std::move(message);
  return outcome;
}

/// Changes with every upgrade of the file.
std::string file_identity(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return path;
  return path + " " + std::to_string(info.st_size) + " " + std::to_string(info.st_mtim.tv_sec);
}

/// "job.cu(3): error: ..." -> "job.cu"; empty if the line says nothing of a place.
std::string_view place_of(std::string_view line) {
  const auto open = line.find('(');
  const auto close = line.find("): ", open);
  if (open == std::string_view::npos || close == std::string_view::npos || open == 0)
    return {};
  for (auto i = open + 1; i < close; ++i)
    if (line[i] < '0' || line[i] > '9')
      return {};
  return line.substr(0, open);
}

}  // namespace

NvrtcMaker::NvrtcMaker(NvrtcMakerOptions options) : options_(std::move(options)) {
#if defined(__SANITIZE_ADDRESS__)
  options_.limits.memory_bytes = 0;  // the child's shadow memory is larger than any limit
#endif
}

base::Status NvrtcMaker::prepare() {
  const auto nvrtc = cuda::open_nvrtc(options_.driver_version);
  if (!nvrtc.ok())
    return nvrtc.error();
  if (options_.driver_version != 0 && nvrtc.value().version / 1000 > options_.driver_version / 1000)
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                       "NVRTC " + cuda::version_text(nvrtc.value().version) +
                           " makes code that this host's driver of CUDA " +
                           cuda::version_text(options_.driver_version) +
                           " does not load: update the driver, or install the toolkit of CUDA " +
                           std::to_string(options_.driver_version / 1000),
                       ""};
  library_ = nvrtc.value().path;
  version_ = cuda::version_text(nvrtc.value().version);
  include_ = cuda::toolkit_include_folder();
  base::Sha256 hash;
  for (const HeaderShim& shim : header_shims()) {
    hash.update(shim.name);
    hash.update(shim.text);
  }
  identity_ = "cuda\nsm_" + std::to_string(options_.arch) + "\nnvrtc " + version_ + " " +
              file_identity(library_) + "\n" + file_identity(include_) + "\n" +
              to_string(hash.finish());
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (!fs::is_directory(options_.folder, error))
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::disk_full,
                       "cannot write to the compile cache " + options_.folder, ""};
  std::vector<std::string> headers;
  if (!include_.empty())
    headers.push_back(include_);
  return walls_.prepare(options_.walls, options_.child_program, fs::path(library_).parent_path(),
                        headers);
}

base::ObjectHash NvrtcMaker::key(const KernelRequest& request) const {
  return kernel_key(identity_, request, "");
}

std::vector<std::string> NvrtcMaker::command_words(const KernelRequest& request) const {
  NvrtcChildPlan plan;
  plan.library = library_;
  plan.arch = options_.arch;
  plan.standard = request.standard == Standard::cpp20 ? "c++20" : "c++17";
  plan.include = include_;
  const auto limit = options_.limits.wall > 2 * flow_margin ? options_.limits.wall - flow_margin
                                                            : options_.limits.wall / 2;
  plan.limit_ms = static_cast<unsigned>(limit.count());
  plan.expression = request.expression;
  plan.defines = request.defines;
  std::vector<std::string> words{options_.child_program, "--nvrtc-child"};
  const auto more = words_of(plan);
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

CompileOutcome NvrtcMaker::compile(const KernelRequest& request) {
  const Rewritten rewritten = rewrite(request.source);
  WorkFolder work{options_.folder + "/work.XXXXXX"};
  if (mkdtemp(work.path.data()) == nullptr)
    return failed(FailureReason::staging_failed, "cannot write to " + options_.folder);
  std::ofstream file(work.path + "/" + nvrtc_source_file, std::ios::binary);
  file.write(request.source.data(), static_cast<std::streamsize>(request.source.size()));
  file.close();
  if (!file.good())
    return failed(FailureReason::staging_failed, "no room in " + options_.folder);
  auto end = run_child(
      walls_.command(options_.child_program, work.path, options_.limits, command_words(request)));
  if (!end.ok())
    return failed(FailureReason::staging_failed, end.error().message);
  CompileOutcome outcome = judge(std::move(end).value(), work.path, request, rewritten);
  if (outcome.reason != FailureReason::none)
    return outcome;
  if (std::string wrong = check_is_kernel(request, rewritten); !wrong.empty())
    return failed(FailureReason::bad_kernel, std::move(wrong));
  outcome.object_path = work.path + ".image";
  std::error_code error;
  fs::rename(work.path + "/" + nvrtc_image_file, outcome.object_path, error);
  if (error)
    return failed(FailureReason::staging_failed, "no compiled file: " + error.message());
  return outcome;
}

CompileOutcome NvrtcMaker::judge(ChildEnd end, const std::string& work_folder,
                                 const KernelRequest& request, const Rewritten& rewritten) const {
  const std::string limit = end.exit_code == nvrtc_child_too_long
                                ? "compile stopped after " +
                                      std::to_string(options_.limits.wall.count() / 1000) +
                                      " s (limit)"
                                : limit_reached(end, options_.limits);
  CompileOutcome outcome;
  if (walls_.chosen() == CompilerWalls::none)
    if (const std::string foreign = foreign_file_in_log(end.output, include_); !foreign.empty())
      return failed(FailureReason::compile_error,
                    "the source includes '" + foreign +
                        "': a kernel may include CUDA's headers, no other file of this host");
  for (auto at = end.output.find(work_folder); at != std::string::npos;
       at = end.output.find(work_folder, at))
    end.output.erase(at, work_folder.size() + 1);
  if (!limit.empty())
    return failed(FailureReason::compile_error, limit + "\n" + end.output);
  if (end.exit_code == nvrtc_child_log) {
    outcome = judge_nvrtc_log(std::move(end.output), request, rewritten);
    if (outcome.reason == FailureReason::compile_error)
      outcome.message += "compiled with NVRTC " + version_ + " for sm_" +
                         std::to_string(options_.arch) + ", " + options_text(request) + "\n";
  } else if (end.exit_code == nvrtc_child_arch) {
    outcome = failed(FailureReason::not_supported_on_device, std::move(end.output));
  } else if (end.exit_code > 128) {
    // The compiler itself broke over the source: no other host's will do better.
    outcome = failed(FailureReason::compile_error, "NVRTC was ended by signal " +
                                                       std::to_string(end.exit_code - 128) +
                                                       " while it compiled\n" + end.output);
  } else if (end.exit_code != nvrtc_child_good) {
    outcome = failed(FailureReason::staging_failed, "NVRTC did not compile: " + end.output);
  }
  outcome.cpu_ns = end.cpu_ns;
  return outcome;
}

base::Result<LoadedKernel> NvrtcMaker::load(const std::string& path) const {
  auto image = read_image_file(path);
  if (!image.ok())
    return image.error();
  return LoadedKernel{nullptr, std::move(image).value()};
}

CompileOutcome judge_nvrtc_log(std::string log, const KernelRequest& request,
                               const Rewritten& rewritten) {
  bool in_source = false;
  bool in_names = false;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error") == std::string::npos)
      continue;
    const std::string_view place = place_of(line);
    in_names |= place.starts_with("__nv_name_map");
    in_source |= !place.empty() && !place.starts_with("__nv_name_map");
  }
  if (!in_source && in_names)
    return judge_wrong_name(log, request, rewritten);
  return failed(FailureReason::compile_error,
                log.empty() ? "the compiler failed and said nothing" : std::move(log));
}

std::string foreign_file_in_log(const std::string& log, const std::string& include_folder) {
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const std::string_view place = place_of(line);
    if (place.empty() || place.find('/') == std::string_view::npos)
      continue;  // the source itself, or a header that was given as text
    std::error_code error;
    const std::string real = fs::weakly_canonical(fs::path(place), error).native();
    if (include_folder.empty() || !real.starts_with(include_folder + "/"))
      return std::string(place);
  }
  return "";
}

}  // namespace fastgpu::exec
