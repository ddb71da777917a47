// Where a thread is, barriers, and what the lanes of a warp tell each other.
extern "C" {
extern __attribute__((tls_model("initial-exec"), visibility("default"))) __thread FastgpuContext
    fastgpu_context;
}

#ifdef __FASTGPU_LOOP
// Private copies whose address never escapes: the optimiser keeps them in registers, and the loop
// over the threads of a block becomes vector code.
static thread_local uint3 __fastgpu_thread, __fastgpu_block, __fastgpu_block_size,
    __fastgpu_grid_size;
#define threadIdx __fastgpu_thread
#define blockIdx __fastgpu_block
#define blockDim __fastgpu_block_size
#define gridDim __fastgpu_grid_size
#else
#define threadIdx (fastgpu_context.thread)
#define blockIdx (fastgpu_context.block)
#define blockDim (fastgpu_context.block_size)
#define gridDim (fastgpu_context.grid_size)
#endif
static constexpr int warpSize = 32;

static inline void __syncthreads() { fastgpu_context.runtime->sync_block(-1, 0); }
static inline int __syncthreads_count(int p) {
  return fastgpu_context.runtime->sync_block(0, p);
}
static inline int __syncthreads_and(int p) { return fastgpu_context.runtime->sync_block(1, p); }
static inline int __syncthreads_or(int p) { return fastgpu_context.runtime->sync_block(2, p); }
static inline void __syncwarp(unsigned mask = 0xffffffffu) {
  fastgpu_context.runtime->sync_warp(mask);
}
static inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void __threadfence_block() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
static inline void __nanosleep(unsigned) { __builtin_ia32_pause(); }
static inline long long clock64() { return (long long)__builtin_ia32_rdtsc(); }

namespace __fastgpu {
static inline unsigned lane() {
  const uint3 t = threadIdx, n = blockDim;
  return (t.x + n.x * (t.y + n.y * t.z)) & 31u;
}
// Any size goes through in pieces of a slot.
template <class T>
static inline T from_lane(unsigned mask, const T& value, unsigned source) {
  T result = value;
  for (unsigned at = 0; at < sizeof(T); at += 16) {
    const unsigned bytes = sizeof(T) - at < 16 ? sizeof(T) - at : 16;
    unsigned lanes;
    const auto* slots = fastgpu_context.runtime->share_in_warp(
        mask, (const char*)&value + at, bytes, &lanes);
    if (lanes >> source & 1) __builtin_memcpy((char*)&result + at, slots[source], bytes);
  }
  return result;
}
template <class T, class Fold>
static inline T fold_in_warp(unsigned mask, T value, Fold fold) {
  unsigned lanes;
  const auto* slots =
      fastgpu_context.runtime->share_in_warp(mask, &value, sizeof(T), &lanes);
  T result{};
  for (bool first = true; lanes; lanes &= lanes - 1, first = false) {
    T other;
    __builtin_memcpy(&other, slots[__builtin_ctz(lanes)], sizeof(T));
    result = first ? other : fold(result, other);
  }
  return result;
}
}  // namespace __fastgpu

template <class T>
static inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const int lane = __fastgpu::lane();
  return __fastgpu::from_lane(mask, value, (lane & ~(width - 1)) | (source & (width - 1)));
}
template <class T>
static inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned lane = __fastgpu::lane(), inside = lane & (width - 1);
  return __fastgpu::from_lane(mask, value, inside + delta >= (unsigned)width ? lane : lane + delta);
}
template <class T>
static inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned lane = __fastgpu::lane(), inside = lane & (width - 1);
  return __fastgpu::from_lane(mask, value, inside < delta ? lane : lane - delta);
}
template <class T>
static inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  const int lane = __fastgpu::lane(), other = (lane ^ bits) & 31, segment = ~(width - 1);
  return __fastgpu::from_lane(mask, value, (other & segment) > (lane & segment) ? lane : other);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate) {
  unsigned lanes, result = 0;
  const unsigned long long bit = predicate != 0;
  const auto* slots = fastgpu_context.runtime->share_in_warp(mask, &bit, 8, &lanes);
  for (; lanes; lanes &= lanes - 1) {
    const unsigned lane = __builtin_ctz(lanes);
    result |= (unsigned)slots[lane][0] << lane;
  }
  return result;
}
static inline int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
static inline int __all_sync(unsigned mask, int p) { return __ballot_sync(mask, !p) == 0; }
// Without lock-step nobody knows who else is active; the lane itself always is.
static inline unsigned __activemask() { return 1u << __fastgpu::lane(); }

template <class T>
static inline unsigned __match_any_sync(unsigned mask, T value) {
  unsigned lanes, result = 0;
  const auto* slots =
      fastgpu_context.runtime->share_in_warp(mask, &value, sizeof(T), &lanes);
  for (; lanes; lanes &= lanes - 1) {
    const unsigned lane = __builtin_ctz(lanes);
    if (!__builtin_memcmp(slots[lane], &value, sizeof(T))) result |= 1u << lane;
  }
  return result;
}
template <class T>
static inline unsigned __match_all_sync(unsigned mask, T value, int* all_equal) {
  unsigned lanes, equal = 1, result = 0;
  const auto* slots =
      fastgpu_context.runtime->share_in_warp(mask, &value, sizeof(T), &lanes);
  for (unsigned rest = lanes; rest; rest &= rest - 1)
    equal &= !__builtin_memcmp(slots[__builtin_ctz(rest)], &value, sizeof(T));
  result = equal ? lanes : 0;
  *all_equal = equal;
  return result;
}
#define __FASTGPU_REDUCE(NAME, T, EXPRESSION)                                        \
  static inline T __reduce_##NAME##_sync(unsigned mask, T value) {                   \
    return __fastgpu::fold_in_warp(mask, value, [](T a, T b) -> T { return EXPRESSION; }); \
  }
__FASTGPU_REDUCE(add, unsigned, a + b)
__FASTGPU_REDUCE(add, int, (int)((unsigned)a + (unsigned)b))
__FASTGPU_REDUCE(min, unsigned, a < b ? a : b)
__FASTGPU_REDUCE(min, int, a < b ? a : b)
__FASTGPU_REDUCE(max, unsigned, a > b ? a : b)
__FASTGPU_REDUCE(max, int, a > b ? a : b)
__FASTGPU_REDUCE(and, unsigned, a& b)
__FASTGPU_REDUCE(or, unsigned, a | b)
__FASTGPU_REDUCE(xor, unsigned, a ^ b)

template <class... A>
static inline int __fastgpu_print(const char* format, A... arguments) {
  return fastgpu_context.runtime->print(format, arguments...);
}
#define printf(...) __fastgpu_print(__VA_ARGS__)
#define assert(condition)                                                            \
  ((condition) ? (void)0                                                             \
               : fastgpu_context.runtime->fail("assertion failed: " #condition, __FILE__, __LINE__))
static inline void __trap() { fastgpu_context.runtime->fail("__trap() was called", nullptr, 0); }
static inline void __brkpt() { __trap(); }
