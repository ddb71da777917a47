#include <algorithm>
#include <set>
#include <string>

#include "runtime/base/limits.hpp"
#include "runtime/base/relative_path.hpp"
#include "runtime/session/request_size.hpp"
#include "runtime/session/spec_words.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using protocol::CommandSpec;

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

base::Status check_words(const CommandSpec& command) {
  if (command.argv.front().empty()) {
    return bad_spec("the command's first word is empty",
                    "name a program: fastgpu run -- python3 x.py");
  }
  for (std::size_t i = 0; i < command.argv.size(); ++i) {
    if (has_nul(command.argv[i])) {
      return bad_spec("word " + number(i) + " of the command holds a NUL",
                      "no program can be given such a word");
    }
  }
  return {};
}

base::Status check_environment(const CommandSpec& command) {
  std::set<std::string> names;
  for (const auto& [name, value] : command.environment) {
    if (!is_identifier(name) || has_nul(value)) {
      return bad_spec("'" + name +
                          "' cannot be set: it is no name of a variable, or its value holds "
                          "a NUL",
                      "write --env NAME=VALUE");
    }
    if (name.starts_with("FASTGPU_")) {
      return bad_spec("'" + name + "' is set by FastGPU itself", "choose another name");
    }
    if (!names.insert(name).second) {
      return bad_spec("'" + name + "' is set twice", "set it once");
    }
  }
  return {};
}

base::Status check_paths(const CommandSpec& command) {
  if (!command.cwd.empty()) {
    if (const base::Status status = base::check_relative_path(command.cwd); !status.ok()) {
      return status;
    }
  }
  std::set<std::string> inputs;
  for (const protocol::InputFile& input : command.inputs) {
    if (const base::Status status = base::check_relative_path(input.path); !status.ok()) {
      return status;
    }
    if (!inputs.insert(input.path).second) {
      return bad_spec("two inputs have the path '" + input.path + "'",
                      "give one of them another path: --in FILE:PATH");
    }
  }
  for (const std::string& input : inputs) {
    for (std::size_t at = input.find('/'); at != std::string::npos; at = input.find('/', at + 1)) {
      if (inputs.contains(input.substr(0, at))) {
        return bad_spec(
            "the input '" + input.substr(0, at) + "' is a file, and '" + input + "' lies below it",
            "give one of them another path: --in FILE:PATH");
      }
    }
  }
  std::set<std::string> outputs;
  for (const std::string& output : command.outputs) {
    if (const base::Status status = base::check_relative_path(output); !status.ok()) {
      return status;
    }
    if (!outputs.insert(output).second) {
      return bad_spec("the output '" + output + "' is named twice", "name it once");
    }
  }
  return {};
}

base::Status check_inputs(const protocol::JobSpec& spec) {
  for (const protocol::InputFile& input : spec.command.inputs) {
    const base::Status status = check_data(input.data, "input '" + input.path + "'", spec.tasks);
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

base::Status check_limits(const protocol::JobSpec& spec) {
  const CommandSpec& command = spec.command;
  if (command.folder_bytes_max > limits::command_folder_bytes_max) {
    return bad(ErrorCode::too_large,
               "the command may write " + number(command.folder_bytes_max) +
                   " bytes into its folder; nodes allow at most " +
                   number(limits::command_folder_bytes_max),
               "give a smaller --disk");
  }
  if (spec.lease_ns != 0 && (spec.lease_ns < limits::lease_safe.count() ||
                             spec.lease_ns > limits::lease_command_max.count())) {
    return bad_spec("a lease of " + std::to_string(spec.lease_ns / 1'000'000'000) +
                        " s is not possible: between " +
                        std::to_string(limits::lease_safe.count() / 1'000'000'000) + " s and " +
                        std::to_string(limits::lease_command_max.count() / 1'000'000'000) + " s",
                    "give --lease 10m, or leave it out");
  }
  if (spec.request.kind == protocol::DeviceKind::null) {
    return bad_spec("a command cannot run on the null device, which executes nothing",
                    "use --device any, gpu or cpu");
  }
  return {};
}

base::Status check_size(const protocol::JobSpec& spec) {
  const auto [common, data] = size_of(spec);
  if (common > limits::task_spec_bytes_max) {
    return bad(ErrorCode::too_large,
               "the command's words, variables and paths have " + number(common) +
                   " bytes; at most " + number(limits::task_spec_bytes_max) + " are possible",
               "put long texts into an input file");
  }
  if (data > limits::job_data_bytes_max) {
    return bad(ErrorCode::too_large,
               "the job's own data and references to data have " + number(data) +
                   " bytes; at most " + number(limits::job_data_bytes_max) + " are possible",
               "pack many files into one archive, or split the array into several jobs");
  }
  return {};
}

}  // namespace

base::Status check_command(const protocol::JobSpec& spec) {
  const CommandSpec& command = spec.command;
  if (!spec.kernel.name.empty() || !spec.kernel.source.empty()) {
    return bad_spec("the job names a kernel and a command", "give one of them");
  }
  if (command.argv.size() > limits::command_arguments_max ||
      command.inputs.size() > limits::command_files_max ||
      command.outputs.size() > limits::command_files_max) {
    return bad(ErrorCode::too_large,
               "the command has " + number(command.argv.size()) + " words, " +
                   number(command.inputs.size()) + " inputs and " + number(command.outputs.size()) +
                   " outputs; at most " + number(limits::command_arguments_max) + ", " +
                   number(limits::command_files_max) + " and " + number(limits::command_files_max) +
                   " are possible",
               "pack many files into one archive, or name a folder");
  }
  for (base::Status (*check)(const CommandSpec&) : {check_words, check_environment, check_paths}) {
    if (const base::Status status = check(command); !status.ok()) {
      return status;
    }
  }
  for (base::Status (*check)(const protocol::JobSpec&) : {check_inputs, check_limits, check_size}) {
    if (const base::Status status = check(spec); !status.ok()) {
      return status;
    }
  }
  return {};
}

}  // namespace fastgpu::session
