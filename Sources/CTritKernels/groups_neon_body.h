// Group panels on NEON, included by groups_neon.c and groups_neon_dotprod.c, which define
//   TK_TARGET   the function attribute,
//   TK_ENTRY    the function's name,
//   TK_DOTPROD  1 where sdot exists.
// As i2s_neon.c and i2s_neon_dotprod.c; every group ends with a conversion and a fused multiply-add
// for each sum.
#include "i2s_neon_body.h"
#include "tk_groups.h"

/// Steps after which int16 sums must be widened: see i2s_neon.c.
#define TK_WIDEN_STEPS 32

/// Adds `steps` steps of `parts` times 4 rows at `w` to the sums of `tokens` tokens at `x`.
TK_INLINE void add_steps(const uint8_t *w, const int8_t *x, size_t stride, size_t steps,
                         const int parts, const int tokens, int32x4_t sums[4][8]) {
#if TK_DOTPROD
  for (size_t step = 0; step < steps; step++, w += 128, x += 16) {
    int8x16_t q[4];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) q[t] = vld1q_s8(x + (size_t)t * stride);
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) {
      const uint8x16_t line = vld1q_u8(w + 16 * g);
#define TK_FIELD(f)                                                                         \
  {                                                                                         \
    const int8x16_t codes = field(line, f);                                                 \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) sums[t][g] =        \
        vdotq_laneq_s32(sums[t][g], codes, q[t], f);                                        \
  }
      TK_FIELD(0)
      TK_FIELD(1)
      TK_FIELD(2)
      TK_FIELD(3)
#undef TK_FIELD
    }
  }
#else
  int16x8_t low[4][8], high[4][8];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) low[t][g] = high[t][g] = vdupq_n_s16(0);
  for (size_t step = 0; step < steps; step++, w += 128, x += 16) {
#define TK_FIELD(f)                                                                              \
  _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                          \
    int8x16_t q = vreinterpretq_s8_s32(                                                          \
        vld1q_dup_s32((const int32_t *)(x + (size_t)t * stride + 4 * f)));                       \
    TK_OPAQUE(q);                                                                                \
    _Pragma("clang loop unroll(full)") for (int g = 0; g < parts; g++) {                         \
      const int8x16_t codes = field(vld1q_u8(w + 16 * g), f);                                    \
      low[t][g] = vmlal_s8(low[t][g], vget_low_s8(codes), vget_low_s8(q));                       \
      high[t][g] = vmlal_high_s8(high[t][g], codes, q);                                          \
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
    for (int g = 0; g < parts; g++)
      sums[t][g] =
          vaddq_s32(sums[t][g], vpaddq_s32(vpaddlq_s16(low[t][g]), vpaddlq_s16(high[t][g])));
#endif
}

/// `parts` times 4 rows from byte `offset` of each step, `tokens` tokens from `first`.
TK_INLINE void block(const tk_group_product *p, size_t panel, size_t offset, size_t first,
                     const int parts, const int tokens) {
  float32x4_t total[4][8];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) total[t][g] = vdupq_n_f32(0);
  const uint8_t *w = p->panels + panel * p->panel_bytes;
  const int8_t *x = p->values + first * p->stride;
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    int32x4_t sums[4][8];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < parts; g++)
        sums[t][g] = vdupq_n_s32(-p->group_sums[(first + (size_t)t) * p->groups + group]);
    size_t last = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    while (step < last) {
      size_t count = TK_DOTPROD || last - step < TK_WIDEN_STEPS ? last - step : TK_WIDEN_STEPS;
      add_steps(w + offset, x, p->stride, count, parts, tokens, sums);
      step += count;
      w += count * 128;
      x += count * 16;
    }
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) {
      size_t lane = offset / 4 + 4 * (size_t)g;
      float32x4_t scale =
          p->half_scales
              ? vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)(w + 2 * lane))))
              : vld1q_f32((const float *)(w + 4 * lane));
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++)
        total[t][g] = vfmaq_f32(total[t][g], vcvtq_f32_s32(sums[t][g]), scale);
    }
    w += p->half_scales ? 64 : 128;
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) {
      size_t row = panel * TK_PANEL_ROWS + offset / 4 + 4 * (size_t)g, token = first + (size_t)t;
      size_t count = row >= p->rows ? 0 : p->rows - row < 4 ? p->rows - row : 4;
      float32x4_t y = vmulq_n_f32(total[t][g], p->token_scales[token]);
      float *out = p->y + token * p->y_stride + row;
      if (count == 4) {
        vst1q_f32(out, y);
      } else {
        for (size_t i = 0; i < count; i++) out[i] = y[i];
      }
    }
}

#define TK_BLOCK(g, t)                                                                            \
  static TK_TARGET __attribute__((noinline)) void block_##g##x##t(const tk_group_product *p,      \
                                                                  size_t panel, size_t first) {   \
    for (size_t offset = 0; offset < 128; offset += 16 * g) block(p, panel, offset, first, g, t); \
  }
TK_BLOCK(8, 1)
TK_BLOCK(4, 2)
TK_BLOCK(2, 4)

TK_TARGET void TK_ENTRY(const tk_group_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    size_t t = 0;
    for (; t + 4 <= p->tokens; t += 4) block_2x4(p, panel, t);
    for (; t + 2 <= p->tokens; t += 2) block_4x2(p, panel, t);
    if (t < p->tokens) block_8x1(p, panel, t);
  }
}
