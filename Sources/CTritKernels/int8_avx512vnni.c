// 8-bit weights by vpdpbusd on zmm. The instruction wants one unsigned side: activations plus 128,
// so that every sum is too large by 128 · Σ w, from which it therefore starts.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_i2s.h"
#include "tk_int8.h"
#include "tk_stream.h"

#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

TK_INLINE __mmask16 rows_mask(size_t rows, size_t row) {
  size_t left = rows > row ? rows - row : 0;
  return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}

/// One panel with `tokens` tokens from `first`; `x` is where they begin in their tile, or null
/// where they are read from the rows themselves.
TK_INLINE void block(const tk_int8_product *p, size_t panel, const int32_t *x, size_t first,
                     const int tokens, const int grouped) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const uint8_t *w = p->panels + panel * p->steps * 128;
  const uint8_t *all =
      p->panels + (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS * p->steps * 128;
  const int8_t *values = p->values + first * p->stride;
  __m512 total[TK_TILE_TOKENS][2];
  if (grouped) {
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) total[t][0] = total[t][1] = _mm512_setzero_ps();
  }
  __m512i acc[TK_TILE_TOKENS][2];
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    size_t at = (panel * p->groups + group) * TK_PANEL_ROWS;
    __m512i zero = _mm512_setzero_si512();
    __m512i start0 = _mm512_sub_epi32(zero, _mm512_loadu_si512(p->corrections + at));
    __m512i start1 = _mm512_sub_epi32(zero, _mm512_loadu_si512(p->corrections + at + 16));
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      acc[t][0] = start0;
      acc[t][1] = start1;
    }
    size_t end = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    for (; step < end; step++, w += 128) {
      // With tiles the panel's next reading is of the cache.
      if (!x) tk_prefetch(p->panels, w, all);
      __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        __m512i q;
        if (x) {
          q = _mm512_set1_epi32(x[step * TK_TILE_TOKENS + (size_t)t]);
        } else {
          q = _mm512_set1_epi32(*(const int32_t *)(values + (size_t)t * p->stride + 4 * step));
          q = _mm512_xor_si512(q, flip);
        }
        acc[t][0] = _mm512_dpbusd_epi32(acc[t][0], q, a);
        acc[t][1] = _mm512_dpbusd_epi32(acc[t][1], q, b);
      }
    }
    if (grouped) {
      __m512 s0 = _mm512_loadu_ps(p->scales + at), s1 = _mm512_loadu_ps(p->scales + at + 16);
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        total[t][0] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc[t][0]), s0, total[t][0]);
        total[t][1] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc[t][1]), s1, total[t][1]);
      }
    }
  }
  size_t row = panel * TK_PANEL_ROWS;
#pragma clang loop unroll(full)
  for (int h = 0; h < 2; h++) {
    __mmask16 mask = rows_mask(p->rows, row + 16 * (size_t)h);
    __m512 scales = _mm512_loadu_ps(p->scales + row * p->groups + 16 * (size_t)h);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      size_t out = (first + (size_t)t) * p->y_stride + row + 16 * (size_t)h;
      __m512 scale = _mm512_set1_ps(p->token_scales[first + (size_t)t]);
      if (grouped) {
        _mm512_mask_storeu_ps(p->y + out, mask, _mm512_mul_ps(total[t][h], scale));
      } else if (p->y) {
        __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(acc[t][h]), _mm512_mul_ps(scale, scales));
        _mm512_mask_storeu_ps(p->y + out, mask, y);
      } else {
        _mm512_mask_storeu_epi32(p->accumulators + out, mask, acc[t][h]);
      }
    }
  }
}

#define TK_BLOCK(n)                                                                              \
  static TK_TARGET __attribute__((noinline)) void whole##n(                                      \
      const tk_int8_product *p, size_t panel, const int32_t *x, size_t first) {                  \
    block(p, panel, x, first, n, 0);                                                             \
  }
#define TK_GROUPED(n)                                                                            \
  static TK_TARGET __attribute__((noinline)) void grouped##n(                                    \
      const tk_int8_product *p, size_t panel, const int32_t *x, size_t first) {                  \
    block(p, panel, x, first, n, 1);                                                             \
  }
TK_BLOCK(1) TK_BLOCK(2) TK_BLOCK(3) TK_BLOCK(4) TK_BLOCK(5) TK_BLOCK(6)
TK_BLOCK(7) TK_BLOCK(8) TK_BLOCK(9) TK_BLOCK(10) TK_BLOCK(11) TK_BLOCK(12)
TK_GROUPED(1) TK_GROUPED(2) TK_GROUPED(3) TK_GROUPED(4) TK_GROUPED(5) TK_GROUPED(6)

typedef void (*block_function)(const tk_int8_product *, size_t, const int32_t *, size_t);
static const block_function whole[TK_TILE_TOKENS] = {
    whole1, whole2, whole3, whole4, whole5, whole6,
    whole7, whole8, whole9, whole10, whole11, whole12,
};
static const block_function grouped[6] = {
    grouped1, grouped2, grouped3, grouped4, grouped5, grouped6,
};

TK_TARGET void tk_int8_avx512vnni(const tk_int8_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  size_t tiles = (p->tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  for (size_t panel = 0; panel < panels; panel++) {
    if (p->tokens <= TK_FEW_TOKENS) {
      (p->groups > 1 ? grouped : whole)[p->tokens - 1](p, panel, NULL, 0);
      continue;
    }
    for (size_t n = 0; n < tiles; n++) {
      size_t start = tk_tile_start(p->tokens, n);
      size_t count = tk_tile_start(p->tokens, n + 1) - start;
      const int32_t *x = p->tiles + n * p->tile_quads * TK_TILE_TOKENS;
      if (p->groups == 1) {
        whole[count - 1](p, panel, x, start);
        continue;
      }
      // Float totals take as many registers again: half the tokens at a time.
      size_t half = count > 6 ? 6 : count;
      grouped[half - 1](p, panel, x, start);
      if (count > half) grouped[count - half - 1](p, panel, x + half, start + half);
    }
  }
}
#endif
