#include "runtime/exec/cpu/compile_walls.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "runtime/exec/cpu/compile_child.hpp"

namespace fastgpu::exec {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t open_files_max = 256;
constexpr const char* search_path = "PATH=/usr/local/bin:/usr/bin:/bin";

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// "... /usr/include/x.h" as -H prints it: the path, or nothing.
std::string_view reported_header(std::string_view line) {
  const auto dots = line.find_first_not_of('.');
  if (dots == 0 || dots == std::string_view::npos || line[dots] != ' ')
    return {};
  return line.substr(dots + 1);
}

std::string words_for(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

}  // namespace

std::vector<std::string> folders_of_compiler(const std::string& program) {
  std::error_code error;
  const fs::path real = fs::canonical(program, error);
  if (error)
    return {};
  for (const auto& folder : system_folders())
    if (is_below(real.native(), folder))
      return {};
  const fs::path root = real.parent_path().parent_path();
  for (const char* part : {"lib/gcc", "libexec/gcc", "lib/clang"})
    if (real.parent_path().filename() == "bin" && fs::exists(root / part, error))
      return {root};
  return {real};
}

base::Status CompileWalls::prepare(CompilerWalls wanted, const std::string& compiler,
                                   const std::string& include_folder,
                                   const std::vector<std::string>& more_folders) {
  include_folder_ = include_folder;
  compiler_folders_ = folders_of_compiler(compiler);
  compiler_folders_.insert(compiler_folders_.end(), more_folders.begin(), more_folders.end());
  chosen_ = wanted;
  if (wanted == CompilerWalls::automatic && can_confine())
    chosen_ = CompilerWalls::confinement;
  if (chosen_ == CompilerWalls::automatic || chosen_ == CompilerWalls::bubblewrap) {
    means_ = probe_sandbox(SandboxMode::automatic);
    if (means_.bubblewrap.empty() && wanted == CompilerWalls::bubblewrap)
      return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal, means_.why_not,
                         ""};
    chosen_ = means_.bubblewrap.empty() ? CompilerWalls::none : CompilerWalls::bubblewrap;
  }
  if (chosen_ == CompilerWalls::confinement && !can_confine())
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                       "this kernel has no Landlock", ""};
  return {};
}

ChildCommand CompileWalls::command(const std::string& child_program, const std::string& work_folder,
                                   const CompileLimits& limits,
                                   const std::vector<std::string>& compiler_words) const {
  CompileChildPlan plan;
  plan.parent = getpid();
  plan.limits = {limits.memory_bytes, static_cast<std::uint64_t>(limits.cpu.count()),
                 limits.file_bytes, 0, open_files_max};
  std::vector<std::string> folders = compiler_folders_;
  folders.push_back(include_folder_);

  ChildCommand command;
  std::vector<std::string> program = compiler_words;
  if (chosen_ == CompilerWalls::bubblewrap) {
    SandboxPolicy policy;
    policy.roots = system_folders();
    for (const auto& folder : folders)
      policy.read_only.push_back({folder, folder});
    policy.writable = {{work_folder, work_folder}};
    policy.folder = work_folder;
    policy.tmp_bytes = limits.file_bytes;
    program = sandboxed(means_, policy, compiler_words);
  } else if (chosen_ == CompilerWalls::confinement) {
    plan.confined = true;
    plan.files.readable = system_folders();
    plan.files.readable.insert(plan.files.readable.end(), folders.begin(), folders.end());
    plan.files.writable = {work_folder, "/dev/null"};
  }
  command.arguments = {child_program, "--compile-child"};
  const auto words = words_of(plan);
  command.arguments.insert(command.arguments.end(), words.begin(), words.end());
  command.arguments.insert(command.arguments.end(), program.begin(), program.end());
  command.environment = {search_path, "LC_ALL=C", "TMPDIR=" + work_folder};
  command.folder = work_folder;
  command.limit = limits.wall;
  command.output_bytes_max = limits.log_bytes;
  return command;
}

std::vector<std::string> CompileWalls::reporting_words() const {
  if (chosen_ != CompilerWalls::none)
    return {};
  return {"-H", "-fno-diagnostics-show-caret"};
}

std::string CompileWalls::foreign_file(std::string& log) const {
  if (chosen_ != CompilerWalls::none)
    return "";
  std::vector<std::string> allowed{"/usr/include", "/usr/local/include", "/usr/lib/gcc",
                                   "/usr/lib/llvm", include_folder_};
  for (const auto& folder : compiler_folders_)
    allowed.push_back(folder);
  std::string rest;
  bool advice = false;  // the report's end, of no use; a source could write that line too
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    advice |= line == "Multiple include guards may be useful for:";
    const std::string name(reported_header(line));
    if (name.empty()) {
      rest += advice ? "" : line + "\n";
      continue;
    }
    std::error_code error;
    const std::string real = fs::canonical(name, error).native();
    const bool fine =
        !error && std::any_of(allowed.begin(), allowed.end(), [&](const auto& folder) {
          return is_below(real, folder) || (folder == "/usr/lib/llvm" && real.starts_with(folder));
        });
    if (!fine)
      return name;
  }
  log = std::move(rest);
  return "";
}

std::string limit_reached(const ChildEnd& end, const CompileLimits& limits) {
  const auto log_says = [&end](std::string_view words) {
    return end.output.find(words) != std::string::npos;
  };
  const auto ended_by = [&end](int signal) {
    return end.signal == signal || end.exit_code == 128 + signal;
  };
  if (end.timed_out)
    return "compile stopped after " + words_for(limits.wall) + " (limit)";
  if (end.exit_code == 0)
    return "";
  const bool killed = ended_by(SIGKILL) || log_says("Killed signal terminated program");
  const bool used_up = std::chrono::nanoseconds(end.cpu_ns) >= limits.cpu;
  if (ended_by(SIGXCPU) || log_says("CPU time limit exceeded") || (killed && used_up))
    return "compile stopped after " + words_for(limits.cpu) + " of processor time (limit)";
  if (ended_by(SIGXFSZ) || log_says("File size limit exceeded") || log_says("File too large"))
    return "compile stopped: it would write a file of more than " +
           std::to_string(limits.file_bytes >> 20) + " MiB (limit)";
  if (log_says("virtual memory exhausted") || log_says("out of memory allocating") ||
      log_says("LLVM ERROR: out of memory") || log_says("std::bad_alloc"))
    return "compile stopped: it needs more than " + std::to_string(limits.memory_bytes >> 20) +
           " MiB of memory (limit)";
  return "";
}

}  // namespace fastgpu::exec
