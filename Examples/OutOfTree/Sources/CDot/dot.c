// A dot product of 2-bit codes and int8 activations, in plain C and with AVX2.
#include "dot.h"

int32_t extra_dot_portable(const uint8_t *codes, const int8_t *x, size_t columns) {
  int32_t sum = 0;
  for (size_t block = 0; block < columns / 128; block++, codes += 32, x += 128) {
    for (size_t i = 0; i < 32; i++) {
      sum += (codes[i] & 3) * x[i] + (codes[i] >> 2 & 3) * x[i + 32];
      sum += (codes[i] >> 4 & 3) * x[i + 64] + (codes[i] >> 6) * x[i + 96];
    }
  }
  return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

// Codes are unsigned bytes up to 2, x signed ones: a pair sums to 512 at most, the four quarters to
// 2,048, which int16 holds.
__attribute__((target("avx2"))) static int32_t dot_avx2(const uint8_t *codes, const int8_t *x,
                                                        size_t columns) {
  const __m256i mask = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
  __m256i sums = _mm256_setzero_si256();
  for (size_t block = 0; block < columns / 128; block++, codes += 32, x += 128) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)codes);
    __m256i pairs = _mm256_setzero_si256();
    for (int quarter = 0; quarter < 4; quarter++) {
      const __m256i code =
          _mm256_and_si256(_mm256_srl_epi16(bytes, _mm_cvtsi32_si128(2 * quarter)), mask);
      const __m256i values = _mm256_loadu_si256((const __m256i *)(x + 32 * quarter));
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(code, values));
    }
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
  }
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  return _mm_cvtsi128_si32(four);
}

extra_dot extra_dot_avx2(void) { return __builtin_cpu_supports("avx2") ? dot_avx2 : NULL; }
#else
extra_dot extra_dot_avx2(void) { return NULL; }
#endif

extra_dot extra_dot_here(void) {
  const extra_dot fast = extra_dot_avx2();
  return fast ? fast : extra_dot_portable;
}
