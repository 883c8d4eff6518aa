// What the two forms of NEON share on 2-bit panels; included by i2s_neon.c and i2s_neon_dotprod.c,
// which define TK_TARGET, the function attribute. A q register holds 4 rows x 4 columns of each
// 2-bit field; a line is 4 of them, a panel step 8.
#include <arm_neon.h>

#include "tk_i2s.h"

#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

/// Hides that both halves of a register are equal: the compiler would move the upper half of the
/// other factor down rather than use smlal2.
#define TK_OPAQUE(r) __asm__("" : "+w"(r))

/// Stores the sums of up to 4 rows of one token, scaled or as they are.
TK_INLINE void store4(const tk_panel_product *p, size_t row, size_t token, int32x4_t sums) {
  if (row >= p->rows) return;
  size_t count = p->rows - row < 4 ? p->rows - row : 4;
  sums = vsubq_s32(sums, vdupq_n_s32(p->sums[token]));
  size_t at = token * p->y_stride + row;
  if (p->y) {
    float32x4_t scale = vmulq_n_f32(vld1q_f32(p->row_scales + row), p->token_scales[token]);
    float32x4_t y = vmulq_f32(vcvtq_f32_s32(sums), scale);
    if (count == 4) {
      vst1q_f32(p->y + at, y);
    } else {
      for (size_t i = 0; i < count; i++) p->y[at + i] = y[i];
    }
  } else if (count == 4) {
    vst1q_s32(p->accumulators + at, sums);
  } else {
    for (size_t i = 0; i < count; i++) p->accumulators[at + i] = sums[i];
  }
}

/// Field f of each byte: one operation for the first and the last, two for the others.
TK_INLINE int8x16_t field(uint8x16_t w, const int f) {
  const uint8x16_t mask = vdupq_n_u8(3);
  uint8x16_t codes;
  switch (f) {
  case 0: codes = vandq_u8(w, mask); break;
  case 1: codes = vandq_u8(vshrq_n_u8(w, 2), mask); break;
  case 2: codes = vandq_u8(vshrq_n_u8(w, 4), mask); break;
  default: codes = vshrq_n_u8(w, 6); break;
  }
  return vreinterpretq_s8_u8(codes);
}
