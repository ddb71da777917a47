#include "runtime/exec/warden/child/keeper.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string_view>

namespace fastgpu::exec {
namespace {

void add_option(std::string& options, std::string_view word) {
  options.append(word);
  options.push_back('\0');
}

std::string options_for(const std::vector<std::string>& env) {
  std::string options;
  add_option(options, "--clearenv");
  for (const std::string& variable : env) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0)
      continue;
    add_option(options, "--setenv");
    add_option(options, std::string_view(variable).substr(0, equals));
    add_option(options, std::string_view(variable).substr(equals + 1));
  }
  return options;
}

FileDescriptor memory_file(const std::string& content) {
  FileDescriptor file(memfd_create("fastgpu-environment", MFD_CLOEXEC));
  for (std::size_t done = 0; file && done < content.size();) {
    const ssize_t wrote = write(file.get(), content.data() + done, content.size() - done);
    if (wrote <= 0)
      return FileDescriptor();
    done += static_cast<std::size_t>(wrote);
  }
  if (file && lseek(file.get(), 0, SEEK_SET) != 0)
    return FileDescriptor();
  return file;
}

}  // namespace

Keeper make_keeper(const std::vector<std::string>& command_env) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return {};
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1]), memory_file(options_for(command_env))};
}

std::vector<std::string> keeper_words(const Keeper& keeper) {
  return {"--args", std::to_string(keeper.options.get()), "--json-status-fd",
          std::to_string(keeper.report_write.get())};
}

std::vector<std::string> keeper_env(const std::string& marker) {
  return {"PATH=/usr/local/bin:/usr/bin:/bin", marker};
}

bool keeper_saw_end(const std::string& report) {
  return report.find("\"exit-code\"") != std::string::npos;
}

}  // namespace fastgpu::exec
