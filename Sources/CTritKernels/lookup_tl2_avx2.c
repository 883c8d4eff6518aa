#include "tk_lookup.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i broadcast(const uint8_t *table) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

// Table entries of 32 rows as two vectors of int16; the byte order of the rows makes the unpacks, which
// stay within halves, give rows 0-15 and 16-31.
AVX2 static inline void look_up(__m256i nibbles, const uint8_t *table, __m256i *first,
                                __m256i *second) {
  const __m256i low = _mm256_shuffle_epi8(broadcast(table), nibbles);
  const __m256i high = _mm256_shuffle_epi8(broadcast(table + 16), nibbles);
  *first = _mm256_unpacklo_epi8(low, high);
  *second = _mm256_unpackhi_epi8(low, high);
}

// (v + s) ^ s with s = 0 or -1 from the top bit of `word`: v or -v.
AVX2 static inline __m256i with_sign(__m256i v, __m256i word) {
  const __m256i s = _mm256_srai_epi16(word, 15);
  return _mm256_xor_si256(_mm256_add_epi16(v, s), s);
}

AVX2 static inline void widen(__m256i v, int32_t *sums) {
  __m256i *out = (__m256i *)sums;
  const __m256i a = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v));
  const __m256i b = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1));
  _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), a));
  _mm256_storeu_si256(out + 1, _mm256_add_epi32(_mm256_loadu_si256(out + 1), b));
}

AVX2 void tk_tl2_avx2(const uint8_t *index, size_t index_stride, const uint8_t *signs,
                      size_t sign_stride, size_t tiles, size_t triples, const uint8_t *tables,
                      const uint8_t *pairs, size_t pair_stride, size_t pair_tiles,
                      const uint8_t *pair_tables, int32_t *sums) {
  const __m256i mask = _mm256_set1_epi8(15);
  __m256i a, b;
  for (size_t r = 0; r < 32; r++) sums[r] = 0;
  for (size_t tile = 0; tile < tiles; tile++) {
    const uint8_t *at = index + tile * index_stride;
    const uint8_t *sign = signs + tile * sign_stride;
    __m256i first = _mm256_setzero_si256();
    __m256i second = _mm256_setzero_si256();
    for (size_t t = 0; t < triples; t += 8, sign += 32) {
      // The word of a row shifts two bits to the left for each triple: rows 0-15, then rows 16-31.
      __m256i word = _mm256_loadu_si256((const __m256i *)sign);
      for (size_t k = 0; k < 4; k++, at += 32, tables += 64) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)at);
        look_up(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask), tables, &a, &b);
        first = _mm256_add_epi16(first, with_sign(a, word));
        second = _mm256_add_epi16(second, with_sign(b, _mm256_slli_epi16(word, 1)));
        look_up(_mm256_and_si256(bytes, mask), tables + 32, &a, &b);
        first = _mm256_add_epi16(first, with_sign(a, _mm256_slli_epi16(word, 2)));
        second = _mm256_add_epi16(second, with_sign(b, _mm256_slli_epi16(word, 3)));
        word = _mm256_slli_epi16(word, 4);
      }
    }
    widen(first, sums);
    widen(second, sums + 16);
  }
  for (size_t tile = 0; tile < pair_tiles; tile++) {
    const uint8_t *at = pairs + tile * pair_stride;
    __m256i first = _mm256_setzero_si256();
    __m256i second = _mm256_setzero_si256();
    for (size_t k = 0; k < 8; k++, at += 32, pair_tables += 64) {
      const __m256i bytes = _mm256_loadu_si256((const __m256i *)at);
      look_up(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask), pair_tables, &a, &b);
      first = _mm256_add_epi16(first, a);
      second = _mm256_add_epi16(second, b);
      look_up(_mm256_and_si256(bytes, mask), pair_tables + 32, &a, &b);
      first = _mm256_add_epi16(first, a);
      second = _mm256_add_epi16(second, b);
    }
    widen(first, sums);
    widen(second, sums + 16);
  }
}

#endif
