#pragma once

/// What a GPU kernel takes, so that a job's arguments are checked before the launch: a GPU would
/// read whatever lies there.
///
/// Place in the flow: made once per loaded kernel from what the driver says of it; compared with
/// each task by the same check as on the CPU device. The driver knows sizes alone; which of them
/// are pointers, integers or floating-point numbers is in the kernel's mangled name. A name that is
/// not mangled (extern "C") tells nothing, and then a size that fits is enough. Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/channel/task_slot.hpp"

namespace fastgpu::exec {

struct KernelParameters {
  std::vector<unsigned> bytes;
  std::vector<unsigned char> kinds;  ///< abi::FastgpuParameter; fastgpu_other = not known
};

/// The kinds of the parameters of a mangled name; nothing for another name.
std::vector<unsigned char> kinds_in_name(const std::string& mangled);

/// How many there are, where the name tells.
std::optional<std::size_t> count_in_name(const std::string& mangled);

/// "ns::k<float>" of "_ZN2ns1kIfEEvPf", without return type and parameters; the name itself if it
/// is not mangled.
std::string plain_name(const std::string& mangled);

/// Empty if the task's arguments fit. In the words of the CPU device.
std::string check_gpu_arguments(const TaskView& task, const KernelParameters& parameters);

}  // namespace fastgpu::exec
