// 2-bit weights with group scales by vpdpbusd on zmm. Sums start from -Σ q of their group, so that
// a group ends with a conversion and a fused multiply-add for each sum.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#include "panel_store_body.h"
#include "panel_tile_body.h"
#include "tk_groups.h"
#include "tk_stream.h"

/// The scales of 16 rows, `half` 0 or 1 of a panel's line.
TK_INLINE __m512 scales(const tk_group_product *p, const uint8_t *line, const int half) {
  if (p->half_scales)
    return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(line + 32 * half)));
  return _mm512_load_ps(line + 64 * half);
}

/// Stores 16 rows of a token.
TK_INLINE void finish(const tk_group_product *p, size_t row, size_t token, __m512 total) {
  _mm512_mask_storeu_ps(
      p->y + token * p->y_stride + row, rows_mask(p->rows, row),
      _mm512_mul_ps(total, _mm512_set1_ps(p->token_scales[token])));
}

/// One panel, 1 to 3 tokens. Fields are masked where they stand, as in i2s_avx512vnni.c.
TK_INLINE void few(const tk_group_product *p, size_t panel, const int tokens) {
  const __m512i m0 = _mm512_set1_epi8(0x03), m1 = _mm512_set1_epi8(0x0C),
                m2 = _mm512_set1_epi8(0x30), m3 = _mm512_set1_epi8((char)0xC0);
  const uint8_t *w = p->panels + panel * p->panel_bytes;
  __m512 total[3][2];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) total[t][0] = total[t][1] = _mm512_setzero_ps();
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    __m512i acc[3][2][4];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      __m512i start = _mm512_set1_epi32(-p->group_sums[(size_t)t * p->groups + group]);
#pragma clang loop unroll(full)
      for (int h = 0; h < 2; h++) {
        acc[t][h][0] = start;
        acc[t][h][1] = acc[t][h][2] = acc[t][h][3] = _mm512_setzero_si512();
      }
    }
    size_t end = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    for (; step < end; step++, w += 128) {
      tk_prefetch(p->panels, w, p->panels_end);
      __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
#define TK_FIELD(f)                                                                            \
  {                                                                                            \
    __m512i ca = _mm512_and_si512(a, m##f), cb = _mm512_and_si512(b, m##f);                    \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                      \
      __m512i q = _mm512_set1_epi32(                                                           \
          *(const int32_t *)(p->values + (size_t)t * p->stride + 16 * step + 4 * f));          \
      acc[t][0][f] = _mm512_dpbusd_epi32(acc[t][0][f], ca, q);                                 \
      acc[t][1][f] = _mm512_dpbusd_epi32(acc[t][1][f], cb, q);                                 \
    }                                                                                          \
  }
      TK_FIELD(0)
      TK_FIELD(1)
      TK_FIELD(2)
      TK_FIELD(3)
#undef TK_FIELD
    }
    __m512 s[2] = {scales(p, w, 0), scales(p, w, 1)};
    w += p->half_scales ? 64 : 128;
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int h = 0; h < 2; h++) {
        __m512i low = _mm512_add_epi32(acc[t][h][0], _mm512_srai_epi32(acc[t][h][1], 2));
        __m512i high = _mm512_add_epi32(
            _mm512_srai_epi32(acc[t][h][2], 4), _mm512_srai_epi32(acc[t][h][3], 6));
        total[t][h] = _mm512_fmadd_ps(
            _mm512_cvtepi32_ps(_mm512_add_epi32(low, high)), s[h], total[t][h]);
      }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int h = 0; h < 2; h++)
      finish(p, panel * TK_PANEL_ROWS + 16 * (size_t)h, (size_t)t, total[t][h]);
}

/// One panel with one activation tile.
TK_INLINE void whole_tile(const tk_group_product *p, size_t panel, const int32_t *x, size_t first,
                          const int tokens) {
  const uint8_t *w = p->panels + panel * p->panel_bytes;
  __m512 total0[TK_TILE_TOKENS], total1[TK_TILE_TOKENS];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) total0[t] = total1[t] = _mm512_setzero_ps();
  size_t left = p->steps;
  for (size_t group = 0; group < p->groups; group++) {
    size_t steps = left < p->group_steps ? left : p->group_steps;
    left -= steps;
    __m512i acc0[TK_TILE_TOKENS], acc1[TK_TILE_TOKENS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
      acc0[t] = acc1[t] =
          _mm512_set1_epi32(-p->group_sums[(first + (size_t)t) * p->groups + group]);
    tile(w, steps, w + 6144, x, tokens, acc0, acc1);
    w += steps * 128;
    x += steps * 4 * TK_TILE_TOKENS;
    __m512 s0 = scales(p, w, 0), s1 = scales(p, w, 1);
    w += p->half_scales ? 64 : 128;
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      total0[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc0[t]), s0, total0[t]);
      total1[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc1[t]), s1, total1[t]);
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    finish(p, panel * TK_PANEL_ROWS, first + (size_t)t, total0[t]);
    finish(p, panel * TK_PANEL_ROWS + 16, first + (size_t)t, total1[t]);
  }
}

#define TK_TILE(n)                                                                         \
  static TK_TARGET __attribute__((noinline)) void tile##n(                                 \
      const tk_group_product *p, size_t panel, const int32_t *x, size_t first) {           \
    whole_tile(p, panel, x, first, n);                                                     \
  }
TK_TILE(1)
TK_TILE(2)
TK_TILE(3)
TK_TILE(4)
TK_TILE(5)
TK_TILE(6)
TK_TILE(7)
TK_TILE(8)
TK_TILE(9)
TK_TILE(10)
TK_TILE(11)
TK_TILE(12)

typedef void (*tile_function)(const tk_group_product *, size_t, const int32_t *, size_t);
static const tile_function tile_functions[TK_TILE_TOKENS] = {
    tile1, tile2, tile3, tile4, tile5, tile6, tile7, tile8, tile9, tile10, tile11, tile12,
};

TK_TARGET void tk_group_avx512vnni(const tk_group_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  if (p->tokens <= TK_FEW_TOKENS) {
    for (size_t panel = 0; panel < panels; panel++) {
      if (p->tokens == 1) few(p, panel, 1);
      if (p->tokens == 2) few(p, panel, 2);
      if (p->tokens == 3) few(p, panel, 3);
    }
    return;
  }
  size_t tiles = (p->tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  for (size_t panel = 0; panel < panels; panel++) {
    for (size_t n = 0; n < tiles; n++) {
      size_t start = tk_tile_start(p->tokens, n);
      size_t count = tk_tile_start(p->tokens, n + 1) - start;
      tile_functions[count - 1](
          p, panel, p->tiles + n * p->steps * 4 * TK_TILE_TOKENS, start);
    }
  }
}
#endif
