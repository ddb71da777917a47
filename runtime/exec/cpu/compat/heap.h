// Memory that device code takes by itself, from the launch's own small heap. The compiler's own
// declarations make these operators visible to all; the kernel is linked so that it uses its own.
extern "C" {
inline void* malloc(size_t bytes) { return fastgpu_context.runtime->allocate(bytes); }
inline void free(void* memory) { fastgpu_context.runtime->release(memory); }
}
void* operator new(size_t bytes) { return malloc(bytes); }
void* operator new[](size_t bytes) { return malloc(bytes); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept {
  free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  free(memory);
}
inline void* operator new(size_t, void* place) noexcept { return place; }
inline void* operator new[](size_t, void* place) noexcept { return place; }
