// From a name expression to the descriptor that the device process looks up. The device process
// appends one line with FASTGPU_KERNEL after the user's text.
namespace __fastgpu {
template <class T>
static inline T* dynamic_shared() {
  return (T*)__builtin_assume_aligned(fastgpu_context.dynamic_shared, 128);
}
template <class T>
constexpr unsigned char parameter_kind() {
  typedef typename plain<T>::type P;
  return is_pointer<P>::value                 ? fastgpu_pointer
         : is_floating<P>()                   ? fastgpu_floating
         : is_integer<P>() || __is_enum(P)    ? fastgpu_integer
                                              : fastgpu_other;
}
template <unsigned... I>
struct numbers {};
template <unsigned N, unsigned... I>
struct count : count<N - 1, N - 1, I...> {};
template <unsigned... I>
struct count<0, I...> {
  typedef numbers<I...> type;
};

template <class Function>
struct entry;
template <class... P>
struct entry<void (*)(P...)> {
  static constexpr unsigned size = sizeof...(P);
  static constexpr unsigned bytes[size + 1] = {(unsigned)sizeof(P)..., 0};
  static constexpr unsigned char kinds[size + 1] = {parameter_kind<P>()..., 0};
  typedef typename count<size>::type indices;

  template <void (*Kernel)(P...), unsigned... I>
  __attribute__((always_inline)) static inline void thread(void** arguments, numbers<I...>) {
    Kernel(*(typename plain<P>::type*)arguments[I]...);
  }
#ifdef __FASTGPU_LOOP
  // The threads of a block that reach no barrier are unordered, so the compiler may treat the loop
  // over x as free of dependences: what that could break is a race in the kernel already.
  template <void (*Kernel)(P...)>
  __attribute__((always_inline)) static inline void grid(unsigned long first, unsigned long last,
                                                         const FastgpuContext* c, P... p) {
    const unsigned nx = c->block_size.x, ny = c->block_size.y, nz = c->block_size.z;
    const unsigned gx = c->grid_size.x, gy = c->grid_size.y;
    // The launcher has checked these; with them the compiler proves that indices do not wrap.
    if (nx - 1 > 1023 || ny - 1 > 1023 || nz - 1 > 63) __builtin_unreachable();
    blockDim = {nx, ny, nz};
    gridDim = c->grid_size;
    unsigned x = first % gx, y = first / gx % gy, z = first / gx / gy;
    for (unsigned long block = first; block < last; ++block) {
      blockIdx = {x, y, z};
      if (x * nx > 0x7fffffffu - 1024u) __builtin_unreachable();
      for (unsigned tz = 0; tz < nz; ++tz) {
        threadIdx.z = tz;
        for (unsigned ty = 0; ty < ny; ++ty) {
          threadIdx.y = ty;
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
          for (unsigned tx = 0; tx < nx; ++tx) {
            threadIdx.x = tx;
            Kernel(p...);
          }
        }
      }
      if (++x == gx) {
        x = 0;
        if (++y == gy) {
          y = 0;
          ++z;
        }
      }
    }
  }
  template <void (*Kernel)(P...), unsigned... I>
  __attribute__((always_inline)) static inline void blocks(unsigned long first, unsigned long last,
                                                           const FastgpuContext* context,
                                                           void** arguments, numbers<I...>) {
    grid<Kernel>(first, last, context, *(typename plain<P>::type*)arguments[I]...);
  }
#endif
};
}  // namespace __fastgpu

#ifdef __FASTGPU_LOOP
#define __FASTGPU_RUN(...)                                                                   \
  __attribute__((flatten)) static void __fastgpu_run(unsigned long first, unsigned long last, \
                                                     const FastgpuContext* context,          \
                                                     void** arguments) {                     \
    typedef __fastgpu::entry<decltype(&__VA_ARGS__)> entry;                                  \
    entry::blocks<&__VA_ARGS__>(first, last, context, arguments, entry::indices{});          \
  }
#define __FASTGPU_RUNS nullptr, __fastgpu_run
#else
#define __FASTGPU_RUN(...)                                                       \
  __attribute__((flatten)) static void __fastgpu_run(void** arguments) {         \
    typedef __fastgpu::entry<decltype(&__VA_ARGS__)> entry;                      \
    entry::thread<&__VA_ARGS__>(arguments, entry::indices{});                    \
  }
#define __FASTGPU_RUNS __fastgpu_run, nullptr
#endif
#define FASTGPU_KERNEL(STORAGE, ...)                                                          \
  __FASTGPU_RUN(__VA_ARGS__)                                                                  \
  extern "C" {                                                                                \
  __attribute__((visibility("default"))) extern const FastgpuKernel fastgpu_kernel = {        \
      FASTGPU_ABI_VERSION,                                                                    \
      __fastgpu::entry<decltype(&__VA_ARGS__)>::size,                                         \
      __fastgpu::entry<decltype(&__VA_ARGS__)>::bytes,                                        \
      __fastgpu::entry<decltype(&__VA_ARGS__)>::kinds,                                        \
      __FASTGPU_RUNS,                                                                         \
      STORAGE};                                                                               \
  }
