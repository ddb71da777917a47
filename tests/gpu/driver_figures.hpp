#pragma once

/// What the driver itself costs and gives, beneath the executor: for the questions that only a real
/// GPU answers. Each part runs in a process of its own, as contexts do not come back.

#include <string>

#include "tests/gpu/figure_table.hpp"

namespace fastgpu::gpu_report {

struct DriverFigureOptions {
  std::string program;  ///< of this report, for its own parts
  std::string executor;
  std::string device;  ///< "GPU-...", "MIG-..." or an ordinal
  unsigned copy_mib{256};
};

void measure_driver(const DriverFigureOptions& options, FigureTable& table);

/// A part, in a process of its own: prints `name value` lines for its caller. Returns the exit
/// code.
int run_part(const std::string& part, const std::string& device, unsigned copy_mib);

}  // namespace fastgpu::gpu_report
