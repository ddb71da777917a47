// Textures and surfaces are a GPU's own: a source that uses them is refused with that reason, which
// the compiler says when one of these is instantiated.
namespace __fastgpu {
template <class T>
constexpr bool gpu_only = sizeof(T) == 0;
}  // namespace __fastgpu
enum cudaTextureReadMode { cudaReadModeElementType, cudaReadModeNormalizedFloat };
enum { cudaTextureType1D = 1, cudaTextureType2D, cudaTextureType3D };
typedef unsigned long long cudaTextureObject_t;
typedef unsigned long long cudaSurfaceObject_t;
template <class T, int Dimensions = 1, int Mode = 0>
struct texture {
  static_assert(__fastgpu::gpu_only<T>, "a texture is not supported on the CPU device");
};
template <class T, int Dimensions = 1>
struct surface {
  static_assert(__fastgpu::gpu_only<T>, "a surface is not supported on the CPU device");
};
#define __FASTGPU_GPU_ONLY(NAME)                                                                \
  template <class T = float, class... A>                                                        \
  static inline T NAME(A...) {                                                                  \
    static_assert(__fastgpu::gpu_only<T>, #NAME " reads or writes a texture or surface, which " \
                                          "is not supported on the CPU device");                \
  }
__FASTGPU_GPU_ONLY(tex1Dfetch)
__FASTGPU_GPU_ONLY(tex1D)
__FASTGPU_GPU_ONLY(tex2D)
__FASTGPU_GPU_ONLY(tex3D)
__FASTGPU_GPU_ONLY(tex1DLayered)
__FASTGPU_GPU_ONLY(tex2DLayered)
__FASTGPU_GPU_ONLY(surf1Dread)
__FASTGPU_GPU_ONLY(surf2Dread)
__FASTGPU_GPU_ONLY(surf1Dwrite)
__FASTGPU_GPU_ONLY(surf2Dwrite)
