// TL1 on AVX2: pshufb looks 16 rows of two pairs of columns up at once, in tables of int16 split in
// two bytes (lossless) or of int8. Source: arXiv 2502.11880, section 3.
#include "tk_lookup.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE AVX2 static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// The tables of four columns: a pair's in the lower half of a vector, the next pair's in the upper.
typedef struct quad_tables {
  __m256i high, low;
} quad_tables;

// Lossless tables are two runs of 16 bytes a pair, int8 ones a single run.
INLINE quad_tables tables_of(const uint8_t *tables, const int lossy) {
  quad_tables t;
  if (lossy) {
    // Plus 128, so that bytes can be summed as unsigned parts of words.
    t.high = _mm256_xor_si256(
        _mm256_loadu_si256((const __m256i *)tables), _mm256_set1_epi8((char)0x80));
    t.low = t.high;
  } else {
    const __m256i first = _mm256_loadu_si256((const __m256i *)tables);
    const __m256i second = _mm256_loadu_si256((const __m256i *)(tables + 32));
    t.high = _mm256_permute2x128_si256(first, second, 0x20);
    t.low = _mm256_permute2x128_si256(first, second, 0x31);
  }
  return t;
}

// One strip of 16 rows and one byte column (two pairs): the high nibbles in the lower half of a
// vector, the low ones in the upper, each looked up in its own pair's table.
INLINE __m256i nibbles_of(const uint8_t *codes) {
  const __m128i bytes = _mm_loadu_si128((const __m128i *)codes);
  const __m128i mask = _mm_set1_epi8(15);
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_and_si128(_mm_srli_epi16(bytes, 4), mask)), _mm_and_si128(bytes, mask),
      1);
}

// Lossless: sums[0] and sums[1] collect rows 0-7 and 8-15 of both pairs. Lossy: words of two rows,
// and their upper bytes, from which the lower ones follow at the end.
INLINE void add(__m256i nibbles, const quad_tables *t, const int lossy, __m256i *sums) {
  const __m256i high = _mm256_shuffle_epi8(t->high, nibbles);
  if (lossy) {
    sums[0] = _mm256_add_epi16(sums[0], high);
    sums[1] = _mm256_add_epi16(sums[1], _mm256_srli_epi16(high, 8));
  } else {
    const __m256i low = _mm256_shuffle_epi8(t->low, nibbles);
    sums[0] = _mm256_add_epi16(sums[0], _mm256_unpacklo_epi8(low, high));
    sums[1] = _mm256_add_epi16(sums[1], _mm256_unpackhi_epi8(low, high));
  }
}

INLINE void add_to(int32_t *sums, __m256i v) {
  __m256i *out = (__m256i *)sums;
  _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), v));
}

// Adds the sums of one strip of 16 rows to int32; `bias` is what the tables' offset has added,
// twice.
INLINE void widen(const __m256i *strip, const int lossy, int bias, int32_t *sums) {
  if (lossy) {
    // Sums of both halves may pass 16 bits, those of one (64 pairs of at most 255) do not.
    const __m256i odd = strip[1];
    const __m256i even = _mm256_sub_epi16(strip[0], _mm256_slli_epi16(odd, 8));
    const __m256i first = _mm256_unpacklo_epi16(even, odd);
    const __m256i second = _mm256_unpackhi_epi16(even, odd);
    const __m256i b = _mm256_set1_epi32(bias);
    UNROLL for (int i = 0; i < 2; i++) {
      const __m256i v = i ? second : first;
      const __m256i sum = _mm256_add_epi32(
          _mm256_cvtepu16_epi32(_mm256_castsi256_si128(v)),
          _mm256_cvtepu16_epi32(_mm256_extracti128_si256(v, 1)));
      add_to(sums + 8 * i, _mm256_sub_epi32(sum, b));
    }
  } else {
    UNROLL for (int i = 0; i < 2; i++) add_to(
        sums + 8 * i,
        _mm256_add_epi32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(strip[i])),
                         _mm256_cvtepi16_epi32(_mm256_extracti128_si256(strip[i], 1))));
  }
}

// All column tiles of a group of rows: 2 or 4 strips of 16, with `tokens` tokens.
INLINE void group_of_rows(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups,
                          const uint8_t *tables, size_t table_stride, int32_t *sums, const int strips,
                          const int tokens, const int lossy) {
  const size_t pair = lossy ? 16 : 32;
  const int quads = 4 / strips;
  for (int i = 0; i < 16 * strips * tokens; i++) sums[i] = 0;
  for (size_t tile = 0; tile < tiles; tile++) {
    const uint8_t *at = codes + tile * tile_stride;
    __m256i s[2][4][2];
    UNROLL for (int t = 0; t < tokens; t++)
      UNROLL for (int i = 0; i < strips; i++)
        s[t][i][0] = s[t][i][1] = _mm256_setzero_si256();
    for (size_t g = 0; g < groups; g++, at += 64) {
      UNROLL for (int q = 0; q < quads; q++, tables += 2 * pair) {
        quad_tables own[2];
        UNROLL for (int t = 0; t < tokens; t++)
          own[t] = tables_of(tables + (size_t)t * table_stride, lossy);
        UNROLL for (int i = 0; i < strips; i++) {
          const __m256i nibbles = nibbles_of(at + 16 * (quads * i + q));
          UNROLL for (int t = 0; t < tokens; t++) add(nibbles, &own[t], lossy, s[t][i]);
        }
      }
    }
    const int bias = 128 * 2 * quads * (int)groups;
    UNROLL for (int t = 0; t < tokens; t++)
      UNROLL for (int i = 0; i < strips; i++)
        widen(s[t][i], lossy, bias, sums + 16 * (t * strips + i));
  }
}

#define FORM(name, strips, tokens, lossy)                                                             \
  AVX2 static __attribute__((noinline)) void name(                                                    \
      const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups, const uint8_t *tables,   \
      size_t table_stride, int32_t *sums) {                                                           \
    group_of_rows(                                                                                    \
        codes, tile_stride, tiles, groups, tables, table_stride, sums, strips, tokens, lossy);        \
  }
FORM(rows32_one, 2, 1, 0)
FORM(rows32_two, 2, 2, 0)
FORM(rows64_one, 4, 1, 0)
FORM(lossy32_one, 2, 1, 1)
FORM(lossy32_two, 2, 2, 1)
FORM(lossy64_one, 4, 1, 1)

typedef void (*form)(const uint8_t *, size_t, size_t, size_t, const uint8_t *, size_t, int32_t *);

// Two tokens at a time where their sums fit the registers (groups of 32 rows).
AVX2 static void all_tokens(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups,
                            size_t rows, const uint8_t *tables, size_t table_stride, size_t tokens,
                            int32_t *sums, const form *forms) {
  size_t t = 0;
  while (rows == 32 && t + 2 <= tokens) {
    forms[1](codes, tile_stride, tiles, groups, tables + t * table_stride, table_stride,
             sums + t * rows);
    t += 2;
  }
  for (; t < tokens; t++)
    forms[rows == 32 ? 0 : 2](codes, tile_stride, tiles, groups, tables + t * table_stride,
                              table_stride, sums + t * rows);
}

AVX2 void tk_tl1_avx2(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups,
                      size_t rows, const uint8_t *tables, size_t table_stride, size_t tokens,
                      int32_t *sums) {
  const form forms[3] = {rows32_one, rows32_two, rows64_one};
  all_tokens(
      codes, tile_stride, tiles, groups, rows, tables, table_stride, tokens, sums, forms);
}

AVX2 void tk_tl1_0_avx2(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups,
                        size_t rows, const uint8_t *tables, size_t table_stride, size_t tokens,
                        int32_t *sums) {
  const form forms[3] = {lossy32_one, lossy32_two, lossy64_one};
  all_tokens(
      codes, tile_stride, tiles, groups, rows, tables, table_stride, tokens, sums, forms);
}

#endif
