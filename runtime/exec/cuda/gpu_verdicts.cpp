#include "runtime/exec/cuda/gpu_verdicts.hpp"

namespace fastgpu::exec {

std::optional<GpuVerdict> GpuVerdicts::hear(const GpuNews& news) {
  if (const auto* xid = std::get_if<GpuXid>(&news)) {
    last_xids_[xid->uuid] = xid->number;
    if (!blames_device(xid->number))
      return std::nullopt;
    return GpuVerdict{xid->uuid, "its driver reported Xid " + std::to_string(xid->number)};
  }
  if (const auto* sample = std::get_if<GpuSample>(&news))
    return hear_of(*sample);
  return std::nullopt;
}

std::uint64_t GpuVerdicts::last_xid(const std::string& uuid) const {
  const auto found = last_xids_.find(uuid);
  return found == last_xids_.end() ? 0 : found->second;
}

/// Errors from before the first sample are past: the self-test says what they have left.
std::optional<GpuVerdict> GpuVerdicts::hear_of(const GpuSample& sample) {
  if (sample.lost)
    return GpuVerdict{sample.uuid, "its driver cannot reach it any more"};
  if (!sample.ecc_errors)
    return std::nullopt;
  const auto [known, first] = ecc_errors_.try_emplace(sample.uuid, *sample.ecc_errors);
  const std::uint64_t before = known->second;
  known->second = *sample.ecc_errors;
  if (*sample.ecc_errors <= before)
    return std::nullopt;
  return GpuVerdict{sample.uuid, "its memory has " + std::to_string(*sample.ecc_errors - before) +
                                     " new errors that cannot be corrected, " +
                                     std::to_string(*sample.ecc_errors) + " in all"};
}

}  // namespace fastgpu::exec
