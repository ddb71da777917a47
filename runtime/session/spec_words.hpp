#pragma once

/// What the checks of kernels and of commands share: how a refusal is worded, and the rules that
/// hold for both. Used by spec_check.cpp and command_check.cpp only.

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::session {

base::Error bad(base::ErrorCode code, std::string message, std::string hint);
base::Error bad_spec(std::string message, std::string hint);
std::string number(std::uint64_t value);

/// Of at most limits::name_bytes_max bytes.
base::Status check_text(const char* what, const std::string& text);

/// Letters, digits and "_", not beginning with a digit.
bool is_identifier(const std::string& name);

/// Data of a buffer or file: one for all tasks or one for each, none too large for its way.
/// `which` begins the refusal: "argument 2".
base::Status check_data(const std::vector<protocol::Data>& data, const std::string& which,
                        std::uint32_t tasks);

/// Size in bytes of one piece of data.
std::uint64_t size_of(const protocol::Data& data);
/// A command: its words, files, limits. (command_check.cpp)
base::Status check_command(const protocol::JobSpec& spec);

}  // namespace fastgpu::session
