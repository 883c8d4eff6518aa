#include "CTritKernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMDDP
#define HWCAP_ASIMDDP (1 << 20)
#endif
#ifndef HWCAP2_I8MM
#define HWCAP2_I8MM (1 << 13)
#endif
#endif

uint32_t tk_cpu_features(void) {
  uint32_t features = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) features |= TK_CPU_AVX2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    features |= TK_CPU_AVX512;
    if (__builtin_cpu_supports("avx512vnni")) features |= TK_CPU_AVX512_VNNI;
    if (__builtin_cpu_supports("avx512vbmi")) features |= TK_CPU_AVX512_VBMI;
    if (__builtin_cpu_supports("avx512bf16")) features |= TK_CPU_AVX512_BF16;
  }
  if ((features & TK_CPU_AVX2) && __builtin_cpu_supports("avxvnni")) features |= TK_CPU_AVX_VNNI;
#elif defined(__aarch64__)
  features |= TK_CPU_NEON;
#if defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) features |= TK_CPU_NEON_DOTPROD;
  if (getauxval(AT_HWCAP2) & HWCAP2_I8MM) features |= TK_CPU_NEON_I8MM;
#else
  features |= TK_CPU_NEON_DOTPROD;
#endif
#endif
  return features;
}
