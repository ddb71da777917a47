#pragma once

/// What a device costs and gives through its executor: the way that every job takes.

#include "runtime/exec/process_executor.hpp"
#include "tests/gpu/figure_table.hpp"

namespace fastgpu::gpu_report {

struct ExecutorFigureOptions {
  exec::ProcessExecutorOptions executor;
  unsigned rounds{7};      ///< of what takes milliseconds
  unsigned tasks{20'000};  ///< of the smallest kind
  unsigned copy_mib{64};   ///< in one buffer
};

void measure_executor(const ExecutorFigureOptions& options, FigureTable& table);

}  // namespace fastgpu::gpu_report
