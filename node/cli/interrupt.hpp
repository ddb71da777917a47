#pragma once

/// Ctrl-C as a fact to look at: the first one detaches, the second cancels.

namespace fastgpu::cli {

/// From now on Ctrl-C is counted and ends nothing by itself.
void count_interrupts();
int interrupts();

}  // namespace fastgpu::cli
