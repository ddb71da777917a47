#include "tests/system/lives.hpp"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace fastgpu::testing {
namespace {

namespace fs = std::filesystem;

/// The whole lines of the file: the last one may be half written.
std::vector<double> stamps_in(const fs::path& file) {
  const std::string text = read_file(file.string());
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  std::vector<double> stamps;
  for (double stamp = 0; lines >> stamp;) {
    stamps.push_back(stamp);
  }
  return stamps;
}

}  // namespace

void Life::let_go() const {
  std::ofstream(folder + "/go") << "\n";
}

std::vector<Life> lives_of(const ProcessCluster& cluster, const std::string& job) {
  std::vector<Life> lives;
  std::error_code failed;
  for (int node = 0; node < cluster.size(); ++node) {
    // Named job.task.attempt.
    for (fs::directory_iterator it(cluster.folder(node) + "/jobs", failed), end;
         !failed && it != end; it.increment(failed)) {
      const std::string name = it->path().filename().string();
      if (!name.starts_with(job + ".")) {
        continue;
      }
      Life life{node, it->path().string(), 0, stamps_in(it->path() / "life")};
      life.task = static_cast<std::uint32_t>(std::stoul(name.substr(job.size() + 1)));
      if (!life.stamps.empty()) {
        lives.push_back(std::move(life));
      }
    }
  }
  return lives;
}

double boot_seconds() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace fastgpu::testing
