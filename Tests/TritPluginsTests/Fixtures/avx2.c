#include <immintrin.h>

#include "trit_kernel.h"

// Four codes (trit + 1) a byte: byte i of 32 holds columns i, i + 32, i + 64, i + 96 of a block of 128.
static size_t bytes(size_t rows, size_t columns) { return rows * columns / 4; }

static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
  uint8_t *out = packed;
  for (size_t i = 0; i < rows * columns; i++)
    out[i / 128 * 32 + i % 32] |= (uint8_t)((trits[i] + 1) << i % 128 / 32 * 2);
}

// Σ code · x, and Σ x beside it: maddubs sums pairs of at most 2 · 2 · 128 in int16, eight of them fit.
__attribute__((target("avx2"))) static int32_t add(__m256i v) {
  __m128i h = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1)));
}

__attribute__((target("avx2"))) static void multiply(const trit_work *w) {
  const __m256i mask = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1), one = _mm256_set1_epi8(1);
  for (size_t t = 0; t < w->tokens; t++) {
    const int8_t *x = w->x + t * w->x_stride;
    __m256i plain = _mm256_setzero_si256();
    for (size_t k = 0; k < w->columns; k += 32) {
      __m256i pairs = _mm256_maddubs_epi16(one, _mm256_loadu_si256((const __m256i *)(x + k)));
      plain = _mm256_add_epi32(plain, _mm256_madd_epi16(pairs, ones));
    }
    const int32_t sum = add(plain);
    for (size_t r = w->first_row; r < w->end_row; r++) {
      const uint8_t *codes = (const uint8_t *)w->packed + r * w->columns / 4;
      __m256i total = _mm256_setzero_si256();
      for (size_t k = 0; k < w->columns; k += 128, codes += 32) {
        __m256i c = _mm256_loadu_si256((const __m256i *)codes), part = _mm256_setzero_si256();
        for (int j = 0; j < 4; j++, c = _mm256_srli_epi16(c, 2)) {
          __m256i v = _mm256_loadu_si256((const __m256i *)(x + k + 32 * j));
          part = _mm256_add_epi16(part, _mm256_maddubs_epi16(_mm256_and_si256(c, mask), v));
        }
        total = _mm256_add_epi32(total, _mm256_madd_epi16(part, ones));
      }
      w->sums[t * w->sums_stride + r] = add(total) - sum;
    }
  }
}

TRIT_KERNELS({.name = "two-bits/avx2", .summary = "2-bit codes, 128 columns a step", .needs = "avx2",
              .column_multiple = 128, .packed_bytes = bytes, .pack = pack, .multiply = multiply})
