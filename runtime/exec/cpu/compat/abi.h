// What a compiled kernel and the device process agree on. Read by both compilers: the project's,
// inside namespace fastgpu::exec::abi, and the run-time one, as the first part of the compatibility
// text. Includes nothing. A change here must raise FASTGPU_ABI_VERSION.

#define FASTGPU_ABI_VERSION 2

struct uint3 {
  unsigned x, y, z;
};

// What device code may ask of the process that runs it. All are called on the kernel's thread.
struct FastgpuRuntime {
  // Barrier of the block. Returns the reduction over the threads that brought a predicate:
  // operation 0 counts, 1 is "all", 2 is "any"; -1 brings none and returns 0.
  int (*sync_block)(int operation, int predicate);
  void (*sync_warp)(unsigned mask);
  // Barrier of the lanes in `mask`, after which each sees what all of them brought: 32 slots of 16
  // bytes. Valid until the thread's next warp call. `bytes` is at most 16.
  const unsigned long long (*(*share_in_warp)(unsigned mask, const void* value, unsigned bytes,
                                              unsigned* lanes))[2];
  // Ends the device process with a report: a failed assert or a trap.
  void (*fail)(const char* what, const char* file, int line);
  int (*print)(const char* format, ...);
  // The launch's own heap: null when it has no such room.
  void* (*allocate)(unsigned long bytes);
  void (*release)(void* memory);
};

// One per host thread that runs kernels; lives in the executable, read by device code.
struct FastgpuContext {
  uint3 thread, block, block_size, grid_size;
  char* dynamic_shared;
  const FastgpuRuntime* runtime;
  unsigned long first_block, last_block;  // what a loop-mode call works on, for fault reports
};

// Kinds of kernel parameters, for the check of the job's arguments.
enum FastgpuParameter : unsigned char {
  fastgpu_other = 0,
  fastgpu_pointer = 1,
  fastgpu_integer = 2,
  fastgpu_floating = 3,
};

// The one symbol that the process looks up in a compiled kernel: "fastgpu_kernel".
struct FastgpuKernel {
  unsigned version;
  unsigned parameter_count;
  const unsigned* parameter_bytes;
  const unsigned char* parameter_kinds;
  // Exactly one of the two is set. `run_thread` runs the thread that the context names;
  // `run_blocks` runs all threads of the blocks [first, last), which reach no barrier.
  void (*run_thread)(void** arguments);
  void (*run_blocks)(unsigned long first, unsigned long last, const FastgpuContext* context,
                     void** arguments);
  // The calling thread's memory for `extern __shared__` at namespace scope; null if there is none.
  char* (*dynamic_shared)();
};
