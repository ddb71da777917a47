#include "node/cli/flags/retry_flags.hpp"

#include <algorithm>
#include <utility>

#include "node/cli/flags/command_flags.hpp"
#include "node/cli/text/quantities.hpp"

namespace fastgpu::cli {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, std::move(message), std::move(hint)};
}

void set(Pairs& pairs, const std::string& name, const std::string& value) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const auto& pair) { return pair.first == name; });
  if (found == pairs.end()) {
    pairs.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

base::Status change_duration(std::int64_t& to, const std::string& text) {
  if (text.empty()) {
    return {};
  }
  const auto time = parse_duration(text);
  if (!time.ok()) {
    return time.error();
  }
  to = time.value().count();
  return {};
}

base::Status change_size(std::uint64_t& to, const std::string& text) {
  if (text.empty()) {
    return {};
  }
  const auto size = parse_size(text);
  if (!size.ok()) {
    return size.error();
  }
  to = size.value();
  return {};
}

/// What only a command has.
base::Status change_command(protocol::JobSpec& spec, const RetryFlags& flags) {
  const bool given = !flags.memory.empty() || !flags.disk.empty() || !flags.lease.empty() ||
                     !flags.environment.empty();
  if (given && !spec.is_command()) {
    return usage("the job is a kernel: it has no --env, --mem, --disk or --lease to change",
                 "leave them out");
  }
  for (const std::string& text : flags.environment) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) {
      return usage("--env " + text + " sets no variable", "write --env NAME=VALUE");
    }
    set(spec.command.environment, text.substr(0, at), text.substr(at + 1));
  }
  for (const base::Status& status : {change_size(spec.command.host_memory_bytes, flags.memory),
                                     change_size(spec.command.folder_bytes_max, flags.disk),
                                     change_duration(spec.lease_ns, flags.lease)}) {
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

void change_device(protocol::JobSpec& spec, const std::string& word) {
  for (const auto kind : {protocol::DeviceKind::any, protocol::DeviceKind::gpu,
                          protocol::DeviceKind::cpu, protocol::DeviceKind::null}) {
    if (word == protocol::to_word(kind)) {
      spec.request.kind = kind;
    }
  }
}

}  // namespace

base::Status change(protocol::JobSpec& spec, const RetryFlags& flags) {
  if (!flags.name.empty()) {
    spec.name = flags.name;
  }
  change_device(spec, flags.device);
  spec.retries = flags.retries.value_or(spec.retries);
  spec.crash_limit = flags.crash_limit.value_or(spec.crash_limit);
  if (!flags.if_infeasible.empty()) {
    spec.wait_if_infeasible = flags.if_infeasible == "wait";
  }
  const auto labels = parse_labels(flags.labels);
  if (!labels.ok()) {
    return labels.error();
  }
  for (const auto& [name, value] : labels.value()) {
    set(spec.labels, name, value);
  }
  if (const base::Status status = change_duration(spec.time_limit_ns, flags.time_limit);
      !status.ok()) {
    return status;
  }
  return change_command(spec, flags);
}

}  // namespace fastgpu::cli
