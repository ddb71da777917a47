#include "runtime/exec/cpu/compiler.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/exec/cpu/compat_text.hpp"
#include "runtime/exec/cpu/compile_child.hpp"
#include "runtime/exec/cpu/module.hpp"

namespace fastgpu::exec {
namespace {

namespace fs = std::filesystem;

constexpr const char* search_path = "/usr/local/bin:/usr/bin:/bin";
constexpr std::string_view unsupported = "not supported on the CPU device";

base::Error trouble(std::string what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal, std::move(what), ""};
}

/// The cache's folder takes nothing: it is full, or somebody took away the right to write there.
base::Error trouble_of_disk(std::string what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::disk_full, std::move(what), ""};
}

/// An executable file for the word: a path as it is, a name as found in the usual folders.
std::string find_program(const std::string& word) {
  if (word.empty())
    return "";
  if (word.find('/') != std::string::npos)
    return access(word.c_str(), X_OK) == 0 ? word : "";
  std::istringstream folders(search_path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string path = folder + "/" + word;
    if (access(path.c_str(), X_OK) == 0)
      return path;
  }
  return "";
}

/// What `-march=native` looks at: a kernel for one CPU must not run on a lesser one.
std::string cpu_features() {
  std::ifstream info("/proc/cpuinfo");
  std::string result;
  for (std::string line; std::getline(info, line) && !line.empty();)
    if (line.starts_with("model") || line.starts_with("flags") || line.starts_with("vendor_id"))
      result += line + "\n";
  return result;
}

/// The file behind the compiler's name: changes with every upgrade, and needs no process to ask.
std::string file_identity(const std::string& path) {
  std::error_code ignored;
  const fs::path real = fs::canonical(path, ignored);
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return path;
  return real.string() + " " + std::to_string(info.st_size) + " " +
         std::to_string(info.st_mtim.tv_sec);
}

bool write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.flush();
  return file.good();
}

void remove_all(std::string& text, std::string_view what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at))
    text.erase(at, what.size());
}

std::string list(const std::set<std::string, std::less<>>& names) {
  std::string result;
  for (const auto& name : names)
    result += (result.empty() ? "" : ", ") + name;
  return result.empty() ? "none" : result;
}

/// Removes a folder and what is in it when the compile is over.
struct WorkFolder {
  std::string path;
  ~WorkFolder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
};

std::string translation_unit(const Rewritten& rewritten, const KernelRequest& request) {
  const bool storage = rewritten.shared_at_file_scope;
  std::string text = "#line 1 \"job.cu\"\n" + rewritten.text + "\n#line 1 \"fastgpu-entry\"\n";
  if (storage) {
    text +=
        "extern \"C\" { __attribute__((visibility(\"hidden\"), aligned(128))) __thread char "
        "fastgpu_shared_storage[" +
        std::to_string(base::limits::shared_memory_bytes_max) +
        "]; static char* fastgpu_shared_here() { return fastgpu_shared_storage; } }\n";
  }
  text += std::string("FASTGPU_KERNEL(") + (storage ? "fastgpu_shared_here" : "nullptr") + ", " +
          rewrite(request.expression).text + ")\n";
  return text;
}

}  // namespace

std::string find_compiler(const std::string& wanted) {
  if (!wanted.empty())
    return find_program(wanted);
  const char* chosen = std::getenv("FASTGPU_CXX");
  if (chosen != nullptr && *chosen != '\0')
    return find_program(chosen);
  for (const char* name : {"g++", "clang++"})
    if (std::string path = find_program(name); !path.empty())
      return path;
  return "";
}

Compiler::Compiler(CompilerOptions options) : options_(std::move(options)) {}

base::Status Compiler::prepare() {
  program_ = find_compiler(options_.program);
  if (program_.empty())
    return trouble("no compiler on this host: tried $FASTGPU_CXX, g++, clang++ in " +
                   std::string(search_path));
  base::Sha256 hash;
  for (const auto& file : compat_files()) {
    hash.update(file.name);
    hash.update(file.text);
  }
  const std::string version = to_string(hash.finish());
  identity_ = "cpu\n" + version + "\n" + file_identity(program_) + "\n" + cpu_features();
  include_folder_ = options_.folder + "/include-" + version.substr(0, 16);
  if (auto walls = walls_.prepare(options_.walls, program_, include_folder_); !walls.ok())
    return walls;
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (fs::exists(include_folder_ + "/fastgpu_cuda.h", error))
    return {};
  static std::atomic<unsigned> count{0};
  const std::string fresh = options_.folder + "/new." + std::to_string(getpid()) + "-" +
                            std::to_string(count.fetch_add(1));
  fs::remove_all(fresh, error);  // what a process of the same number left behind
  if (mkdir(fresh.c_str(), 0755) != 0)
    return trouble_of_disk("cannot write to the compile cache " + options_.folder);
  WorkFolder cleaner{fresh};
  for (const auto& file : compat_files())
    if (!write_file(fs::path(fresh) / file.name, file.text))
      return trouble_of_disk("cannot write " + fresh + "/" + std::string(file.name));
  fs::rename(fresh, include_folder_, error);  // another executor may have been first: as good
  if (!fs::exists(include_folder_ + "/fastgpu_cuda.h", error))
    return trouble_of_disk("cannot make " + include_folder_ + ": " + error.message());
  return {};
}

base::ObjectHash Compiler::key(const KernelRequest& request) const {
  return kernel_key(identity_, request,
                    request.precise        ? "precise"
                    : request.force_fibres ? "fibres"
                                           : "fast");
}

std::vector<std::string> Compiler::arguments(const KernelRequest& request, bool fibres) const {
  const bool clang = fs::path(program_).filename().string().find("clang") != std::string::npos;
  std::vector<std::string> words = walls_.reporting_words();
  words.insert(words.begin(), program_);
  const auto add = [&words](std::initializer_list<const char*> more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  add({"-w", "-pipe", "-shared", "-fPIC", "-march=native", "-fno-exceptions", "-fno-rtti",
       "-fno-threadsafe-statics", "-fno-delete-null-pointer-checks", "-fno-math-errno",
       "-fno-trapping-math", "-fno-stack-protector", "-fstack-clash-protection",
       "-fcf-protection=none", "-fvisibility=hidden", "-fdiagnostics-color=never"});
  if (!clang)
    add({"-fno-gnu-unique", "-fno-diagnostics-show-option"});
  add({request.precise ? "-O1" : "-O3"});
  add({request.standard == Standard::cpp20 ? "-std=c++20" : "-std=c++17"});
  if (!fibres)
    add({"-D__FASTGPU_LOOP"});
  for (const auto& define : request.defines)
    words.push_back("-D" + rewrite(define).text);
  words.push_back("-I" + include_folder_);
  words.push_back("-include");
  words.push_back(include_folder_ + "/fastgpu_cuda.h");
  add({"job.cpp", "-o", "kernel.so", "-nostdlib", "-Wl,--build-id=none,-z,now,-z,relro,-Bsymbolic",
       "-lm", "-lc", "-lgcc"});
  return words;
}

CompileOutcome Compiler::compile(const KernelRequest& request) {
  CompileOutcome outcome;
  const auto fail = [&outcome](base::FailureReason reason, std::string message) {
    outcome.reason = reason;
    outcome.message = std::move(message);
    return outcome;
  };
  const Rewritten rewritten = rewrite(request.source);
  WorkFolder work{options_.folder + "/work.XXXXXX"};
  if (mkdtemp(work.path.data()) == nullptr)
    return fail(base::FailureReason::staging_failed, "cannot write to " + options_.folder);
  if (!write_file(work.path + "/job.cpp", translation_unit(rewritten, request)))
    return fail(base::FailureReason::staging_failed, "no room in " + options_.folder);
  const bool fibres =
      request.precise || request.force_fibres || rewritten.may_wait(request.expression);
  const auto end = run_child(walls_.command(options_.child_program, work.path, options_.limits,
                                            arguments(request, fibres)));
  if (!end.ok())
    return fail(base::FailureReason::staging_failed, end.error().message);
  outcome = judge(end.value(), work.path, request, rewritten);
  if (outcome.reason != base::FailureReason::none)
    return outcome;
  if (std::string wrong = check_is_kernel(request, rewritten); !wrong.empty())
    return fail(base::FailureReason::bad_kernel, std::move(wrong));
  outcome.object_path = work.path + ".so";
  std::error_code error;
  fs::rename(work.path + "/kernel.so", outcome.object_path, error);
  if (error)
    return fail(base::FailureReason::staging_failed, "no compiled file: " + error.message());
  return outcome;
}

base::Result<LoadedKernel> Compiler::load(const std::string& path) const {
  auto module = Module::load(path);
  if (!module.ok())
    return module.error();
  return LoadedKernel{std::move(module).value(), nullptr};
}

CompileOutcome Compiler::judge(ChildEnd end, const std::string& work_folder,
                               const KernelRequest& request, const Rewritten& rewritten) const {
  CompileOutcome outcome;
  outcome.cpu_ns = end.cpu_ns;
  const auto fail = [&outcome](base::FailureReason reason, std::string message) {
    outcome.reason = reason;
    outcome.message = std::move(message);
    return outcome;
  };
  if (end.exit_code == compile_child_failed)
    return fail(base::FailureReason::staging_failed, std::move(end.output));
  std::string limit = limit_reached(end, options_.limits);
  if (const std::string foreign = walls_.foreign_file(end.output); !foreign.empty())
    return fail(base::FailureReason::compile_error,
                "the source includes '" + foreign +
                    "': a kernel may include CUDA's headers and the compiler's own, no other file "
                    "of this host");
  remove_all(end.output, work_folder + "/");
  remove_all(end.output, include_folder_ + "/");
  if (!limit.empty())
    return fail(base::FailureReason::compile_error, std::move(limit) + "\n" + end.output);
  const bool unread = walls_.chosen() == CompilerWalls::none && end.output_cut;
  if (end.exit_code == 0 && unread)
    return fail(base::FailureReason::compile_error,
                "the compiler said more than " + std::to_string(options_.limits.log_bytes) +
                    " bytes: what the source includes cannot be checked");
  if (end.exit_code == 0)
    return outcome;
  CompileOutcome judged = judge_log(std::move(end.output), request, rewritten);
  judged.cpu_ns = end.cpu_ns;
  if (judged.reason == base::FailureReason::compile_error)
    judged.message +=
        "compiled with " + program_ + " for this host's processor, " + options_text(request) + "\n";
  return judged;
}

CompileOutcome judge_log(std::string log, const KernelRequest& request,
                         const Rewritten& rewritten) {
  CompileOutcome outcome;
  bool in_source = false;
  bool in_entry = false;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error:") == std::string::npos)
      continue;
    in_source |= line.starts_with("job.cu:");
    in_entry |= line.starts_with("fastgpu-entry:") || line.starts_with("fastgpu_cuda.h:");
  }
  if (log.find(unsupported) != std::string::npos) {
    outcome.reason = base::FailureReason::not_supported_on_device;
    outcome.message = std::move(log);
    return outcome;
  }
  if (in_source || !in_entry) {
    outcome.reason = base::FailureReason::compile_error;
    outcome.message = log.empty() ? "the compiler failed and said nothing" : std::move(log);
    return outcome;
  }
  return judge_wrong_name(log, request, rewritten);
}

CompileOutcome judge_wrong_name(const std::string& log, const KernelRequest& request,
                                const Rewritten& rewritten) {
  CompileOutcome outcome;
  const std::string kernels =
      list(rewritten.kernels) + (rewritten.hidden_kernels ? ", and those that macros declare" : "");
  outcome.reason = base::FailureReason::bad_kernel;
  if (!rewritten.kernels.contains(kernel_base_name(request.expression)))
    outcome.message = "no kernel '" + request.expression + "'; this source has: " + kernels;
  else
    outcome.message = "'" + request.expression +
                      "' does not name one kernel: a template needs its arguments, as in k<float>, "
                      "a kernel in a namespace its full name, and an overloaded kernel a name of "
                      "its own\n" +
                      log;
  return outcome;
}

std::string check_is_kernel(const KernelRequest& request, const Rewritten& rewritten) {
  if (rewritten.hidden_kernels || rewritten.kernels.contains(kernel_base_name(request.expression)))
    return "";
  return "'" + request.expression +
         "' is not a __global__ function; this source has: " + list(rewritten.kernels);
}

}  // namespace fastgpu::exec
