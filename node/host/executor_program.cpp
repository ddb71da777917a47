#include "node/host/executor_program.hpp"

#include <cstdlib>
#include <filesystem>

namespace fastgpu::node {

std::string find_executor_program() {
  if (const char* named = std::getenv("FASTGPU_EXECUTOR")) {
    return named;
  }
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (self.parent_path() / "fastgpu-executor").string();
}

}  // namespace fastgpu::node
