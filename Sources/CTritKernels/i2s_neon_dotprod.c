// 2-bit weights by sdot: 16 products and their sums over 4 columns in one instruction, straight
// into int32. A code (0 to 2) is a small signed byte, so no correction is needed but Σ q. One load
// of 16 activations serves a whole step: sdot takes its 4 columns by element.
#if defined(__aarch64__)
#define TK_TARGET __attribute__((target("dotprod")))
#include "i2s_neon_body.h"

/// One panel, one token: field 1 is masked where it stands, field 2 moved to where field 1 was, and
/// both come out times 4 in accumulators that are shifted down once at the end (exactly: every term
/// is a multiple). Field 3 needs no mask. 10 instructions for 64 weights; masking field 2 where it
/// stands saves one, but takes 24 accumulators and then spills.
static TK_TARGET void one(const tk_panel_product *p, size_t panel, size_t token) {
  const uint8x16_t m = vdupq_n_u8(0x03), m4 = vdupq_n_u8(0x0C);
  int32x4_t acc[8], acc4[8];
#pragma clang loop unroll(full)
  for (int g = 0; g < 8; g++) acc[g] = acc4[g] = vdupq_n_s32(0);
  const uint8_t *w = p->panels + panel * p->steps * 128;
  const int8_t *values = p->values + token * p->stride;
  for (size_t step = 0; step < p->steps; step++, w += 128, values += 16) {
    const int8x16_t x = vld1q_s8(values);
#pragma clang loop unroll(full)
    for (int g = 0; g < 8; g++) {
      const uint8x16_t line = vld1q_u8(w + 16 * g);
      const uint8x16_t f0 = vandq_u8(line, m), f1 = vandq_u8(line, m4);
      const uint8x16_t f2 = vandq_u8(vshrq_n_u8(line, 2), m4), f3 = vshrq_n_u8(line, 6);
      acc[g] = vdotq_laneq_s32(acc[g], vreinterpretq_s8_u8(f0), x, 0);
      acc4[g] = vdotq_laneq_s32(acc4[g], vreinterpretq_s8_u8(f1), x, 1);
      acc4[g] = vdotq_laneq_s32(acc4[g], vreinterpretq_s8_u8(f2), x, 2);
      acc[g] = vdotq_laneq_s32(acc[g], vreinterpretq_s8_u8(f3), x, 3);
    }
  }
#pragma clang loop unroll(full)
  for (int g = 0; g < 8; g++)
    store4(p, panel * TK_PANEL_ROWS + 4 * (size_t)g, token, vsraq_n_s32(acc[g], acc4[g], 2));
}

/// `groups` times 4 rows from byte `offset` of each step, `tokens` tokens from `first`: the sums
/// stay in registers for all columns, and a field is unpacked once for all tokens.
TK_INLINE void block(const tk_panel_product *p, size_t panel, size_t offset, size_t first,
                     const int groups, const int tokens) {
  int32x4_t acc[8][4];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) acc[t][g] = vdupq_n_s32(0);
  const uint8_t *w = p->panels + panel * p->steps * 128 + offset;
  const int8_t *values = p->values + first * p->stride;
  for (size_t step = 0; step < p->steps; step++, w += 128, values += 16) {
    int8x16_t x[8];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) x[t] = vld1q_s8(values + (size_t)t * p->stride);
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) {
      const uint8x16_t line = vld1q_u8(w + 16 * g);
#define TK_FIELD(f)                                                                            \
  {                                                                                            \
    const int8x16_t codes = field(line, f);                                                    \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) acc[t][g] =            \
        vdotq_laneq_s32(acc[t][g], codes, x[t], f);                                            \
  }
      TK_FIELD(0)
      TK_FIELD(1)
      TK_FIELD(2)
      TK_FIELD(3)
#undef TK_FIELD
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++)
      store4(p, panel * TK_PANEL_ROWS + offset / 4 + 4 * (size_t)g, first + (size_t)t, acc[t][g]);
}

#define TK_BLOCK(g, t)                                                                            \
  static TK_TARGET __attribute__((noinline)) void block_##g##x##t(const tk_panel_product *p,      \
                                                                  size_t panel, size_t first) {   \
    for (size_t offset = 0; offset < 128; offset += 16 * g) block(p, panel, offset, first, g, t); \
  }
TK_BLOCK(2, 8)
TK_BLOCK(4, 4)
TK_BLOCK(4, 3)
TK_BLOCK(4, 2)

TK_TARGET void tk_i2s_neon_dotprod(const tk_panel_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    size_t t = 0;
    for (; t + 8 <= p->tokens; t += 8) block_2x8(p, panel, t);
    for (; t + 4 <= p->tokens; t += 4) block_4x4(p, panel, t);
    switch (p->tokens - t) {
    case 1: one(p, panel, t); break;
    case 2: block_4x2(p, panel, t); break;
    case 3: block_4x3(p, panel, t); break;
    default: break;
    }
  }
}
#endif
