#include "node/cli/flags/job_flags.hpp"

#include "node/cli/text/quantities.hpp"

namespace fastgpu::cli {
namespace {

base::Status add_common(v1::JobSpec& spec, const JobFlags& flags) {
  spec.name(flags.name).tasks(flags.tasks).device(flags.device);
  spec.retries(flags.retries).crash_limit(flags.crash_limit);
  spec.wait_if_infeasible(flags.if_infeasible == "wait");
  if (!flags.time_limit.empty()) {
    const auto limit = parse_duration(flags.time_limit);
    if (!limit.ok()) {
      return limit.error();
    }
    spec.time_limit(limit.value());
  }
  for (const std::string& after : flags.after) {
    if (const base::Status status = add_dependency(spec, after); !status.ok()) {
      return status;
    }
  }
  const auto labels = parse_labels(flags.labels);
  if (!labels.ok()) {
    return labels.error();
  }
  for (const auto& [name, value] : labels.value()) {
    spec.label(name, value);
  }
  return {};
}

}  // namespace

base::Result<v1::JobSpec> job_from(const JobFlags& flags, const ReadFile& read,
                                   const IsFile& is_file) {
  const bool is_kernel = !flags.kernel.kernel.empty() || !flags.kernel.source.empty();
  if (is_kernel == flags.is_command()) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                       is_kernel ? "a job is a kernel or a command, not both"
                                 : "there is nothing to run: no command and no kernel",
                       "fastgpu run -- python3 train.py, or fastgpu run --kernel 'saxpy<float>' "
                       "--source saxpy.cu --grid 4 --block 256 ..."};
  }
  v1::JobSpec spec;
  if (const base::Status status = add_common(spec, flags); !status.ok()) {
    return status.error();
  }
  const base::Status status = is_kernel ? add_kernel(spec, flags.kernel, flags.tasks, read)
                                        : add_command(spec, flags.command, flags.tasks, is_file);
  if (!status.ok()) {
    return status.error();
  }
  return spec;
}

}  // namespace fastgpu::cli
