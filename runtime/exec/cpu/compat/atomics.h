// Atomic operations. Relaxed, as on a GPU; floating-point ones are compare-and-swap loops.
#define __FASTGPU_FETCH(NAME, BUILTIN)                                  \
  template <class T>                                                    \
  static inline T atomic##NAME(T* at, __fastgpu::same_t<T> value) {     \
    return BUILTIN(at, value, __ATOMIC_RELAXED);                        \
  }                                                                     \
  template <class T>                                                    \
  static inline T atomic##NAME##_block(T* at, __fastgpu::same_t<T> v) { \
    return atomic##NAME(at, v);                                         \
  }                                                                     \
  template <class T>                                                    \
  static inline T atomic##NAME##_system(T* at, __fastgpu::same_t<T> v) { \
    return atomic##NAME(at, v);                                         \
  }

namespace __fastgpu {
template <class T, class Change>
static inline T update(T* at, Change change) {
  T old, next;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do
    next = change(old);
  while (!__atomic_compare_exchange(at, &old, &next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T>
static inline T add(T* at, T value, int) {
  if constexpr (is_integer<T>())
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
  else
    return update(at, [=](T old) -> T { return old + value; });
}
template <class T>
static inline T exchange(T* at, T value, int) {
  T old;
  __atomic_exchange(at, &value, &old, __ATOMIC_RELAXED);
  return old;
}
template <class T>
static inline T least(T* at, T value, int) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (value < old &&
         !__atomic_compare_exchange_n(at, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
template <class T>
static inline T greatest(T* at, T value, int) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (old < value &&
         !__atomic_compare_exchange_n(at, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
}  // namespace __fastgpu

__FASTGPU_FETCH(Add, __fastgpu::add)
__FASTGPU_FETCH(Sub, __atomic_fetch_sub)
__FASTGPU_FETCH(And, __atomic_fetch_and)
__FASTGPU_FETCH(Or, __atomic_fetch_or)
__FASTGPU_FETCH(Xor, __atomic_fetch_xor)
__FASTGPU_FETCH(Exch, __fastgpu::exchange)
__FASTGPU_FETCH(Min, __fastgpu::least)
__FASTGPU_FETCH(Max, __fastgpu::greatest)

template <class T>
static inline T atomicCAS(T* at, __fastgpu::same_t<T> expected, __fastgpu::same_t<T> desired) {
  __atomic_compare_exchange(at, &expected, &desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
static inline unsigned atomicInc(unsigned* at, unsigned limit) {
  return __fastgpu::update(at, [=](unsigned old) { return old >= limit ? 0 : old + 1; });
}
static inline unsigned atomicDec(unsigned* at, unsigned limit) {
  return __fastgpu::update(
      at, [=](unsigned old) { return old == 0 || old > limit ? limit : old - 1; });
}
