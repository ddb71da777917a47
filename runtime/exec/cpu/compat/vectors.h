// Built-in vector types with CUDA's sizes and alignments.
#define __FASTGPU_VECTORS(T, NAME)                                                    \
  struct NAME##1 {                                                                    \
    T x;                                                                              \
  };                                                                                  \
  struct alignas(2 * sizeof(T)) NAME##2 {                                             \
    T x, y;                                                                           \
  };                                                                                  \
  struct NAME##3 {                                                                    \
    T x, y, z;                                                                        \
  };                                                                                  \
  struct alignas(4 * sizeof(T) > 16 ? 16 : 4 * sizeof(T)) NAME##4 {                   \
    T x, y, z, w;                                                                     \
  };                                                                                  \
  static inline NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; }           \
  static inline NAME##1 make_##NAME##1(T x) { return {x}; }                           \
  static inline NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }                   \
  static inline NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

// uint3 is part of the agreement with the device process; the macro must not define it again.
#define uint3 __fastgpu_uint3
#define make_uint3 __fastgpu_make_uint3
__FASTGPU_VECTORS(unsigned int, uint)
#undef uint3
#undef make_uint3
static inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
__FASTGPU_VECTORS(signed char, char)
__FASTGPU_VECTORS(unsigned char, uchar)
__FASTGPU_VECTORS(short, short)
__FASTGPU_VECTORS(unsigned short, ushort)
__FASTGPU_VECTORS(int, int)
__FASTGPU_VECTORS(long, long)
__FASTGPU_VECTORS(unsigned long, ulong)
__FASTGPU_VECTORS(long long, longlong)
__FASTGPU_VECTORS(unsigned long long, ulonglong)
__FASTGPU_VECTORS(float, float)
__FASTGPU_VECTORS(double, double)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
