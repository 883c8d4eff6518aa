// 8-bit panels on NEON, included by int8_neon.c and int8_neon_dotprod.c, which define
//   TK_TARGET   the function attribute,
//   TK_ENTRY    the function's name,
//   TK_DOTPROD  1 where sdot exists.
// A q register holds 4 rows x 4 columns; a panel step is 8 of them. Both sides are signed, so that
// the corrections of vpdpbusd are not needed.
#include <arm_neon.h>

#include "tk_i2s.h"
#include "tk_int8.h"

#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

/// Sums of 4 rows in the making: one int32 a row, or two.
typedef struct sums4 {
  int32x4_t low;
#if !TK_DOTPROD
  int32x4_t high;
#endif
} sums4;

TK_INLINE void clear(sums4 *s) {
  s->low = vdupq_n_s32(0);
#if !TK_DOTPROD
  s->high = vdupq_n_s32(0);
#endif
}

TK_INLINE int32x4_t finish(const sums4 *s) {
#if TK_DOTPROD
  return s->low;
#else
  return vpaddq_s32(s->low, s->high);
#endif
}

/// Adds the products with 4 columns of activations, repeated for the 4 rows. Without sdot: int16
/// products (at most 2^14; two of them could overflow), widened pair by pair.
TK_INLINE void add_step(sums4 *s, int8x16_t w, int8x16_t x) {
#if TK_DOTPROD
  s->low = vdotq_s32(s->low, w, x);
#else
  s->low = vpadalq_s16(s->low, vmull_s8(vget_low_s8(w), vget_low_s8(x)));
  s->high = vpadalq_s16(s->high, vmull_high_s8(w, x));
#endif
}

/// Stores what `count` of 4 rows gave.
TK_INLINE void store4(const tk_int8_product *p, size_t at, size_t count, int32x4_t sums,
                      float32x4_t y) {
  for (size_t i = 0; i < count; i++) {
    if (p->y) {
      p->y[at + i] = y[i];
    } else {
      p->accumulators[at + i] = sums[i];
    }
  }
}

/// `groups` times 4 rows from byte `offset` of each step, `tokens` tokens from `first`.
TK_INLINE void block(const tk_int8_product *p, size_t panel, size_t offset, size_t first,
                     const int groups, const int tokens, const int scaled) {
  sums4 acc[4][8];
  float32x4_t totals[4][8];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) totals[t][g] = vdupq_n_f32(0);
  const uint8_t *w = p->panels + panel * p->steps * 128 + offset;
  const int8_t *values = p->values + first * p->stride;
  size_t row = panel * TK_PANEL_ROWS + offset / 4;
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < groups; g++) clear(&acc[t][g]);
    size_t end = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    for (; step < end; step++, w += 128) {
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        int8x16_t x = vreinterpretq_s8_s32(
            vld1q_dup_s32((const int32_t *)(values + (size_t)t * p->stride + 4 * step)));
        // Hides that its halves are equal: the compiler would then avoid smull2.
        __asm__("" : "+w"(x));
#pragma clang loop unroll(full)
        for (int g = 0; g < groups; g++)
          add_step(&acc[t][g], vld1q_s8((const int8_t *)w + 16 * g), x);
      }
    }
    if (!scaled) continue;
    const float *scales = p->scales + (panel * p->groups + group) * TK_PANEL_ROWS + offset / 4;
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < groups; g++)
        totals[t][g] =
            vfmaq_f32(totals[t][g], vcvtq_f32_s32(finish(&acc[t][g])), vld1q_f32(scales + 4 * g));
  }
#pragma clang loop unroll(full)
  for (int g = 0; g < groups; g++) {
    size_t r = row + 4 * (size_t)g;
    if (r >= p->rows) return;
    size_t count = p->rows - r < 4 ? p->rows - r : 4;
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      size_t token = first + (size_t)t;
      const float32x4_t scale = vdupq_n_f32(p->token_scales[token]);
      const int32x4_t sums = finish(&acc[t][g]);
      const float32x4_t y =
          scaled ? vmulq_f32(totals[t][g], scale)
                 : vmulq_f32(vcvtq_f32_s32(sums), vmulq_f32(scale, vld1q_f32(p->scales + r)));
      store4(p, token * p->y_stride + r, count, sums, y);
    }
  }
}

#define TK_BLOCK(g, t)                                                                           \
  static TK_TARGET __attribute__((noinline)) void block_##g##x##t(                               \
      const tk_int8_product *p, size_t panel, size_t first) {                                    \
    for (size_t offset = 0; offset < 128; offset += 16 * g) {                                    \
      if (p->groups > 1) {                                                                       \
        block(p, panel, offset, first, g, t, 1);                                                 \
      } else {                                                                                   \
        block(p, panel, offset, first, g, t, 0);                                                 \
      }                                                                                          \
    }                                                                                            \
  }
// One token reads the panel in order; four share each line of weights.
TK_BLOCK(8, 1)
#if TK_DOTPROD
TK_BLOCK(4, 4)
#define TK_FOUR block_4x4
#else
TK_BLOCK(2, 4)
#define TK_FOUR block_2x4
#endif

TK_TARGET void TK_ENTRY(const tk_int8_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    size_t t = 0;
    for (; t + 4 <= p->tokens; t += 4) TK_FOUR(p, panel, t);
    for (; t < p->tokens; t++) block_8x1(p, panel, t);
  }
}
