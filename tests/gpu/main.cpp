/// gpu_report: what one device costs and gives, in one table. Needs nothing but this program and
/// fastgpu-executor beside it, so that it runs on a host with a driver and nothing else.
///   gpu_report [--device cuda:0|cuda:UUID|cpu:0] [--quick] [--json]

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/exec/cuda/discovery.hpp"
#include "tests/gpu/driver_figures.hpp"
#include "tests/gpu/executor_figures.hpp"

namespace {

using namespace fastgpu;

struct Options {
  std::string device{"cuda:0"};
  std::string part;
  unsigned copy_mib{256};
  bool quick{false};
  bool json{false};
};

int usage() {
  std::fprintf(stderr, "usage: gpu_report [--device cuda:0|cuda:UUID|cpu:0] [--quick] [--json]\n");
  return 2;
}

bool read(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--quick")
      options.quick = true;
    else if (word == "--json")
      options.json = true;
    else if (i + 1 == count)
      return false;
    else if (word == "--device")
      options.device = words[++i];
    else if (word == "--part")
      options.part = words[++i];
    else if (word == "--copy-mib")
      options.copy_mib = static_cast<unsigned>(std::strtoul(words[++i], nullptr, 10));
    else
      return false;
  }
  return true;
}

int report(const Options& options) {
  namespace fs = std::filesystem;
  const std::string own = fs::read_symlink("/proc/self/exe").string();
  std::string folder = (fs::temp_directory_path() / "fastgpu-report.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "gpu_report: no temporary folder can be made\n");
    return 1;
  }
  gpu_report::ExecutorFigureOptions through;
  through.executor.program = fs::path(own).replace_filename("fastgpu-executor").string();
  through.executor.device = options.device;
  through.executor.cache_folder = folder + "/kernels";
  through.executor.arena_bytes = 512ull << 20;
  auto user = exec::claim_user(exec::default_users(), static_cast<std::uint32_t>(getpid()));
  if (!user.ok()) {
    std::fprintf(stderr, "gpu_report: %s\n", user.error().message.c_str());
    return 1;
  }
  through.executor.user = std::move(user).value();
  if (options.quick) {
    through.rounds = 2;
    through.tasks = 200;
    through.copy_mib = 4;
  }
  gpu_report::FigureTable table;
  const bool is_gpu = options.device.starts_with("cuda:");
  if (is_gpu)
    table.say("driver", exec::describe(exec::list_gpus(through.executor.program)));
  gpu_report::measure_executor(through, table);
  if (is_gpu)
    gpu_report::measure_driver({own, through.executor.program, options.device.substr(5),
                                options.quick ? 16u : options.copy_mib},
                               table);
  table.print(options.json);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return table.complete() ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!read(count, words, options))
    return usage();
  if (!options.part.empty()) {
    const int code = gpu_report::run_part(options.part, options.device.substr(5), options.copy_mib);
    std::fflush(nullptr);
    _exit(code);  // gives nothing back, as an executor that dies
  }
  return report(options);
}
