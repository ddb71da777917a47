#include "runtime/exec/cuda/device_files.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>

namespace fastgpu::exec {
namespace {

namespace fs = std::filesystem;

/// Of every GPU's programs, with the number of no GPU.
constexpr const char* common[] = {"nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"};

/// What stands behind "name:" in a text of such lines.
std::string value_of(const fs::path& file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + ":"))
      continue;
    const std::size_t at = line.find_first_not_of(" \t", name.size() + 1);
    return at == std::string::npos ? "" : line.substr(at, line.find_last_not_of(" \t") - at + 1);
  }
  return "";
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code none;
  for (fs::directory_iterator at(folder, none), end; !none && at != end; at.increment(none))
    entries.push_back(at->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::optional<std::string> file_of(const std::string& uuid, const fs::path& root) {
  for (const fs::path& gpu : entries_of(root / "proc/driver/nvidia/gpus"))
    if (value_of(gpu / "information", "GPU UUID") == uuid)
      if (const std::string minor = value_of(gpu / "information", "Device Minor"); !minor.empty())
        return "nvidia" + minor;
  return std::nullopt;
}

bool is_of_a_gpu(const std::string& name) {
  const std::string number = name.starts_with("nvidia") ? name.substr(6) : "";
  return !number.empty() && std::all_of(number.begin(), number.end(),
                                        [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::vector<std::string> gpu_device_files(const std::string& uuid, const fs::path& root) {
  const std::optional<std::string> own = file_of(uuid, root);
  std::vector<std::string> files;
  for (const fs::path& entry : entries_of(root / "dev")) {
    const std::string name = entry.filename().string();
    const bool shared = std::find(std::begin(common), std::end(common), name) != std::end(common);
    if (shared || (own ? name == *own : is_of_a_gpu(name)))
      files.push_back("/dev/" + name);
  }
  return files;
}

}  // namespace fastgpu::exec
