#pragma once

/// Flags that stand in a file: job.toml, or `#FASTGPU` lines of a script. Both become the words
/// that a user would have typed, in front of those typed, so that there is one parser and typed
/// flags win. Pure: the text is given.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::cli {

/// A job as words of the command line.
struct JobWords {
  std::vector<std::string> flags;    ///< "--time-limit", "2h", ...
  std::vector<std::string> command;  ///< what would stand behind "--"
};

/// job.toml: every key has the name of its flag, "_" for "-"; `command` is a list of words, `env` a
/// table, `[kernel]` holds the flags of a kernel. `file` names it in errors. An unknown key is an
/// Error that names the nearest one.
base::Result<JobWords> words_of_toml(const std::string& file, std::string_view text);

/// The lines `#FASTGPU --in data.csv ...` among the comments at the top of a script: the first line
/// that is neither empty nor a comment ends them. Words are split as a shell does it, with '...'
/// and
/// "..." around blanks.
base::Result<std::vector<std::string>> words_of_script(const std::string& file,
                                                       std::string_view text);

}  // namespace fastgpu::cli
