#include "node/cli/flags/command_flags.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "node/cli/text/quantities.hpp"
#include "runtime/base/relative_path.hpp"

namespace fastgpu::cli {
namespace {

base::Error usage(std::string message, std::string hint) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, std::move(message), std::move(hint)};
}

/// "./train.py" and "train.py" are one file.
std::string plain(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().generic_string();
}

/// FILE[:PATH]. A colon in the file's own name is written with a path behind it.
std::pair<std::string, std::string> split_input(const std::string& text) {
  const std::size_t at = text.rfind(':');
  return at == std::string::npos ? std::pair(text, std::string())
                                 : std::pair(text.substr(0, at), text.substr(at + 1));
}

base::Status add_inputs(v1::JobSpec& spec, const CommandFlags& flags, const IsFile& is_file) {
  if (!flags.workdir.empty()) {
    spec.input(flags.workdir, ".");
  }
  for (const std::string& text : flags.inputs) {
    const auto [file, path] = split_input(text);
    if (file.empty()) {
      return usage("--in " + text + " names no file", "write --in FILE or --in FILE:PATH");
    }
    spec.input(file, path);
  }
  for (const std::string& word : files_among_words(flags, is_file)) {
    spec.input(word, word);
  }
  return {};
}

base::Status add_environment(v1::JobSpec& spec, const CommandFlags& flags) {
  for (const std::string& text : flags.environment) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) {
      return usage("--env " + text + " sets no variable", "write --env NAME=VALUE");
    }
    spec.env(text.substr(0, at), text.substr(at + 1));
  }
  return {};
}

base::Status add_outputs(v1::JobSpec& spec, const CommandFlags& flags, std::uint32_t tasks) {
  for (const std::string& path : flags.outputs) {
    if (tasks > 1 && path.find("{}") == std::string::npos) {
      return usage("all " + std::to_string(tasks) + " tasks would write the file " + path,
                   "put {} into its name: it becomes the task's index");
    }
    spec.output(path);
  }
  return {};
}

base::Status add_limits(v1::JobSpec& spec, const CommandFlags& flags) {
  for (const auto& [text, set] : {std::pair(&flags.memory, &v1::JobSpec::host_memory),
                                  std::pair(&flags.gpu_memory, &v1::JobSpec::device_memory),
                                  std::pair(&flags.disk, &v1::JobSpec::disk)}) {
    if (text->empty()) {
      continue;
    }
    const auto size = parse_size(*text);
    if (!size.ok()) {
      return size.error();
    }
    (spec.*set)(size.value());
  }
  if (!flags.lease.empty()) {
    const auto lease = parse_duration(flags.lease);
    if (!lease.ok()) {
      return lease.error();
    }
    spec.lease(lease.value());
  }
  return {};
}

}  // namespace

std::vector<std::string> files_among_words(const CommandFlags& flags, const IsFile& is_file) {
  std::vector<std::string> files;
  for (const std::string& word : flags.argv) {
    const std::string path = plain(word);
    const bool known = std::find(files.begin(), files.end(), path) != files.end() ||
                       std::any_of(flags.inputs.begin(), flags.inputs.end(), [&](const auto& text) {
                         const auto [file, renamed] = split_input(text);
                         return plain(renamed.empty() ? file : renamed) == path;
                       });
    const bool here = flags.workdir.empty() && base::check_relative_path(path).ok();
    if (here && !known && is_file(path)) {
      files.push_back(path);
    }
  }
  return files;
}

base::Status add_command(v1::JobSpec& spec, const CommandFlags& flags, std::uint32_t tasks,
                         const IsFile& is_file) {
  spec.command(flags.argv).cwd(flags.cwd).network(!flags.no_network);
  if (const base::Status status = add_environment(spec, flags); !status.ok()) {
    return status;
  }
  if (const base::Status status = add_inputs(spec, flags, is_file); !status.ok()) {
    return status;
  }
  if (const base::Status status = add_outputs(spec, flags, tasks); !status.ok()) {
    return status;
  }
  return add_limits(spec, flags);
}

base::Result<protocol::Labels> parse_labels(const std::vector<std::string>& texts) {
  protocol::Labels labels;
  for (const std::string& text : texts) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) {
      return usage("--label " + text + " is no label", "write --label NAME=VALUE");
    }
    labels.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  return labels;
}

base::Status add_dependency(v1::JobSpec& spec, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string id = text.substr(0, colon);
  std::uint64_t job = 0;
  const auto [end, failed] = std::from_chars(id.data(), id.data() + id.size(), job);
  if (failed != std::errc{} || end != id.data() + id.size() || job == 0) {
    return usage("--after " + text + " names no job",
                 "write --after 17, --after 17:any or 17:fail");
  }
  spec.after(job, colon == std::string::npos ? "ok" : text.substr(colon + 1));
  return {};
}

bool is_file(const std::string& path) {
  std::error_code failed;
  return std::filesystem::is_regular_file(path, failed);
}

}  // namespace fastgpu::cli
