// Half precision by way of float: right to the last bit of a half, not fast.
#pragma once
#ifdef __clang__
typedef __fp16 __fastgpu_half;
#else
typedef _Float16 __fastgpu_half;
#endif
struct __half {
  unsigned short bits;
  __half() = default;
  __half(float value) {
    const __fastgpu_half half = (__fastgpu_half)value;
    __builtin_memcpy(&bits, &half, 2);
  }
  operator float() const {
    __fastgpu_half half;
    __builtin_memcpy(&half, &bits, 2);
    return (float)half;
  }
  __half& operator+=(__half other) { return *this = (float)*this + (float)other; }
  __half& operator-=(__half other) { return *this = (float)*this - (float)other; }
  __half& operator*=(__half other) { return *this = (float)*this * (float)other; }
  __half& operator/=(__half other) { return *this = (float)*this / (float)other; }
};
typedef __half half;
struct alignas(4) __half2 {
  __half x, y;
};
typedef __half2 half2;
static inline __half __float2half(float x) { return x; }
static inline __half __float2half_rn(float x) { return x; }
static inline float __half2float(__half x) { return x; }
static inline __half __hadd(__half a, __half b) { return (float)a + (float)b; }
static inline __half __hsub(__half a, __half b) { return (float)a - (float)b; }
static inline __half __hmul(__half a, __half b) { return (float)a * (float)b; }
static inline __half __hdiv(__half a, __half b) { return (float)a / (float)b; }
static inline __half __hfma(__half a, __half b, __half c) {
  return __builtin_fmaf((float)a, (float)b, (float)c);
}
static inline bool __hlt(__half a, __half b) { return (float)a < (float)b; }
static inline bool __hgt(__half a, __half b) { return (float)a > (float)b; }
static inline bool __heq(__half a, __half b) { return (float)a == (float)b; }
static inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
static inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
static inline float __low2float(__half2 v) { return v.x; }
static inline float __high2float(__half2 v) { return v.y; }
static inline float2 __half22float2(__half2 v) { return {(float)v.x, (float)v.y}; }
