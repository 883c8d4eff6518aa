// 2-bit weights by vpdpbusd on zmm. Three forms: few tokens (bound by memory: as few operations per
// line as possible), register tiles of packed weights, and of expanded ones (gemm_avx512vnni.c)
// where tokens are enough to pay for the expansion.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#include "panel_store_body.h"
#include "panel_tile_body.h"
#include "tk_gemm.h"
#include "tk_stream.h"

TK_INLINE size_t panel_count(const tk_panel_product *p) {
  return (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
}

/// One panel, 1 to 3 tokens. The 2-bit fields are masked where they stand: their products come out
/// times 1, 4, 16 and 64 in an accumulator each, and are shifted down once at the end (exactly:
/// every term is a multiple). 8 operations for 256 weights and a token.
TK_INLINE void few(const tk_panel_product *p, size_t panel, const int tokens) {
  const __m512i m0 = _mm512_set1_epi8(0x03), m1 = _mm512_set1_epi8(0x0C),
                m2 = _mm512_set1_epi8(0x30), m3 = _mm512_set1_epi8((char)0xC0);
  __m512i acc[3][2][4];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < 2; g++)
#pragma clang loop unroll(full)
      for (int f = 0; f < 4; f++) acc[t][g][f] = _mm512_setzero_si512();
  const uint8_t *w = p->panels + panel * p->steps * 128;
  const int8_t *x = p->values;
  for (size_t step = 0; step < p->steps; step++, w += 128, x += 16) {
    tk_prefetch(p->panels, w, p->panels_end);
    __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
#define TK_FIELD(f)                                                                        \
  {                                                                                        \
    __m512i ca = _mm512_and_si512(a, m##f), cb = _mm512_and_si512(b, m##f);                \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                  \
      __m512i q = _mm512_set1_epi32(*(const int32_t *)(x + (size_t)t * p->stride + 4 * f)); \
      acc[t][0][f] = _mm512_dpbusd_epi32(acc[t][0][f], ca, q);                             \
      acc[t][1][f] = _mm512_dpbusd_epi32(acc[t][1][f], cb, q);                             \
    }                                                                                      \
  }
    TK_FIELD(0)
    TK_FIELD(1)
    TK_FIELD(2)
    TK_FIELD(3)
#undef TK_FIELD
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < 2; g++) {
      __m512i low = _mm512_add_epi32(acc[t][g][0], _mm512_srai_epi32(acc[t][g][1], 2));
      __m512i high = _mm512_add_epi32(
          _mm512_srai_epi32(acc[t][g][2], 4), _mm512_srai_epi32(acc[t][g][3], 6));
      size_t row = panel * TK_PANEL_ROWS + (size_t)g * 16;
      store(p, row, (size_t)t, _mm512_add_epi32(low, high), rows_mask(p->rows, row));
    }
}

/// One panel with one activation tile, all columns.
TK_INLINE void whole_tile(const tk_panel_product *p, size_t panel, const int32_t *x, size_t first,
                          const int tokens) {
  __m512i acc0[TK_TILE_TOKENS], acc1[TK_TILE_TOKENS];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) acc0[t] = acc1[t] = _mm512_setzero_si512();
  const uint8_t *w = p->panels + panel * p->steps * 128;
  tile(w, p->steps, w + 6144, x, tokens, acc0, acc1);
  size_t row = panel * TK_PANEL_ROWS;
  __mmask16 mask0 = rows_mask(p->rows, row), mask1 = rows_mask(p->rows, row + 16);
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    store(p, row, first + (size_t)t, acc0[t], mask0);
    store(p, row + 16, first + (size_t)t, acc1[t], mask1);
  }
}

#define TK_CASES(name)                                                                         \
  static TK_TARGET __attribute__((noinline)) void name(const tk_panel_product *p, size_t panel, \
                                                       const int32_t *x, size_t first)
#define TK_TILE(n) \
  TK_CASES(tile##n) { whole_tile(p, panel, x, first, n); }
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

typedef void (*tile_function)(const tk_panel_product *, size_t, const int32_t *, size_t);
static const tile_function tile_functions[TK_TILE_TOKENS] = {
    tile1, tile2, tile3, tile4, tile5, tile6, tile7, tile8, tile9, tile10, tile11, tile12,
};

static TK_TARGET void expand(const tk_panel_product *p, size_t panel, size_t step, size_t steps,
                             uint8_t *out) {
  tk_i2s_expand_avx512(p->panels + (panel * p->steps + step) * 128, steps, out);
}

static tk_run source(const tk_panel_product *p, size_t panel, size_t panels, size_t step,
                     size_t steps) {
  return (tk_run){p->panels + (panel * p->steps + step) * 128, panels, p->steps * 128, steps * 2};
}

TK_TARGET void tk_i2s_avx512vnni(const tk_panel_product *p) {
  size_t panels = panel_count(p);
  if (p->tokens <= TK_FEW_TOKENS) {
    for (size_t panel = 0; panel < panels; panel++) {
      if (p->tokens == 1) few(p, panel, 1);
      if (p->tokens == 2) few(p, panel, 2);
      if (p->tokens == 3) few(p, panel, 3);
    }
    return;
  }
  size_t tiles = (p->tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  if (tiles > 8) {
    tk_gemm_avx512vnni(p, &(tk_expander){1, expand, source});
    return;
  }
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
