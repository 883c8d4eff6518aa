// The int8 multiply-add peak: 16 independent accumulators, enough for 2 instructions a cycle of
// latency 5 (latency 4 and 2 a cycle on Zen 5: 8 would do).
#include "CTritKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TK_CHAINS 16
/// Keeps a register opaque: the compiler may not know its value from one round to the next.
#define TK_OPAQUE(r) __asm__ volatile("" : "+v"(r))

__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))) static void vnni512(
    size_t rounds) {
  __m512i acc[TK_CHAINS], a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(-1);
#pragma clang loop unroll(full)
  for (int i = 0; i < TK_CHAINS; i++) acc[i] = _mm512_set1_epi32(i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < TK_CHAINS; i++) {
      acc[i] = _mm512_dpbusd_epi32(acc[i], a, b);
      TK_OPAQUE(acc[i]);
    }
  }
}

__attribute__((target("avx2,avxvnni"))) static void vnni256(size_t rounds) {
  // 12 accumulators: with the two factors they fit the 16 registers of AVX2.
  __m256i acc[12], a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(-1);
#pragma clang loop unroll(full)
  for (int i = 0; i < 12; i++) acc[i] = _mm256_set1_epi32(i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) {
      acc[i] = _mm256_dpbusd_avx_epi32(acc[i], a, b);
      __asm__ volatile("" : "+x"(acc[i]));
    }
  }
}

/// vpmaddubsw and the vpaddw that it needs; widening is left out, as kernels do it rarely.
__attribute__((target("avx2"))) static void maddubs(size_t rounds) {
  __m256i acc[12], a = _mm256_set1_epi8(1), b = _mm256_set1_epi8(-1);
#pragma clang loop unroll(full)
  for (int i = 0; i < 12; i++) acc[i] = _mm256_set1_epi16((short)i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) {
      __asm__ volatile("" : "+x"(a));
      acc[i] = _mm256_add_epi16(acc[i], _mm256_maddubs_epi16(a, b));
      __asm__ volatile("" : "+x"(acc[i]));
    }
  }
}

static const tk_peak_leaf leaves[] = {
    {"avx512vnni", "vpdpbusd zmm", TK_CPU_AVX512 | TK_CPU_AVX512_VNNI, TK_CHAINS * 64, vnni512},
    {"avxvnni", "vpdpbusd ymm", TK_CPU_AVX2 | TK_CPU_AVX_VNNI, 12 * 32, vnni256},
    {"avx2", "vpmaddubsw + vpaddw ymm", TK_CPU_AVX2, 12 * 32, maddubs},
};

const tk_peak_leaf *tk_peak_int8(size_t *count) {
  *count = sizeof leaves / sizeof *leaves;
  return leaves;
}

#elif defined(__aarch64__)
#include <arm_neon.h>

__attribute__((target("dotprod"))) static void dotprod(size_t rounds) {
  int32x4_t acc[16];
  int8x16_t a = vdupq_n_s8(1), b = vdupq_n_s8(-1);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) acc[i] = vdupq_n_s32(i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      acc[i] = vdotq_s32(acc[i], a, b);
      __asm__ volatile("" : "+w"(acc[i]));
    }
  }
}

static void smlal(size_t rounds) {
  int16x8_t acc[16];
  int8x8_t a = vdup_n_s8(1), b = vdup_n_s8(-1);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) acc[i] = vdupq_n_s16((int16_t)i);
  for (size_t n = 0; n < rounds; n++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      acc[i] = vmlal_s8(acc[i], a, b);
      __asm__ volatile("" : "+w"(acc[i]));
    }
  }
}

static const tk_peak_leaf leaves[] = {
    {"dotprod", "sdot", TK_CPU_NEON | TK_CPU_NEON_DOTPROD, 16 * 16, dotprod},
    {"neon", "smlal", TK_CPU_NEON, 16 * 8, smlal},
};

const tk_peak_leaf *tk_peak_int8(size_t *count) {
  *count = sizeof leaves / sizeof *leaves;
  return leaves;
}

#else

const tk_peak_leaf *tk_peak_int8(size_t *count) {
  *count = 0;
  return 0;
}
#endif
