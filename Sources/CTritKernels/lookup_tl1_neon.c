// TL1 on NEON: tbl looks 16 rows up at once. High bytes of entries are -1, 0 or 1 and are summed as
// bytes; low bytes are widened. 124 pairs later both are put together.
#include "tk_lookup.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/// Sums of 16 rows in the making.
typedef struct strip16 {
  int8x16_t high;
  uint16x8_t low[2];
} strip16;

static inline void look_up(strip16 *s, uint8x16_t nibbles, uint8x16_t high, uint8x16_t low) {
  const uint8x16_t bytes = vqtbl1q_u8(low, nibbles);
  s->high = vaddq_s8(s->high, vreinterpretq_s8_u8(vqtbl1q_u8(high, nibbles)));
  s->low[0] = vaddw_u8(s->low[0], vget_low_u8(bytes));
  s->low[1] = vaddw_high_u8(s->low[1], bytes);
}

/// One byte column (two pairs, 64 bytes of tables) of 16 rows.
static inline void column(strip16 *s, const uint8_t *codes, const uint8x16_t *tables) {
  const uint8x16_t bytes = vld1q_u8(codes);
  look_up(s, vshrq_n_u8(bytes, 4), tables[0], tables[1]);
  look_up(s, vandq_u8(bytes, vdupq_n_u8(15)), tables[2], tables[3]);
}

static inline void load_tables(uint8x16_t *out, const uint8_t *tables) {
  for (int i = 0; i < 4; i++) out[i] = vld1q_u8(tables + 16 * i);
}

static inline void widen(const strip16 *s, int32_t *sums) {
  const int16x8_t a = vaddq_s16(
      vreinterpretq_s16_u16(s->low[0]), vshll_n_s8(vget_low_s8(s->high), 8));
  const int16x8_t b = vaddq_s16(
      vreinterpretq_s16_u16(s->low[1]), vshll_high_n_s8(s->high, 8));
  vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), vget_low_s16(a)));
  vst1q_s32(sums + 4, vaddw_high_s16(vld1q_s32(sums + 4), a));
  vst1q_s32(sums + 8, vaddw_s16(vld1q_s32(sums + 8), vget_low_s16(b)));
  vst1q_s32(sums + 12, vaddw_high_s16(vld1q_s32(sums + 12), b));
}

/// Inner groups after which sums are put together: 31 times 4 pairs (32 rows) or 2 (64 rows), where
/// byte sums of high bytes reach at most 124 and sums of low ones 31,620.
#define TK_GROUPS 31

void tk_tl1_neon(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups, size_t rows,
                 const uint8_t *tables, int32_t *sums) {
  for (size_t r = 0; r < rows; r++) sums[r] = 0;
  const size_t strips = rows / 16;
  uint8x16_t t[4];
  for (size_t tile = 0; tile < tiles; tile++) {
    const uint8_t *at = codes + tile * tile_stride;
    for (size_t first = 0; first < groups; first += TK_GROUPS) {
      size_t last = first + TK_GROUPS < groups ? first + TK_GROUPS : groups;
      strip16 s[4];
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) s[i] = (strip16){vdupq_n_s8(0), {vdupq_n_u16(0), vdupq_n_u16(0)}};
      if (rows == 32) {
        for (size_t g = first; g < last; g++, at += 64, tables += 128) {
          load_tables(t, tables);
          column(&s[0], at, t);
          column(&s[1], at + 32, t);
          load_tables(t, tables + 64);
          column(&s[0], at + 16, t);
          column(&s[1], at + 48, t);
        }
      } else {
        for (size_t g = first; g < last; g++, at += 64, tables += 64) {
          load_tables(t, tables);
#pragma clang loop unroll(full)
          for (int i = 0; i < 4; i++) column(&s[i], at + 16 * i, t);
        }
      }
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) {
        if (i < strips) widen(&s[i], sums + 16 * i);
      }
    }
  }
}
#endif
