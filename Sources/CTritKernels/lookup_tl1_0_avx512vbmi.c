// TL1_0 by vpermb and vpdpbusd: the tables of four pairs fill a register, the four bytes of a row
// look one up each, and a dot product with ones sums them. Two operations for 128 weights and a
// token.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_lookup_panels.h"
#include "tk_stream.h"

#define TK_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_UNROLL _Pragma("clang loop unroll(full)")

/// All lines of a panel with `tokens` tokens.
TK_INLINE void panel_tokens(const uint8_t *w, size_t lines, const int8_t *tables, size_t stride,
                            int32_t *sums, const int tokens) {
  const __m512i nibble = _mm512_set1_epi8(15), ones = _mm512_set1_epi8(1);
  // Which of the four tables in a register a byte of a row means.
  const __m512i table_of = _mm512_set1_epi32(0x30201000);
  size_t ahead = tk_stream_ahead ? tk_stream_ahead : 6144;
  __m512i acc[4][4];
  TK_UNROLL for (int t = 0; t < tokens; t++)
    TK_UNROLL for (int g = 0; g < 4; g++) acc[t][g] = _mm512_setzero_si512();
  for (size_t line = 0; line < lines; line++, w += 256, tables += 128) {
    __m512i words[4];
    TK_UNROLL for (int g = 0; g < 4; g++) {
      _mm_prefetch((const char *)w + ahead + 64 * g, _MM_HINT_T0);
      words[g] = _mm512_load_si512(w + 64 * g);
    }
    TK_UNROLL for (int half = 0; half < 2; half++) {
      __m512i index[4];
      TK_UNROLL for (int g = 0; g < 4; g++) index[g] = _mm512_ternarylogic_epi32(
          half ? _mm512_srli_epi16(words[g], 4) : words[g], nibble, table_of, 0xEA);
      TK_UNROLL for (int t = 0; t < tokens; t++) {
        __m512i table = _mm512_load_si512(tables + (size_t)t * stride + 64 * half);
        TK_UNROLL for (int g = 0; g < 4; g++) acc[t][g] =
            _mm512_dpbusd_epi32(acc[t][g], ones, _mm512_permutexvar_epi8(index[g], table));
      }
    }
  }
  TK_UNROLL for (int t = 0; t < tokens; t++)
    TK_UNROLL for (int g = 0; g < 4; g++)
      _mm512_storeu_si512(sums + TK_LOOKUP_ROWS * t + 16 * g, acc[t][g]);
}

#define TK_PANEL(n)                                                                         \
  static TK_TARGET __attribute__((noinline)) void panel##n(                                 \
      const uint8_t *w, size_t lines, const int8_t *tables, size_t stride, int32_t *sums) { \
    panel_tokens(w, lines, tables, stride, sums, n);                                        \
  }
TK_PANEL(1)
TK_PANEL(2)
TK_PANEL(3)
TK_PANEL(4)

TK_TARGET void tk_tl1_0_avx512vbmi(const uint8_t *panel, size_t lines, const int8_t *tables,
                                   size_t stride, size_t tokens, int32_t *sums) {
  if (tokens == 1) panel1(panel, lines, tables, stride, sums);
  if (tokens == 2) panel2(panel, lines, tables, stride, sums);
  if (tokens == 3) panel3(panel, lines, tables, stride, sums);
  if (tokens == 4) panel4(panel, lines, tables, stride, sums);
}
#endif
