#pragma once

/// What `--file job.toml` and the `#FASTGPU` lines of a script add to the words that were typed.

#include <string>
#include <vector>

#include "node/cli/flags/job_file.hpp"
#include "node/cli/flags/job_flags.hpp"

namespace fastgpu::cli {

/// The words of the file (if one is named), then those of the command's script: the first word of
/// the command that is a file here. `command` is the file's, where none was typed.
base::Result<JobWords> preset_words(const JobFlags& typed, const ReadFile& read,
                                    const IsFile& is_file);

/// `typed` with the words of `preset` behind the verb, where typed ones win.
std::vector<std::string> with_preset(const std::vector<std::string>& typed, const std::string& verb,
                                     const JobWords& preset);

}  // namespace fastgpu::cli
