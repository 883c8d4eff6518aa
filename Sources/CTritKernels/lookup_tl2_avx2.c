// TL2 on AVX2: pshufb looks 32 rows up at once, triples with their signs apart, and pairs for the
// columns that no tile of triples takes. Source: arXiv 2502.11880, section 3.2.
#include "tk_lookup.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE AVX2 static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE __m256i broadcast(const uint8_t *table) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
}

// Table entries of 32 rows as two vectors of int16; the byte order of the rows makes the unpacks,
// which stay within halves, give rows 0-15 and 16-31. Lossless tables are low and high bytes, lossy
// ones int8.
INLINE void look_up(__m256i nibbles, const uint8_t *table, const int lossy, __m256i *first,
                    __m256i *second) {
  const __m256i low = _mm256_shuffle_epi8(broadcast(table), nibbles);
  const __m256i high = lossy ? _mm256_cmpgt_epi8(_mm256_setzero_si256(), low)
                             : _mm256_shuffle_epi8(broadcast(table + 16), nibbles);
  *first = _mm256_unpacklo_epi8(low, high);
  *second = _mm256_unpackhi_epi8(low, high);
}

// (v + s) ^ s with s = 0 or -1 from the top bit of `word`: v or -v.
INLINE __m256i with_sign(__m256i v, __m256i word) {
  const __m256i s = _mm256_srai_epi16(word, 15);
  return _mm256_xor_si256(_mm256_add_epi16(v, s), s);
}

// The int16 sums of rows 0-15 and 16-31 of one token.
typedef struct halves {
  __m256i first, second;
} halves;

INLINE void widen(__m256i v, int32_t *sums) {
  __m256i *out = (__m256i *)sums;
  const __m256i a = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v));
  const __m256i b = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1));
  _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), a));
  _mm256_storeu_si256(out + 1, _mm256_add_epi32(_mm256_loadu_si256(out + 1), b));
}

typedef struct planes {
  const uint8_t *index, *signs, *pairs;
  size_t index_stride, sign_stride, pair_stride, tiles, triples, pair_tiles;
  const uint8_t *tables, *pair_tables;
  size_t table_stride;
} planes;

// One nibble of 32 rows, all tokens: nibbles are taken out once.
INLINE void triple(__m256i nibbles, __m256i word, const uint8_t *tables, size_t table_stride,
                   const int tokens, const int lossy, halves *h) {
  const __m256i next = _mm256_slli_epi16(word, 1);
  UNROLL for (int t = 0; t < tokens; t++) {
    __m256i a, b;
    look_up(nibbles, tables + (size_t)t * table_stride, lossy, &a, &b);
    h[t].first = _mm256_add_epi16(h[t].first, with_sign(a, word));
    h[t].second = _mm256_add_epi16(h[t].second, with_sign(b, next));
  }
}

INLINE void triples(const planes *p, int32_t *sums, const int tokens, const int lossy) {
  const __m256i mask = _mm256_set1_epi8(15);
  const size_t bytes = lossy ? 16 : 32;
  const uint8_t *tables = p->tables;
  for (size_t tile = 0; tile < p->tiles; tile++) {
    const uint8_t *at = p->index + tile * p->index_stride;
    const uint8_t *sign = p->signs + tile * p->sign_stride;
    halves h[TK_LOOKUP_BATCH];
    UNROLL for (int t = 0; t < tokens; t++) h[t].first = h[t].second = _mm256_setzero_si256();
    for (size_t t = 0; t < p->triples; t += 8, sign += 32) {
      // The word of a row shifts two bits to the left for each triple: rows 0-15, then rows 16-31.
      __m256i word = _mm256_loadu_si256((const __m256i *)sign);
      for (size_t k = 0; k < 4; k++, at += 32, tables += 2 * bytes) {
        const __m256i codes = _mm256_loadu_si256((const __m256i *)at);
        triple(_mm256_and_si256(_mm256_srli_epi16(codes, 4), mask), word, tables, p->table_stride,
               tokens, lossy, h);
        triple(_mm256_and_si256(codes, mask), _mm256_slli_epi16(word, 2), tables + bytes,
               p->table_stride, tokens, lossy, h);
        word = _mm256_slli_epi16(word, 4);
      }
    }
    UNROLL for (int t = 0; t < tokens; t++) {
      widen(h[t].first, sums + 32 * t);
      widen(h[t].second, sums + 32 * t + 16);
    }
  }
}

INLINE void pair(__m256i nibbles, const uint8_t *tables, size_t table_stride, const int tokens,
                 const int lossy, halves *h) {
  UNROLL for (int t = 0; t < tokens; t++) {
    __m256i a, b;
    look_up(nibbles, tables + (size_t)t * table_stride, lossy, &a, &b);
    h[t].first = _mm256_add_epi16(h[t].first, a);
    h[t].second = _mm256_add_epi16(h[t].second, b);
  }
}

INLINE void pairs(const planes *p, int32_t *sums, const int tokens, const int lossy) {
  const __m256i mask = _mm256_set1_epi8(15);
  const size_t bytes = lossy ? 16 : 32;
  const uint8_t *tables = p->pair_tables;
  for (size_t tile = 0; tile < p->pair_tiles; tile++) {
    const uint8_t *at = p->pairs + tile * p->pair_stride;
    halves h[TK_LOOKUP_BATCH];
    UNROLL for (int t = 0; t < tokens; t++) h[t].first = h[t].second = _mm256_setzero_si256();
    for (size_t k = 0; k < 8; k++, at += 32, tables += 2 * bytes) {
      const __m256i codes = _mm256_loadu_si256((const __m256i *)at);
      pair(_mm256_and_si256(_mm256_srli_epi16(codes, 4), mask), tables, p->table_stride, tokens,
           lossy, h);
      pair(_mm256_and_si256(codes, mask), tables + bytes, p->table_stride, tokens, lossy, h);
    }
    UNROLL for (int t = 0; t < tokens; t++) {
      widen(h[t].first, sums + 32 * t);
      widen(h[t].second, sums + 32 * t + 16);
    }
  }
}

#define FORM(name, tokens, lossy)                                                        \
  AVX2 static __attribute__((noinline)) void name(                                       \
      const planes *p, int32_t *sums, int32_t *pair_sums) {                              \
    triples(p, sums, tokens, lossy);                                                     \
    pairs(p, pair_sums, tokens, lossy);                                                  \
  }
FORM(one, 1, 0)
FORM(two, 2, 0)
FORM(four, 4, 0)
FORM(lossy_one, 1, 1)
FORM(lossy_two, 2, 1)
FORM(lossy_four, 4, 1)

typedef void (*form)(const planes *, int32_t *, int32_t *);

AVX2 static void all_tokens(planes p, size_t tokens, int32_t *sums, int32_t *pair_sums,
                            const form *forms) {
  for (size_t i = 0; i < 32 * tokens; i++) sums[i] = pair_sums[i] = 0;
  for (size_t t = 0; t < tokens;) {
    size_t count = tokens - t >= 4 ? 4 : tokens - t >= 2 ? 2 : 1;
    forms[count / 2](&p, sums + 32 * t, pair_sums + 32 * t);
    p.tables += count * p.table_stride;
    p.pair_tables += count * p.table_stride;
    t += count;
  }
}

AVX2 void tk_tl2_avx2(const uint8_t *index, size_t index_stride, const uint8_t *signs,
                      size_t sign_stride, size_t tiles, size_t triples, const uint8_t *tables,
                      const uint8_t *pairs, size_t pair_stride, size_t pair_tiles,
                      const uint8_t *pair_tables, size_t table_stride, size_t tokens,
                      int32_t *sums) {
  const planes p = {index,   signs, pairs,   index_stride, sign_stride, pair_stride,
                    tiles,   triples, pair_tiles, tables,  pair_tables, table_stride};
  const form forms[3] = {one, two, four};
  all_tokens(p, tokens, sums, sums, forms);
}

AVX2 void tk_tl2_0_avx2(const uint8_t *index, size_t index_stride, const uint8_t *signs,
                        size_t sign_stride, size_t tiles, size_t triples, const uint8_t *tables,
                        const uint8_t *pairs, size_t pair_stride, size_t pair_tiles,
                        const uint8_t *pair_tables, size_t table_stride, size_t tokens,
                        int32_t *sums, int32_t *pair_sums) {
  const planes p = {index,   signs, pairs,   index_stride, sign_stride, pair_stride,
                    tiles,   triples, pair_tiles, tables,  pair_tables, table_stride};
  const form forms[3] = {lossy_one, lossy_two, lossy_four};
  all_tokens(p, tokens, sums, pair_sums, forms);
}

#endif
