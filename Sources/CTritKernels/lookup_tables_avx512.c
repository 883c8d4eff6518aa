// The tables of lookup panels: all sums of a pair or triple of activations, by three
// multiplications.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_lookup_panels.h"

#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

/// The table of one group: its `count` activations times the weights of each entry.
TK_INLINE void table(const int8_t *x, const int count, const __m512i *w, int16_t *out) {
  __m512i sum = _mm512_mullo_epi16(w[0], _mm512_set1_epi16(x[0]));
  sum = _mm512_add_epi16(sum, _mm512_mullo_epi16(w[1], _mm512_set1_epi16(x[1])));
  if (count == 2) {
    _mm256_store_si256((__m256i *)out, _mm512_castsi512_si256(sum));
  } else {
    sum = _mm512_add_epi16(sum, _mm512_mullo_epi16(w[2], _mm512_set1_epi16(x[2])));
    _mm512_store_si512(out, sum);
  }
}

TK_INLINE void tables(const int8_t *values, size_t stride, size_t columns, size_t tokens, size_t first,
                      size_t last, const int count, const __m512i *w, int16_t *out) {
  out += first * tokens * (count == 2 ? 16 : 32);
  for (size_t group = first; group < last; group++) {
    size_t k = group * (size_t)count;
    for (size_t t = 0; t < tokens; t++, out += count == 2 ? 16 : 32) {
      const int8_t *x = values + t * stride + k;
      if (k + (size_t)count <= columns) {
        table(x, count, w, out);
      } else {
        int8_t padded[3] = {0, 0, 0};
        for (size_t i = 0; k + i < columns; i++) padded[i] = x[i];
        table(padded, count, w, out);
      }
    }
  }
}

TK_TARGET void tk_lookup_tables_avx512(tk_lookup_kind kind, const int8_t *values, size_t stride,
                                       size_t columns, size_t tokens, size_t first, size_t last,
                                       int16_t *out) {
  // The weights of each entry: of pairs 3 w0 + w1 + 4, of triples 9 w0 + 3 w1 + w2 and its
  // negative.
  int16_t w[3][32] __attribute__((aligned(64))) = {{0}};
  if (kind == TK_LOOKUP_PAIRS)
    for (int i = 0; i < 9; i++) w[0][i] = (int16_t)(i / 3 - 1), w[1][i] = (int16_t)(i % 3 - 1);
  else
    for (int i = 0; i < 14; i++) {
      int digits[3] = {(i + 13) / 9 - 1, (i + 13) / 3 % 3 - 1, (i + 13) % 3 - 1};
      for (int d = 0; d < 3; d++) {
        w[d][i] = (int16_t)digits[d];
        w[d][16 + i] = (int16_t)-digits[d];
      }
    }
  const __m512i entries[3] = {
      _mm512_load_si512(w[0]), _mm512_load_si512(w[1]), _mm512_load_si512(w[2])};
  if (kind == TK_LOOKUP_PAIRS)
    tables(values, stride, columns, tokens, first, last, 2, entries, out);
  else
    tables(values, stride, columns, tokens, first, last, 3, entries, out);
}
#endif
