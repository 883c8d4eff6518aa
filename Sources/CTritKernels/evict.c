// Throwing memory out of all caches, so that the next reading comes from where a large model's
// would.
#include "CTritKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

int tk_evict(const void *memory, size_t bytes) {
  const char *line = (const char *)((uintptr_t)memory & ~(uintptr_t)63);
  const char *end = (const char *)memory + bytes;
#if defined(__x86_64__)
  for (; line < end; line += 64) _mm_clflush(line);
  _mm_mfence();
  return 1;
#elif defined(__aarch64__) && defined(__linux__)
  for (; line < end; line += 64) __asm__ volatile("dc civac, %0" ::"r"(line) : "memory");
  __asm__ volatile("dsb sy" ::: "memory");
  return 1;
#else
  (void)line;
  (void)end;
  return 0;
#endif
}
