// Group panels with float32 activations, included by groups_f32_avx2.c, groups_f32_avx512.c and
// groups_f32_neon.c, which define
//   TK_TARGET       the function attribute,
//   TK_ENTRY        the function's name,
//   TK_LANES        rows of a register,
//   TK_PARTS        registers of rows that one pass takes,
//   TK_WIDE         tokens of a pass where there are as many,
//   TK_CHAINS       sums for each register of rows of one token: they hide the latency of adding,
//   TK_TABLES       where there is one, the function for few tokens that have tables of pairs,
//   vec and line, registers of floats and of codes, and what is done with them.
// A code becomes -1, 0 or +1 in a register and meets one column's activation in a fused
// multiply-add: three operations for a register of weights and a token, one for each further token.
#include "tk_groups.h"
#include "tk_i2s.h"
#include "tk_stream.h"

/// `TK_PARTS` registers of rows from lane `lane` on, `tokens` tokens from `first`, `chains` sums
/// for each, by column modulo their number. `x` are the activations, `across` floats from one token
/// to the next and `along` from one column to the next.
TK_INLINE void block(const tk_group_product *p, const float *x, size_t across, const size_t along,
                     size_t panel, size_t lane, size_t first, const int tokens, const int chains) {
  vec total[TK_WIDE][TK_PARTS];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < TK_PARTS; g++) total[t][g] = zero();
  const uint8_t *w = p->panels + panel * p->panel_bytes;
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    vec acc[TK_WIDE][TK_PARTS][4];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < TK_PARTS; g++)
#pragma clang loop unroll(full)
        for (int c = 0; c < chains; c++) acc[t][g][c] = zero();
    size_t end = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    for (; step < end; step++, w += 128) {
      if (lane == 0) tk_prefetch(p->panels, w, p->panels_end);
      line codes[TK_PARTS];
#pragma clang loop unroll(full)
      for (int g = 0; g < TK_PARTS; g++) codes[g] = load_line(w + 4 * lane + 4 * TK_LANES * g);
      // Weights of columns that are not there are 0, and their activations are not read.
      const float *q = x + 16 * step * along;
      size_t columns = p->columns - 16 * step;
#define TK_COLUMN(k)                                                                         \
  if ((k) < columns) {                                                                         \
    vec weights[TK_PARTS];                                                                   \
    _Pragma("clang loop unroll(full)") for (int g = 0; g < TK_PARTS; g++) weights[g] =       \
        digit(codes[g], 8 * ((k) % 4) + 2 * ((k) / 4));                                          \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                    \
      vec value = broadcast(q + (size_t)t * across + (k) * along);                                  \
      _Pragma("clang loop unroll(full)") for (int g = 0; g < TK_PARTS; g++)                  \
          acc[t][g][(k) % chains] = fma(weights[g], value, acc[t][g][(k) % chains]);             \
    }                                                                                        \
  }
#define TK_QUAD(k) TK_COLUMN(k) TK_COLUMN(k + 1) TK_COLUMN(k + 2) TK_COLUMN(k + 3)
      if (columns >= 16) {
        columns = 16;
        TK_QUAD(0) TK_QUAD(4) TK_QUAD(8) TK_QUAD(12)
      } else {
        TK_QUAD(0) TK_QUAD(4) TK_QUAD(8) TK_QUAD(12)
      }
#undef TK_QUAD
#undef TK_COLUMN
    }
#pragma clang loop unroll(full)
    for (int g = 0; g < TK_PARTS; g++) {
      vec scale = scale_line(p, w, lane + TK_LANES * (size_t)g);
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        vec sum = acc[t][g][0];
#pragma clang loop unroll(full)
        for (int c = 1; c < chains; c++) sum = add(sum, acc[t][g][c]);
        total[t][g] = fma(sum, scale, total[t][g]);
      }
    }
    w += p->half_scales ? 64 : 128;
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < TK_PARTS; g++) {
      size_t row = panel * TK_PANEL_ROWS + lane + TK_LANES * (size_t)g;
      if (row < p->rows)
        store(p->y + (first + (size_t)t) * p->y_stride + row, p->rows - row, total[t][g]);
    }
}

/// One panel with a tile of activations, [columns][TK_TILE_TOKENS].
#define TK_TILE(n)                                                                              \
  static TK_TARGET __attribute__((noinline)) void tile##n(                                      \
      const tk_group_product *p, const float *x, size_t panel, size_t first) {                  \
    for (size_t lane = 0; lane < TK_PANEL_ROWS; lane += TK_LANES * TK_PARTS)                    \
      block(p, x, 1, TK_TILE_TOKENS, panel, lane, first, n, n < 4 ? TK_CHAINS : 1);             \
  }
#define TK_ROW(n)                                                                               \
  static TK_TARGET __attribute__((noinline)) void row##n(const tk_group_product *p,             \
                                                         size_t panel) {                        \
    for (size_t lane = 0; lane < TK_PANEL_ROWS; lane += TK_LANES * TK_PARTS)                    \
      block(p, p->floats, p->stride, 1, panel, lane, 0, n, TK_CHAINS);                          \
  }
TK_ROW(1)
TK_ROW(2)
TK_ROW(3)
TK_TILE(1)
TK_TILE(2)
TK_TILE(3)
TK_TILE(4)
#if TK_WIDE == 12
TK_TILE(5)
TK_TILE(6)
TK_TILE(7)
TK_TILE(8)
TK_TILE(9)
TK_TILE(10)
TK_TILE(11)
TK_TILE(12)
#endif

typedef void (*tile_function)(const tk_group_product *, const float *, size_t, size_t);
static const tile_function tile_functions[TK_WIDE] = {
    tile1, tile2, tile3, tile4,
#if TK_WIDE == 12
    tile5, tile6, tile7, tile8, tile9, tile10, tile11, tile12,
#endif
};

TK_TARGET void TK_ENTRY(const tk_group_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  if (p->tokens <= TK_FEW_TOKENS) {
#ifdef TK_TABLES
    if (p->float_tiles) return TK_TABLES(p, panels);
#endif
    for (size_t panel = 0; panel < panels; panel++) {
      if (p->tokens == 1) row1(p, panel);
      if (p->tokens == 2) row2(p, panel);
      if (p->tokens == 3) row3(p, panel);
    }
    return;
  }
  size_t tiles = (p->tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  for (size_t panel = 0; panel < panels; panel++) {
    for (size_t n = 0; n < tiles; n++) {
      size_t start = tk_tile_start(p->tokens, n), end = tk_tile_start(p->tokens, n + 1);
      const float *x = p->float_tiles + n * p->columns * TK_TILE_TOKENS;
      for (size_t t = start; t < end; t += TK_WIDE) {
        size_t count = end - t < TK_WIDE ? end - t : TK_WIDE;
        tile_functions[count - 1](p, x + (t - start), panel, t);
      }
    }
  }
}
