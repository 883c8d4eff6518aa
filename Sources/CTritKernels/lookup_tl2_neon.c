// TL2 on NEON: tbl looks 16 rows up at once, zips make int16 entries, and a multiply-add by +1 or
// -1 sums them with their signs.
#include "tk_lookup.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/// Entries of 16 rows as int16. The bytes of a group stand as rows 0-7, 16-23, 8-15, 24-31: the
/// first half of a register gives rows `r`, the second rows `r + 16`.
static inline void look_up(uint8x16_t nibbles, uint8x16_t low, uint8x16_t high, int16x8_t *first,
                           int16x8_t *second) {
  const uint8x16_t l = vqtbl1q_u8(low, nibbles), h = vqtbl1q_u8(high, nibbles);
  *first = vreinterpretq_s16_u8(vzip1q_u8(l, h));
  *second = vreinterpretq_s16_u8(vzip2q_u8(l, h));
}

/// -1 where the top bit is set, else 1.
static inline int16x8_t sign_of(int16x8_t word) {
  return vorrq_s16(vshrq_n_s16(word, 15), vdupq_n_s16(1));
}

static inline void widen(int16x8_t v, int32_t *sums) {
  vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), vget_low_s16(v)));
  vst1q_s32(sums + 4, vaddw_high_s16(vld1q_s32(sums + 4), v));
}

/// acc holds rows 0-7, 8-15, 16-23, 24-31.
static inline void widen_all(const int16x8_t *acc, int32_t *sums) {
  for (int i = 0; i < 4; i++) widen(acc[i], sums + 8 * i);
}

/// One triple of 32 rows: `nibbles` of both halves, the next two bits of the sign words.
static inline void triple(int16x8_t *acc, const uint8x16_t *nibbles, const uint8_t *table,
                          const int16x8_t *words) {
  const uint8x16_t low = vld1q_u8(table), high = vld1q_u8(table + 16);
  for (int i = 0; i < 2; i++) {
    int16x8_t a, b;
    look_up(nibbles[i], low, high, &a, &b);
    acc[i] = vmlaq_s16(acc[i], a, sign_of(words[i]));
    acc[i + 2] = vmlaq_s16(acc[i + 2], b, sign_of(vshlq_n_s16(words[i], 1)));
  }
}

static inline void pair(int16x8_t *acc, const uint8x16_t *nibbles, const uint8_t *table) {
  const uint8x16_t low = vld1q_u8(table), high = vld1q_u8(table + 16);
  for (int i = 0; i < 2; i++) {
    int16x8_t a, b;
    look_up(nibbles[i], low, high, &a, &b);
    acc[i] = vaddq_s16(acc[i], a);
    acc[i + 2] = vaddq_s16(acc[i + 2], b);
  }
}

/// High and low nibbles of 32 bytes.
static inline void split(const uint8_t *at, uint8x16_t *first, uint8x16_t *second) {
  for (int i = 0; i < 2; i++) {
    const uint8x16_t bytes = vld1q_u8(at + 16 * i);
    first[i] = vshrq_n_u8(bytes, 4);
    second[i] = vandq_u8(bytes, vdupq_n_u8(15));
  }
}

void tk_tl2_neon(const uint8_t *index, size_t index_stride, const uint8_t *signs,
                 size_t sign_stride, size_t tiles, size_t triples, const uint8_t *tables,
                 const uint8_t *pairs, size_t pair_stride, size_t pair_tiles,
                 const uint8_t *pair_tables, int32_t *sums) {
  uint8x16_t first[2], second[2];
  for (size_t r = 0; r < 32; r++) sums[r] = 0;
  for (size_t tile = 0; tile < tiles; tile++) {
    const uint8_t *at = index + tile * index_stride;
    const uint8_t *sign = signs + tile * sign_stride;
    int16x8_t acc[4] = {vdupq_n_s16(0), vdupq_n_s16(0), vdupq_n_s16(0), vdupq_n_s16(0)};
    for (size_t t = 0; t < triples; t += 8, sign += 32) {
      int16x8_t words[2] = {vreinterpretq_s16_u8(vld1q_u8(sign)),
                            vreinterpretq_s16_u8(vld1q_u8(sign + 16))};
#pragma clang loop unroll(full)
      for (size_t k = 0; k < 4; k++, at += 32, tables += 64) {
        split(at, first, second);
        triple(acc, first, tables, words);
        for (int i = 0; i < 2; i++) words[i] = vshlq_n_s16(words[i], 2);
        triple(acc, second, tables + 32, words);
        for (int i = 0; i < 2; i++) words[i] = vshlq_n_s16(words[i], 2);
      }
    }
    widen_all(acc, sums);
  }
  for (size_t tile = 0; tile < pair_tiles; tile++) {
    const uint8_t *at = pairs + tile * pair_stride;
    int16x8_t acc[4] = {vdupq_n_s16(0), vdupq_n_s16(0), vdupq_n_s16(0), vdupq_n_s16(0)};
    for (size_t k = 0; k < 8; k++, at += 32, pair_tables += 64) {
      split(at, first, second);
      pair(acc, first, pair_tables);
      pair(acc, second, pair_tables + 32);
    }
    widen_all(acc, sums);
  }
}
#endif
