// Many tokens by vpdpbusd on zmm. Weights are expanded to bytes a few panels and columns at a time,
// and stay in L2 while all tokens pass; a tile of 64 rows x 6 tokens stays in registers meanwhile.
//
// Why bytes: on CPUs with two 512-bit ports, masks and shifts take slots of vpdpbusd (32 x 12 tiles
// of 2-bit weights reach 86 % of its rate on Ice Lake, where 64 x 6 tiles of bytes reach 98 %). Why
// 64 x 6: four loads of weights and six broadcasts feed 24 vpdpbusd, 32 x 12 takes fourteen. That
// counts twice where another hardware thread shares the front end and the load ports.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#include "panel_store_body.h"
#include "tk_gemm.h"

/// What a tile does at its first and after its last column.
enum { FIRST = 1, LAST = 2 };

/// 16 * `groups` rows from `row` on and `tokens` tokens from `token` on, `quads` groups of four
/// columns. `w` holds the rows' expanded panels, `panel_bytes` apart. Sums of columns before are
/// found, and unfinished ones left, as int32 where the outputs will stand.
TK_INLINE void block(const tk_panel_product *p, const uint8_t *w, size_t panel_bytes, size_t quads,
                     const int32_t *x, size_t row, size_t token, int ends, const int groups,
                     const int tokens) {
  __m512i acc[4][6];
  __mmask16 mask[4];
  void *out = p->y ? (void *)p->y : (void *)p->accumulators;
  int32_t *partial = (int32_t *)out + token * p->y_stride + row;
#pragma clang loop unroll(full)
  for (int g = 0; g < groups; g++) {
    mask[g] = rows_mask(p->rows, row + 16 * (size_t)g);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
      acc[g][t] = ends & FIRST ? _mm512_setzero_si512()
                               : _mm512_maskz_loadu_epi32(
                                     mask[g], partial + (size_t)t * p->y_stride + 16 * g);
  }
  const uint8_t *w2 = w + panel_bytes;
#pragma clang loop unroll_count(4)
  for (size_t quad = 0; quad < quads; quad++, w += 128, w2 += 128, x += TK_TILE_TOKENS) {
    __m512i c[4];
    c[0] = _mm512_load_si512(w);
    c[1] = _mm512_load_si512(w + 64);
    if (groups == 4) {
      c[2] = _mm512_load_si512(w2);
      c[3] = _mm512_load_si512(w2 + 64);
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      __m512i q = _mm512_set1_epi32(x[t]);
#pragma clang loop unroll(full)
      for (int g = 0; g < groups; g++) acc[g][t] = _mm512_dpbusd_epi32(acc[g][t], c[g], q);
    }
  }
#pragma clang loop unroll(full)
  for (int g = 0; g < groups; g++)
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      if (ends & LAST)
        store(p, row + 16 * (size_t)g, token + (size_t)t, acc[g][t], mask[g]);
      else
        _mm512_mask_storeu_epi32(partial + (size_t)t * p->y_stride + 16 * g, mask[g], acc[g][t]);
    }
}

typedef void (*block_function)(const tk_panel_product *, const uint8_t *, size_t, size_t,
                               const int32_t *, size_t, size_t, int);
#define TK_BLOCK(g, n)                                                                       \
  static TK_TARGET __attribute__((noinline)) void block##g##_##n(                            \
      const tk_panel_product *p, const uint8_t *w, size_t panel_bytes, size_t quads,         \
      const int32_t *x, size_t row, size_t token, int ends) {                                \
    block(p, w, panel_bytes, quads, x, row, token, ends, g, n);                              \
  }
TK_BLOCK(2, 2)
TK_BLOCK(2, 3)
TK_BLOCK(2, 4)
TK_BLOCK(2, 5)
TK_BLOCK(2, 6)
TK_BLOCK(4, 2)
TK_BLOCK(4, 3)
TK_BLOCK(4, 4)
TK_BLOCK(4, 5)
TK_BLOCK(4, 6)

/// By panels, then by tokens, from 2 on: a half of a tile of more than TK_FEW_TOKENS has no fewer.
static const block_function blocks[2][5] = {
    {block2_2, block2_3, block2_4, block2_5, block2_6},
    {block4_2, block4_3, block4_4, block4_5, block4_6},
};

TK_TARGET void tk_i2s_expand_avx512(const uint8_t *w, size_t steps, uint8_t *out) {
  const __m512i m = _mm512_set1_epi8(0x03);
  for (size_t step = 0; step < steps; step++, w += 128, out += 512) {
#pragma clang loop unroll(full)
    for (int half = 0; half < 128; half += 64) {
      __m512i line = _mm512_load_si512(w + half);
      _mm512_store_si512(out + half, _mm512_and_si512(line, m));
      _mm512_store_si512(out + 128 + half, _mm512_and_si512(_mm512_srli_epi16(line, 2), m));
      _mm512_store_si512(out + 256 + half, _mm512_and_si512(_mm512_srli_epi16(line, 4), m));
      _mm512_store_si512(out + 384 + half, _mm512_and_si512(_mm512_srli_epi16(line, 6), m));
    }
  }
}

/// Asks L2 for part `part` of `parts` of what will be expanded next.
static inline void prefetch(const tk_run *next, size_t part, size_t parts) {
  size_t all = next->runs * next->lines, end = all * (part + 1) / parts;
  for (size_t line = all * part / parts; line < end; line++)
    _mm_prefetch((const char *)next->base + line / next->lines * next->stride +
                     line % next->lines * 64,
                 _MM_HINT_T1);
}

TK_TARGET void tk_gemm_avx512vnni(const tk_panel_product *p, const tk_expander *from) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  size_t tiles = (p->tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  // Stretches of equal length, whole blocks.
  size_t most = TK_GEMM_STEPS / from->block * from->block;
  size_t stretches = (p->steps + most - 1) / most;
  size_t length = (p->steps + from->block * stretches - 1) / (from->block * stretches) * from->block;
  for (size_t panel = 0; panel < panels; panel += TK_GEMM_PANELS) {
    size_t count = panels - panel < TK_GEMM_PANELS ? panels - panel : TK_GEMM_PANELS;
    for (size_t start = 0; start < p->steps; start += length) {
      size_t end = start + length < p->steps ? start + length : p->steps;
      size_t expanded_bytes = (end - start) * 512;
      for (size_t i = 0; i < count; i++)
        from->expand(p, panel + i, start, end - start, p->scratch + i * expanded_bytes);
      tk_run next = {p->panels, 0, 0, 0};
      size_t left = panels - panel - count;
      if (end < p->steps)
        next = from->source(p, panel, count, end,
                            p->steps - end < length ? p->steps - end : length);
      else if (left > 0)
        next = from->source(p, panel + count, left < TK_GEMM_PANELS ? left : TK_GEMM_PANELS, 0,
                            p->steps < length ? p->steps : length);
      int ends = (start == 0 ? FIRST : 0) | (end == p->steps ? LAST : 0);
      for (size_t n = 0; n < tiles; n++) {
        prefetch(&next, n, tiles);
        size_t first = tk_tile_start(p->tokens, n);
        size_t tokens = tk_tile_start(p->tokens, n + 1) - first, half = (tokens + 1) / 2;
        const int32_t *x = p->tiles + (n * p->steps + start) * 4 * TK_TILE_TOKENS;
        for (size_t i = 0; i < count; i += 2) {
          const block_function *of = blocks[count - i > 1];
          const uint8_t *w = p->scratch + i * expanded_bytes;
          size_t row = (panel + i) * TK_PANEL_ROWS, quads = (end - start) * 4;
          of[half - 2](p, w, expanded_bytes, quads, x, row, first, ends);
          of[tokens - half - 2](p, w, expanded_bytes, quads, x + half, row, first + half, ends);
        }
      }
    }
  }
}
#endif
