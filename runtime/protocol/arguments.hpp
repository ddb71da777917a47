#pragma once

/// Scalar arguments: from the text that a user gave to the bytes that a kernel gets. The gateway
/// checks with it what the worker later launches with. Pure; nothing blocks.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::protocol {

/// "{}" becomes the task's index, "{n}" the number of tasks.
std::string fill_in(std::string_view text, std::uint32_t task, std::uint32_t tasks);
/// The same for a task of the job: the index is the one that its item has.
std::string fill_in(std::string_view text, const JobSpec& spec, std::uint32_t task);

/// The value in the machine's byte order, in the first 4 or 8 bytes by type. An Error (code
/// bad_argument) when `text` as a whole is no decimal number that the type can hold.
base::Result<std::array<std::uint8_t, 8>> parse_scalar(ScalarType type, std::string_view text);

}  // namespace fastgpu::protocol
