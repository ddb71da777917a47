#include "runtime/session/request_check.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/protocol/arguments.hpp"
#include "runtime/session/request_size.hpp"
#include "runtime/session/spec_words.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;
using base::ErrorCode;

base::Status check_block(const std::array<std::uint32_t, 3>& block) {
  const auto [x, y, z] = block;
  if (x == 0 || y == 0 || z == 0) {
    return bad_spec("a block of " + number(x) + " x " + number(y) + " x " + number(z) +
                        " threads has no threads",
                    "every side of --block is at least 1");
  }
  const bool sides =
      x <= limits::block_threads_max && y <= limits::block_threads_max && z <= limits::block_z_max;
  if (!sides || std::uint64_t{x} * y * z > limits::block_threads_max) {
    return bad_spec("a block of " + number(x) + " x " + number(y) + " x " + number(z) +
                        " threads is too large: at most " + number(limits::block_threads_max) +
                        " threads, and a depth of " + number(limits::block_z_max),
                    "use a smaller --block and a larger --grid");
  }
  return {};
}

base::Status check_grid(const std::array<std::uint32_t, 3>& grid) {
  const auto [x, y, z] = grid;
  if (x == 0 || y == 0 || z == 0) {
    return bad_spec(
        "a grid of " + number(x) + " x " + number(y) + " x " + number(z) + " blocks has no blocks",
        "every side of --grid is at least 1");
  }
  if (x > limits::grid_x_max || y > limits::grid_yz_max || z > limits::grid_yz_max) {
    return bad_spec("a grid of " + number(x) + " x " + number(y) + " x " + number(z) +
                        " blocks is too large: at most " + number(limits::grid_x_max) + " x " +
                        number(limits::grid_yz_max) + " x " + number(limits::grid_yz_max),
                    "put the largest side first, or give each thread more to do");
  }
  return {};
}

base::Status check_kernel(const protocol::KernelSpec& kernel) {
  if (kernel.name.empty()) {
    return bad_spec("the job names no kernel", "give its name: --kernel 'saxpy<float>'");
  }
  if (const base::Status status = check_text("the kernel's name", kernel.name); !status.ok()) {
    return status;
  }
  if (kernel.source.empty()) {
    return bad_spec("the job has no source", "give the CUDA C++ source: --source FILE");
  }
  if (kernel.standard != "c++17" && kernel.standard != "c++20") {
    return bad_spec("'" + kernel.standard + "' is no C++ standard that kernels can be compiled for",
                    "use c++17 or c++20");
  }
  if (kernel.shared_bytes > limits::shared_memory_bytes_max) {
    return bad_spec("a block asks for " + number(kernel.shared_bytes) +
                        " bytes of shared memory; at most " +
                        number(limits::shared_memory_bytes_max) + " can be had",
                    "use smaller tiles, or more blocks");
  }
  if (const base::Status status = check_block(kernel.block); !status.ok()) {
    return status;
  }
  if (const base::Status status = check_grid(kernel.grid); !status.ok()) {
    return status;
  }
  for (const auto& [name, value] : kernel.defines) {
    if (!is_identifier(name)) {
      return bad_spec("'" + name + "' cannot be defined: it is no identifier",
                      "write --define NAME or --define NAME=VALUE");
    }
  }
  return {};
}

base::Status check_filled(const protocol::BufferArgument& buffer, const std::string& which,
                          std::uint32_t tasks) {
  if (const base::Status status = check_data(buffer.data, which, tasks); !status.ok()) {
    return status;
  }
  std::uint64_t largest = 0;
  for (const protocol::Data& data : buffer.data) {
    largest = std::max(largest, size_of(data));
  }
  if (largest != buffer.size_bytes) {
    return bad(ErrorCode::bad_argument,
               which + " says it has " + number(buffer.size_bytes) + " bytes; its data has " +
                   number(largest),
               "the size of a buffer with data is the size of the largest");
  }
  return {};
}

base::Status check_buffer(const protocol::BufferArgument& buffer, std::size_t position,
                          std::uint32_t tasks) {
  const std::string which = "argument " + number(position);
  if (const base::Status status = check_text("a buffer's name", buffer.name); !status.ok()) {
    return status;
  }
  if (buffer.size_bytes == 0 || buffer.size_bytes > limits::object_bytes_max) {
    return bad(buffer.size_bytes == 0 ? ErrorCode::bad_argument : ErrorCode::too_large,
               which + " is a buffer of " + number(buffer.size_bytes) + " bytes; between 1 and " +
                   number(limits::object_bytes_max) + " are possible",
               buffer.size_bytes == 0 ? "give its size, or data" : "split it over several buffers");
  }
  const bool filled =
      buffer.use == protocol::BufferUse::in || buffer.use == protocol::BufferUse::inout;
  if (filled) {
    return check_filled(buffer, which, tasks);
  }
  if (!buffer.data.empty()) {
    return bad(ErrorCode::bad_argument,
               which + " is " + protocol::to_word(buffer.use) + " and has data",
               "such a buffer starts zeroed; use inout for one that starts with data");
  }
  return {};
}

/// "{}" differs between tasks; its shortest and its longest form stand for all.
base::Status check_scalar(const protocol::ScalarArgument& scalar, std::size_t position,
                          const protocol::JobSpec& spec) {
  for (const std::uint32_t task : {0u, spec.tasks - 1}) {
    const auto value =
        protocol::parse_scalar(scalar.type, protocol::fill_in(scalar.text, spec, task));
    if (!value.ok()) {
      base::Error error = value.error();
      error.message = "argument " + number(position) + ": " + error.message;
      return error;
    }
  }
  return {};
}

base::Status check_arguments(const protocol::JobSpec& spec) {
  const auto& arguments = spec.kernel.arguments;
  if (arguments.size() > limits::kernel_arguments_max) {
    return bad(ErrorCode::bad_argument,
               "the kernel is given " + number(arguments.size()) + " arguments; at most " +
                   number(limits::kernel_arguments_max) + " are possible",
               "put several values into one buffer");
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto* scalar = std::get_if<protocol::ScalarArgument>(&arguments[i]);
    const base::Status status =
        scalar ? check_scalar(*scalar, i + 1, spec)
               : check_buffer(std::get<protocol::BufferArgument>(arguments[i]), i + 1, spec.tasks);
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

/// What travels with every assignment, and what a log entry holds at most.
base::Status check_size(const protocol::JobSpec& spec) {
  const auto [common, data] = size_of(spec);
  if (common > limits::task_spec_bytes_max) {
    return bad(ErrorCode::too_large,
               "the job's source, names and values have " + number(common) + " bytes; at most " +
                   number(limits::task_spec_bytes_max) + " are possible",
               "shorten the source: remove what this kernel does not use");
  }
  if (data > limits::job_data_bytes_max) {
    return bad(ErrorCode::too_large,
               "the job's own data and references to data have " + number(data) +
                   " bytes; at most " + number(limits::job_data_bytes_max) + " are possible",
               "upload more of it, or split the array into several jobs");
  }
  return {};
}

/// The books of a device rely on it: nothing may ask for less than it takes.
base::Status check_request_size(const protocol::JobSpec& spec) {
  std::uint64_t needed = 0;
  for (const protocol::Argument& argument : spec.kernel.arguments) {
    const auto* buffer = std::get_if<protocol::BufferArgument>(&argument);
    needed += buffer ? buffer->size_bytes : 0;
  }
  if (spec.request.memory_bytes < needed) {
    return bad_spec("the job asks for " + number(spec.request.memory_bytes) +
                        " bytes of device memory; its buffers take " + number(needed),
                    "ask for at least that much");
  }
  return {};
}

}  // namespace

base::Status check_spec(const protocol::JobSpec& spec) {
  if (const base::Status status = check_text("the job's name", spec.name); !status.ok()) {
    return status;
  }
  if (spec.tasks == 0 || spec.tasks > limits::array_tasks_max) {
    return bad_spec("a job of " + number(spec.tasks) + " tasks is not possible: between 1 and " +
                        number(limits::array_tasks_max),
                    spec.tasks == 0 ? "give --tasks 1 or more" : "split it into several jobs");
  }
  if (spec.time_limit_ns <= 0) {
    return bad_spec(
        "a time limit of " + std::to_string(spec.time_limit_ns) + " ns leaves no time to run",
        "give a time above zero: --time-limit 10m");
  }
  if (spec.after.size() > limits::dependencies_max) {
    return bad(ErrorCode::too_large,
               "the job waits for " + number(spec.after.size()) + " others; at most " +
                   number(limits::dependencies_max) + " are possible",
               "let a job in between wait for some of them, and this one for that");
  }
  for (base::Status (*check)(const protocol::JobSpec&) : {check_labels, check_items}) {
    if (const base::Status status = check(spec); !status.ok()) {
      return status;
    }
  }
  if (spec.is_command()) {
    return check_command(spec);
  }
  for (base::Status (*check)(const protocol::JobSpec&) :
       {check_size, check_arguments, check_request_size}) {
    if (const base::Status status = check(spec); !status.ok()) {
      return status;
    }
  }
  return check_kernel(spec.kernel);
}

}  // namespace fastgpu::session
