#pragma once

/// What this host offers to a node, found out by trying: each check is one sentence, and a remedy
/// where something is missing. For `fastgpu doctor`. Blocks up to some seconds; starts a trial of
/// the sandbox and a process that asks the driver for its devices; compiles nothing.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fastgpu::node {

enum class CheckState : std::uint8_t {
  ok,
  warning,  ///< a node runs, but not as well or as safely as it could
  failed,   ///< something of a node does not work
};
/// "ok", "warning", "failed"
const char* to_word(CheckState state);

struct Check {
  std::string name;  ///< "compiler"
  CheckState state{CheckState::ok};
  std::string sentence;
  std::string remedy;  ///< empty where nothing is to be done
  bool operator==(const Check&) const = default;
};

/// Compiler, sandbox, walls of kernels, open files, shared memory, GPU driver.
std::vector<Check> check_host();

/// The data folder of a node on this host: whether it is one, who passes through to it, and how
/// much room its disk has.
std::vector<Check> check_folder(const std::filesystem::path& folder);

// --- pure parts ----------------------------------------------------------------------------------

/// `free` and `total` of the disk, in bytes.
Check disk_check(std::uint64_t free, std::uint64_t total, const std::string& folder);
Check open_files_check(std::uint64_t soft, std::uint64_t hard);

}  // namespace fastgpu::node
