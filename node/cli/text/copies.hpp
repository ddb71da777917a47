#pragma once

/// Which outputs of a job `fastgpu cp JOB:PATH DEST` means, and where they go. Pure.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::cli {

/// One file to bring.
struct Copy {
  const protocol::Data* data;
  std::string name;  ///< as the job calls it
  std::string to;    ///< below the destination; empty: the destination itself
};

/// `path` names one output, or a folder with all outputs below it; "." and nothing are all. The
/// detail is of the whole job, or of one task (keep_task); what is given out points into it. An
/// Error where nothing is meant, where several tasks have it, or where a name leads out of the
/// folder.
base::Result<std::vector<Copy>> copies_of(const protocol::JobDetail& detail,
                                          const std::string& path);

}  // namespace fastgpu::cli
