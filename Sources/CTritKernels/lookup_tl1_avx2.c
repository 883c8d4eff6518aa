#include "tk_lookup.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

// One strip of 16 rows and one byte column (two pairs): the high nibbles in the lower half of a vector,
// the low ones in the upper, each looked up in its own pair's table. lo and hi collect rows 0-7 and 8-15
// of both pairs.
AVX2 static inline void strip(const uint8_t *codes, __m256i high_table, __m256i low_table, __m256i *lo,
                              __m256i *hi) {
  const __m128i bytes = _mm_loadu_si128((const __m128i *)codes);
  const __m128i mask = _mm_set1_epi8(15);
  const __m256i nibbles = _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_and_si128(_mm_srli_epi16(bytes, 4), mask)), _mm_and_si128(bytes, mask),
      1);
  const __m256i high = _mm256_shuffle_epi8(high_table, nibbles);
  const __m256i low = _mm256_shuffle_epi8(low_table, nibbles);
  *lo = _mm256_add_epi16(*lo, _mm256_unpacklo_epi8(low, high));
  *hi = _mm256_add_epi16(*hi, _mm256_unpackhi_epi8(low, high));
}

AVX2 static inline void widen(__m256i v, int32_t *sums) {
  const __m256i a = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v));
  const __m256i b = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1));
  __m256i *out = (__m256i *)sums;
  _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), _mm256_add_epi32(a, b)));
}

AVX2 static inline void tables_of(const uint8_t *tables, __m256i *high, __m256i *low) {
  const __m256i first = _mm256_loadu_si256((const __m256i *)tables);
  const __m256i second = _mm256_loadu_si256((const __m256i *)(tables + 32));
  *high = _mm256_permute2x128_si256(first, second, 0x20);
  *low = _mm256_permute2x128_si256(first, second, 0x31);
}

AVX2 void tk_tl1_avx2(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups,
                      size_t rows, const uint8_t *tables, int32_t *sums) {
  for (size_t r = 0; r < rows; r++) sums[r] = 0;
  for (size_t tile = 0; tile < tiles; tile++) {
    const uint8_t *at = codes + tile * tile_stride;
    __m256i s[8];
    for (int i = 0; i < 8; i++) s[i] = _mm256_setzero_si256();
    __m256i high, low;
    if (rows == 32) {
      for (size_t g = 0; g < groups; g++, at += 64, tables += 128) {
        tables_of(tables, &high, &low);
        strip(at, high, low, &s[0], &s[1]);
        strip(at + 32, high, low, &s[2], &s[3]);
        tables_of(tables + 64, &high, &low);
        strip(at + 16, high, low, &s[0], &s[1]);
        strip(at + 48, high, low, &s[2], &s[3]);
      }
    } else {
      for (size_t g = 0; g < groups; g++, at += 64, tables += 64) {
        tables_of(tables, &high, &low);
        strip(at, high, low, &s[0], &s[1]);
        strip(at + 16, high, low, &s[2], &s[3]);
        strip(at + 32, high, low, &s[4], &s[5]);
        strip(at + 48, high, low, &s[6], &s[7]);
      }
    }
    for (size_t i = 0; i < rows / 8; i++) widen(s[i], sums + 8 * i);
  }
}

#endif
