#pragma once

/// The clocks of this host. Only the composition root reads them; everyone else is told the time.

#include "runtime/base/time.hpp"

namespace fastgpu::node {

/// CLOCK_BOOTTIME: goes on while the host sleeps, so a lease never outlives its time unseen.
base::Time boot_time();
base::WallTimeMs wall_time();

}  // namespace fastgpu::node
