// 2-bit weights on plain NEON (every AArch64): smlal into int16 sums, widened before they could
// overflow.
#if defined(__aarch64__)
#define TK_TARGET
#include "i2s_neon_body.h"

/// Steps after which int16 sums must be widened: a lane takes 4 products a step, of at most 2 *
/// 128, so 32 steps reach -32768 exactly and +32512.
#define TK_WIDEN_STEPS 32

/// `groups` times 4 rows from byte `offset` of each step, `tokens` tokens from `first`. An int16
/// lane sums one row's columns of the same place in their group of four; a register holds two rows.
TK_INLINE void block(const tk_panel_product *p, size_t panel, size_t offset, size_t first,
                     const int groups, const int tokens) {
  int32x4_t sums[4][8];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) sums[t][g] = vdupq_n_s32(0);
  const uint8_t *w = p->panels + panel * p->steps * 128 + offset;
  const int8_t *values = p->values + first * p->stride;
  size_t step = 0;
  while (step < p->steps) {
    size_t end = step + TK_WIDEN_STEPS < p->steps ? step + TK_WIDEN_STEPS : p->steps;
    int16x8_t low[4][8], high[4][8];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < groups; g++) low[t][g] = high[t][g] = vdupq_n_s16(0);
    for (; step < end; step++, w += 128, values += 16) {
#define TK_FIELD(f)                                                                              \
  _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                          \
    int8x16_t x = vreinterpretq_s8_s32(                                                          \
        vld1q_dup_s32((const int32_t *)(values + (size_t)t * p->stride + 4 * f)));               \
    TK_OPAQUE(x);                                                                                \
    _Pragma("clang loop unroll(full)") for (int g = 0; g < groups; g++) {                        \
      const int8x16_t codes = field(vld1q_u8(w + 16 * g), f);                                    \
      low[t][g] = vmlal_s8(low[t][g], vget_low_s8(codes), vget_low_s8(x));                       \
      high[t][g] = vmlal_high_s8(high[t][g], codes, x);                                          \
    }                                                                                            \
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
      for (int g = 0; g < groups; g++)
        sums[t][g] = vaddq_s32(
            sums[t][g], vpaddq_s32(vpaddlq_s16(low[t][g]), vpaddlq_s16(high[t][g])));
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++)
      store4(p, panel * TK_PANEL_ROWS + offset / 4 + 4 * (size_t)g, first + (size_t)t, sums[t][g]);
}

#define TK_BLOCK(g, t)                                                                            \
  static __attribute__((noinline)) void block_##g##x##t(const tk_panel_product *p, size_t panel,  \
                                                        size_t first) {                           \
    for (size_t offset = 0; offset < 128; offset += 16 * g) block(p, panel, offset, first, g, t); \
  }
TK_BLOCK(8, 1)
TK_BLOCK(4, 2)
TK_BLOCK(2, 4)

void tk_i2s_neon(const tk_panel_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    size_t t = 0;
    for (; t + 4 <= p->tokens; t += 4) block_2x4(p, panel, t);
    for (; t + 2 <= p->tokens; t += 2) block_4x2(p, panel, t);
    if (t < p->tokens) block_8x1(p, panel, t);
  }
}
#endif
