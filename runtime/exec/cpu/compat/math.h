// Mathematics and bit functions. The plain names are those of the C library, with overloads for
// float and for integers; the fast ones are no faster here, and more exact.
#define __FASTGPU_MATH1(NAME)                                             \
  extern "C" double NAME(double) noexcept;                                \
  extern "C" float NAME##f(float) noexcept;                               \
  static inline float NAME(float x) { return NAME##f(x); }                \
  template <class T>                                                      \
  static inline typename __fastgpu::only_if<__fastgpu::is_integer<T>(), double>::type NAME(T x) { \
    return NAME((double)x);                                               \
  }
#define __FASTGPU_MATH2(NAME)                                             \
  extern "C" double NAME(double, double) noexcept;                        \
  extern "C" float NAME##f(float, float) noexcept;                        \
  static inline float NAME(float x, float y) { return NAME##f(x, y); }    \
  template <class A, class B>                                             \
  static inline typename __fastgpu::only_if<!__is_same(A, B), double>::type NAME(A x, B y) { \
    return NAME((double)x, (double)y);                                    \
  }                                                                       \
  template <class T>                                                      \
  static inline typename __fastgpu::only_if<__fastgpu::is_integer<T>(), double>::type NAME(T x, T y) { \
    return NAME((double)x, (double)y);                                    \
  }
__FASTGPU_MATH1(sqrt)
__FASTGPU_MATH1(cbrt)
__FASTGPU_MATH1(exp)
__FASTGPU_MATH1(exp2)
__FASTGPU_MATH1(expm1)
__FASTGPU_MATH1(log)
__FASTGPU_MATH1(log2)
__FASTGPU_MATH1(log10)
__FASTGPU_MATH1(log1p)
__FASTGPU_MATH1(sin)
__FASTGPU_MATH1(cos)
__FASTGPU_MATH1(tan)
__FASTGPU_MATH1(asin)
__FASTGPU_MATH1(acos)
__FASTGPU_MATH1(atan)
__FASTGPU_MATH1(sinh)
__FASTGPU_MATH1(cosh)
__FASTGPU_MATH1(tanh)
__FASTGPU_MATH1(asinh)
__FASTGPU_MATH1(acosh)
__FASTGPU_MATH1(atanh)
__FASTGPU_MATH1(erf)
__FASTGPU_MATH1(erfc)
__FASTGPU_MATH1(tgamma)
__FASTGPU_MATH1(lgamma)
__FASTGPU_MATH1(floor)
__FASTGPU_MATH1(ceil)
__FASTGPU_MATH1(trunc)
__FASTGPU_MATH1(round)
__FASTGPU_MATH1(rint)
__FASTGPU_MATH1(nearbyint)
__FASTGPU_MATH1(fabs)
__FASTGPU_MATH2(pow)
__FASTGPU_MATH2(fmod)
__FASTGPU_MATH2(fmin)
__FASTGPU_MATH2(fmax)
__FASTGPU_MATH2(fdim)
__FASTGPU_MATH2(atan2)
__FASTGPU_MATH2(hypot)
__FASTGPU_MATH2(copysign)
__FASTGPU_MATH2(nextafter)
__FASTGPU_MATH2(remainder)

extern "C" double fma(double, double, double) noexcept;
extern "C" float fmaf(float, float, float) noexcept;
static inline float fma(float x, float y, float z) { return fmaf(x, y, z); }
extern "C" double ldexp(double, int) noexcept;
extern "C" float ldexpf(float, int) noexcept;
static inline float ldexp(float x, int n) { return ldexpf(x, n); }
extern "C" double frexp(double, int*) noexcept;
extern "C" float frexpf(float, int*) noexcept;
extern "C" double modf(double, double*) noexcept;
extern "C" float modff(float, float*) noexcept;
extern "C" void sincos(double, double*, double*) noexcept;
extern "C" void sincosf(float, float*, float*) noexcept;
extern "C" long lrint(double) noexcept;
extern "C" long lrintf(float) noexcept;
extern "C" long long llrint(double) noexcept;

extern "C" int abs(int) noexcept;
extern "C" long labs(long) noexcept;
extern "C" long long llabs(long long) noexcept;
static inline long abs(long x) { return x < 0 ? -x : x; }
static inline long long abs(long long x) { return x < 0 ? -x : x; }
static inline float abs(float x) { return __builtin_fabsf(x); }
static inline double abs(double x) { return __builtin_fabs(x); }

static inline float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
static inline double rsqrt(double x) { return 1.0 / __builtin_sqrt(x); }
static inline float rsqrt(float x) { return rsqrtf(x); }
static inline float rcbrtf(float x) { return 1.0f / __builtin_cbrtf(x); }
static inline float exp10f(float x) { return __builtin_powf(10.0f, x); }
static inline double exp10(double x) { return __builtin_pow(10.0, x); }
static inline float sinpif(float x) { return __builtin_sin(3.14159265358979323846 * x); }
static inline float cospif(float x) { return __builtin_cos(3.14159265358979323846 * x); }
static inline float normcdff(float x) { return 0.5f * erfcf(x * -0.70710678118654752f); }
static inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }
static inline float __expf(float x) { return expf(x); }
static inline float __exp10f(float x) { return exp10f(x); }
static inline float __logf(float x) { return logf(x); }
static inline float __log2f(float x) { return log2f(x); }
static inline float __log10f(float x) { return log10f(x); }
static inline float __sinf(float x) { return sinf(x); }
static inline float __cosf(float x) { return cosf(x); }
static inline float __tanf(float x) { return tanf(x); }
static inline float __powf(float x, float y) { return powf(x, y); }
static inline float __fdividef(float x, float y) { return x / y; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __fadd_rn(float x, float y) { return x + y; }
static inline float __fmul_rn(float x, float y) { return x * y; }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
static inline float __frcp_rn(float x) { return 1.0f / x; }
static inline float __frsqrt_rn(float x) { return rsqrtf(x); }

// CUDA has these as functions, for any mix of types. The common type is that of the addition, as
// for the built-in operators; never a reference.
namespace __fastgpu {
template <class A, class B>
using sum_t = typename plain<decltype(A() + B())>::type;
template <class T>
constexpr bool is_number() {
  return is_integer<T>() || is_floating<T>();
}
}  // namespace __fastgpu
#define __FASTGPU_PICK(NAME, RELATION)                                                            \
  template <class A, class B>                                                                     \
  static inline typename __fastgpu::only_if<__fastgpu::is_number<A>() && __fastgpu::is_number<B>(), \
                                            __fastgpu::sum_t<A, B>>::type                         \
  NAME(A a, B b) {                                                                                \
    const __fastgpu::sum_t<A, B> x = a, y = b;                                                    \
    return x RELATION y ? x : y;                                                                  \
  }
__FASTGPU_PICK(min, <)
__FASTGPU_PICK(max, >)

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __ffsll(long long x) { return __builtin_ffsll(x); }
static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  const unsigned long long both = (unsigned long long)b << 32 | a;
  unsigned result = 0;
  for (unsigned i = 0; i < 4; ++i)
    result |= (unsigned)(both >> 8 * (selector >> 4 * i & 7) & 0xff) << 8 * i;
  return result;
}
static inline unsigned __brev(unsigned x) {
  x = (x & 0x55555555u) << 1 | (x >> 1 & 0x55555555u);
  x = (x & 0x33333333u) << 2 | (x >> 2 & 0x33333333u);
  x = (x & 0x0f0f0f0fu) << 4 | (x >> 4 & 0x0f0f0f0fu);
  return __builtin_bswap32(x);
}
static inline unsigned long long __brevll(unsigned long long x) {
  return (unsigned long long)__brev((unsigned)x) << 32 | __brev((unsigned)(x >> 32));
}
static inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
static inline unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)((unsigned long long)a * b >> 32);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
static inline int __mul24(int a, int b) { return (a << 8 >> 8) * (b << 8 >> 8); }
static inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)((((unsigned long long)high << 32 | low) << (shift & 31)) >> 32);
}
static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (shift & 31));
}
#define __FASTGPU_BITS(NAME, TO, FROM)          \
  static inline TO NAME(FROM value) {           \
    TO result;                                  \
    __builtin_memcpy(&result, &value, sizeof result); \
    return result;                              \
  }
__FASTGPU_BITS(__float_as_int, int, float)
__FASTGPU_BITS(__float_as_uint, unsigned, float)
__FASTGPU_BITS(__int_as_float, float, int)
__FASTGPU_BITS(__uint_as_float, float, unsigned)
__FASTGPU_BITS(__double_as_longlong, long long, double)
__FASTGPU_BITS(__longlong_as_double, double, long long)
static inline int __float2int_rn(float x) { return (int)lrintf(x); }
static inline int __float2int_rz(float x) { return (int)x; }
static inline int __float2int_rd(float x) { return (int)floorf(x); }
static inline int __float2int_ru(float x) { return (int)ceilf(x); }
static inline unsigned __float2uint_rz(float x) { return (unsigned)x; }
static inline float __int2float_rn(int x) { return (float)x; }
static inline float __uint2float_rn(unsigned x) { return (float)x; }
static inline float __double2float_rn(double x) { return (float)x; }

template <class T>
static inline bool isnan(T x) { return __builtin_isnan(x); }
template <class T>
static inline bool isinf(T x) { return __builtin_isinf(x); }
template <class T>
static inline bool isfinite(T x) { return __builtin_isfinite(x); }
template <class T>
static inline bool signbit(T x) { return __builtin_signbit(x); }
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
extern "C" void* memcpy(void*, const void*, size_t) noexcept;
extern "C" void* memset(void*, int, size_t) noexcept;
extern "C" void* memmove(void*, const void*, size_t) noexcept;
extern "C" int memcmp(const void*, const void*, size_t) noexcept;
template <class T>
static inline T __ldg(const T* at) { return *at; }
template <class T>
static inline T __ldcg(const T* at) { return *at; }
template <class T>
static inline T __ldcs(const T* at) { return *at; }
template <class T>
static inline void __stcs(T* at, __fastgpu::same_t<T> value) { *at = value; }
