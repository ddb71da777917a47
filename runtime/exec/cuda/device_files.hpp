#pragma once

/// Which files of /dev a command needs for one GPU, so that it is given no other.
///
/// Place in the flow: the node asks when it starts, for the runner of each GPU. The driver says
/// below /proc/driver/nvidia which file is which GPU's. Failures: never; where that cannot be read,
/// as for a slice of a divided GPU, the files of all GPUs are given, and CUDA_VISIBLE_DEVICES
/// alone tells the command which one is its own.

#include <filesystem>
#include <string>
#include <vector>

namespace fastgpu::exec {

/// `root`: where `proc` and `dev` are looked for; the paths that are given begin with /dev.
std::vector<std::string> gpu_device_files(const std::string& uuid,
                                          const std::filesystem::path& root = "/");

}  // namespace fastgpu::exec
