#include "runtime/exec/cuda/shims.hpp"

namespace fastgpu::exec {
namespace {

// The widths are written as NVIDIA's own <cuda/std/cstdint> does: both may be included.
constexpr const char* prelude = R"(#pragma once
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef int64_t intptr_t;
typedef uint64_t uintptr_t;
typedef int64_t intmax_t;
typedef uint64_t uintmax_t;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
)";

constexpr const char* stdint = R"(#pragma once
#define INT8_MAX 127
#define INT16_MAX 32767
#define INT32_MAX 2147483647
#define INT64_MAX 9223372036854775807ll
#define INT8_MIN (-INT8_MAX - 1)
#define INT16_MIN (-INT16_MAX - 1)
#define INT32_MIN (-INT32_MAX - 1)
#define INT64_MIN (-INT64_MAX - 1)
#define UINT8_MAX 255
#define UINT16_MAX 65535
#define UINT32_MAX 4294967295u
#define UINT64_MAX 18446744073709551615ull
#define SIZE_MAX 18446744073709551615ul
)";

constexpr const char* cstdint = R"(#pragma once
#include "stdint.h"
namespace std {
using ::int8_t;
using ::int16_t;
using ::int32_t;
using ::int64_t;
using ::uint8_t;
using ::uint16_t;
using ::uint32_t;
using ::uint64_t;
using ::intptr_t;
using ::uintptr_t;
using ::intmax_t;
using ::uintmax_t;
}
)";

constexpr const char* math = R"(#pragma once
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_E 2.7182818284590452354
#define M_SQRT2 1.41421356237309504880
#define M_LN2 0.69314718055994530942
#define HUGE_VALF __int_as_float(0x7f800000)
#define HUGE_VAL __longlong_as_double(0x7ff0000000000000ll)
)";

constexpr const char* cmath = R"(#pragma once
#include "math.h"
namespace std {
using ::sqrt; using ::cbrt; using ::exp; using ::exp2; using ::expm1; using ::log; using ::log2;
using ::log10; using ::log1p; using ::sin; using ::cos; using ::tan; using ::asin; using ::acos;
using ::atan; using ::sinh; using ::cosh; using ::tanh; using ::asinh; using ::acosh; using ::atanh;
using ::erf; using ::erfc; using ::tgamma; using ::lgamma; using ::floor; using ::ceil;
using ::trunc; using ::round; using ::rint; using ::nearbyint; using ::fabs; using ::pow;
using ::fmod; using ::fmin; using ::fmax; using ::fdim; using ::atan2; using ::hypot;
using ::copysign; using ::nextafter; using ::remainder; using ::fma; using ::ldexp; using ::frexp;
using ::modf; using ::abs; using ::isnan; using ::isinf; using ::isfinite; using ::signbit;
using ::sqrtf; using ::expf; using ::logf; using ::sinf; using ::cosf; using ::powf; using ::fabsf;
using ::fmaf; using ::floorf; using ::ceilf; using ::tanhf;
}
)";

constexpr const char* cstdlib = R"(#pragma once
namespace std {
using ::abs; using ::labs; using ::llabs; using ::size_t;
}
)";

constexpr const char* cstring = R"(#pragma once
namespace std {
using ::memcpy; using ::memset; using ::size_t;
}
)";

constexpr const char* cstdio = R"(#pragma once
namespace std {
using ::printf;
}
)";

constexpr const char* math_constants = R"(#pragma once
#define CUDART_INF_F __int_as_float(0x7f800000)
#define CUDART_NAN_F __int_as_float(0x7fffffff)
#define CUDART_INF __longlong_as_double(0x7ff0000000000000ll)
#define CUDART_NAN __longlong_as_double(0xfff8000000000000ull)
#define CUDART_PI_F 3.141592654f
#define CUDART_PI 3.1415926535897931e+0
#define CUDART_PIO2_F 1.570796327f
#define CUDART_SQRT_TWO_F 1.414213562f
#define CUDART_MAX_NORMAL_F 3.402823466e38f
)";

constexpr const char* empty = "#pragma once\n";

constexpr HeaderShim shims[] = {{"fastgpu_gpu.h", prelude},
                                {"stdint.h", stdint},
                                {"cstdint", cstdint},
                                {"math.h", math},
                                {"cmath", cmath},
                                {"cstdlib", cstdlib},
                                {"cstring", cstring},
                                {"cstdio", cstdio},
                                {"math_constants.h", math_constants},
                                {"assert.h", empty},
                                {"cassert", empty},
                                {"stdio.h", empty},
                                {"stdlib.h", empty},
                                {"string.h", empty},
                                {"cuda.h", empty},
                                {"cuda_runtime.h", empty},
                                {"cuda_runtime_api.h", empty},
                                {"device_launch_parameters.h", empty},
                                {"device_functions.h", empty},
                                {"math_functions.h", empty},
                                {"vector_functions.h", empty},
                                {"vector_types.h", empty}};

}  // namespace

std::span<const HeaderShim> header_shims() {
  return shims;
}

}  // namespace fastgpu::exec
