// The words of CUDA C++ as the host compiler may read them.
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __INT8_TYPE__ int8_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __INT16_TYPE__ int16_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;

#define __FASTGPU_CPU__ 1
#define __CUDACC__ 1
#define __global__
#define __host__
#define __device__
#define __constant__ static
#define __managed__ static
#define __shared__ static thread_local
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __maxnreg__(...)
#define __grid_constant__
#define __align__(bytes) alignas(bytes)
#define __builtin_align__(bytes) alignas(bytes)
// The rewriter puts this in place of asm; the message is what the user reads.
#define __fastgpu_inline_ptx \
  static_assert(false, "inline PTX is not supported on the CPU device"); \
  __asm__
// And this in place of <<<.
#define __fastgpu_launch_in_source                                                          \
  static_assert(false, "a kernel launch in the source (<<<...>>>) is not supported on the " \
                       "CPU device: the job names the kernel, and kernels launch no others")

namespace __fastgpu {
template <class T>
struct same {
  typedef T type;
};
template <class T>
using same_t = typename same<T>::type;
template <bool B, class T = void>
struct only_if {};
template <class T>
struct only_if<true, T> {
  typedef T type;
};
template <class T>
struct plain {
  typedef T type;
};
template <class T>
struct plain<const T> {
  typedef T type;
};
template <class T>
struct plain<volatile T> {
  typedef T type;
};
template <class T>
struct plain<const volatile T> {
  typedef T type;
};
template <class T>
struct is_pointer {
  static constexpr bool value = false;
};
template <class T>
struct is_pointer<T*> {
  static constexpr bool value = true;
};
template <class T>
constexpr bool is_floating() {
  return __is_same(T, float) || __is_same(T, double) || __is_same(T, long double);
}
template <class T>
constexpr bool is_integer() {
  return __is_same(T, bool) || __is_same(T, char) || __is_same(T, signed char) ||
         __is_same(T, unsigned char) || __is_same(T, short) || __is_same(T, unsigned short) ||
         __is_same(T, int) || __is_same(T, unsigned) || __is_same(T, long) ||
         __is_same(T, unsigned long) || __is_same(T, long long) ||
         __is_same(T, unsigned long long) || __is_same(T, char16_t) || __is_same(T, char32_t) ||
         __is_same(T, wchar_t);
}
}  // namespace __fastgpu
