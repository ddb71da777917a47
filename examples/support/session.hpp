#pragma once

/// What the examples share: the options to reach a cluster, and a session that runs kernels of one
/// source file as jobs and remembers where their tasks ran. For one thread. What goes wrong is
/// thrown as std::exception with a sentence for people; report_failure turns it into exit code 1.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fastgpu/client.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace examples {

struct SessionOptions {
  std::vector<std::string> servers;
  std::string kernel_file;

  /// --server (or FASTGPU_SERVER) and --kernel-file, whose default is what stands here already.
  void add_to(CLI::App& app);
};

class Session {
 public:
  explicit Session(const SessionOptions& options);

  /// A job that runs `kernel`; the caller adds its geometry and its arguments.
  fastgpu::JobSpec job(const std::string& kernel) const;
  /// The outputs of each task, in the tasks' order, once all have succeeded.
  std::vector<std::vector<fastgpu::Output>> run(const fastgpu::JobSpec& spec);
  /// A table of the tasks that each device ran, over all jobs.
  void print_places() const;

 private:
  fastgpu::Client client_;
  std::string source_;
  std::map<std::pair<std::string, std::uint32_t>, std::size_t> places_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);

/// Plain values as the bytes of a buffer.
template <class T>
fastgpu::Bytes bytes_of(const std::vector<T>& values) {
  fastgpu::Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  return bytes;
}

/// The exit code of a program that does `body`: 1 and a line on standard error where it throws.
int report_failure(const std::string& program, const std::function<void()>& body);

}  // namespace examples
