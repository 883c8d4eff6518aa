// The float32 multiply-add peak, and the clock.
#include "CTritKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f"))) static void fma512(size_t rounds) {
  __m512 acc[16], a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1.0f);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) acc[i] = _mm512_set1_ps((float)i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      acc[i] = _mm512_fmadd_ps(acc[i], a, b);
      __asm__ volatile("" : "+v"(acc[i]));
    }
  }
}

__attribute__((target("avx2,fma"))) static void fma256(size_t rounds) {
  __m256 acc[12], a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1.0f);
#pragma clang loop unroll(full)
  for (int i = 0; i < 12; i++) acc[i] = _mm256_set1_ps((float)i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) {
      acc[i] = _mm256_fmadd_ps(acc[i], a, b);
      __asm__ volatile("" : "+x"(acc[i]));
    }
  }
}

static const tk_peak_leaf leaves[] = {
    {"avx512", "vfmadd231ps zmm", TK_CPU_AVX512, 16 * 16, fma512},
    {"avx2", "vfmadd231ps ymm", TK_CPU_AVX2, 12 * 8, fma256},
};

#elif defined(__aarch64__)
#include <arm_neon.h>

static void fma128(size_t rounds) {
  float32x4_t acc[16], a = vdupq_n_f32(0.5f), b = vdupq_n_f32(1.0f);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) acc[i] = vdupq_n_f32((float)i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      acc[i] = vfmaq_f32(b, acc[i], a);
      __asm__ volatile("" : "+w"(acc[i]));
    }
  }
}

static const tk_peak_leaf leaves[] = {{"neon", "fmla", TK_CPU_NEON, 16 * 4, fma128}};
#endif

const tk_peak_leaf *tk_peak_float(size_t *count) {
#if defined(__x86_64__) || defined(__aarch64__)
  *count = sizeof leaves / sizeof *leaves;
  return leaves;
#else
  *count = 0;
  return 0;
#endif
}

void tk_peak_chain(size_t rounds) {
  uint64_t x = rounds;
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      // An addition of a register: CPUs fold additions of small constants at rename.
      x += rounds;
      __asm__ volatile("" : "+r"(x));
    }
  }
}
