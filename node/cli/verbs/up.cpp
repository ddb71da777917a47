#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

std::string word_of(Format format) {
  static constexpr std::array<const char*, 4> words{"table", "json", "jsonl", "id"};
  return words[static_cast<std::size_t>(format)];
}

}  // namespace

/// A throw-away cluster on this machine, until Ctrl-C. The node program becomes it: so this one
/// starts without the libraries that only nodes need.
int verb_up(Context& context, const Invocation& invocation) {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::string program = (self.parent_path() / "fastgpu-node").string();
  std::vector<std::string> words{"fastgpu-node", "up",
                                 "--nodes",      std::to_string(invocation.nodes),
                                 "--devices",    std::to_string(invocation.devices),
                                 "--replicas",   std::to_string(invocation.replicas),
                                 "--output",     word_of(context.format())};
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  return context.fail({base::ErrorKind::invalid, base::ErrorCode::file_not_found,
                       program + " cannot be started: " + std::strerror(errno),
                       "fastgpu-node must lie beside fastgpu"});
}

}  // namespace fastgpu::cli
