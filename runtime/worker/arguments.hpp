#pragma once

/// Makes the arguments of one task out of a job's specification: scalars as protocol/arguments.hpp
/// reads them, and each buffer's data.
/// Pure. What a user can get wrong comes back as an Error with a sentence for people.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/worker/worker_effects.hpp"

namespace fastgpu::worker {

/// The data of a task: the only one, or its own; null when there is none for it.
const protocol::Data* data_of(const std::vector<protocol::Data>& data, std::uint32_t task);

/// What `inputs` says of an object's bytes; the caller has made sure that all are there.
class StagedInputs {
 public:
  virtual ~StagedInputs() = default;
  virtual base::Bytes bytes_of(const protocol::ObjectRef& object) const = 0;
};

base::Result<std::vector<LaunchArgument>> arguments_of(const protocol::JobSpec& spec,
                                                       std::uint32_t task,
                                                       const StagedInputs& inputs);

}  // namespace fastgpu::worker
