#error "cooperative_groups.h is not supported on the CPU device; use __syncthreads and the warp functions"
