#pragma once

/// May the users that commands run as come to their folders? A node of root's runs commands as
/// users of their own: where such a one cannot pass through a folder above, no command of the node
/// ever starts. `nobody` is asked, who may what every stranger may. Asked at the start of a node
/// and by `fastgpu doctor`. Forks: call it before there are threads, or where they hold no lock
/// that a system call needs.

#include <filesystem>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/exec/sandbox/process_limits.hpp"

namespace fastgpu::node {

/// The first folder on the way to `path`, from the root on and `path` included, that `user` may not
/// pass through; empty: none, or we are not root and commands run as who we are. What does not
/// exist yet is not looked at.
std::string closed_folder(const std::filesystem::path& path,
                          const exec::UnprivilegedUser& user = {});

/// An Error (invalid: the host's configuration has to be mended) that names the folder.
base::Status check_reach(const std::filesystem::path& data_folder);

}  // namespace fastgpu::node
