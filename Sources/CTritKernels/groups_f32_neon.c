// 2-bit weights with group scales and float32 activations on NEON.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "tk_groups.h"

#define TK_TARGET
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_ENTRY tk_group_f32_neon
#define TK_LANES 4
#define TK_PARTS 4
#define TK_WIDE 4
#define TK_CHAINS 2

typedef float32x4_t vec;
typedef uint32x4_t line;

TK_INLINE vec zero(void) { return vdupq_n_f32(0); }
TK_INLINE line load_line(const uint8_t *at) { return vreinterpretq_u32_u8(vld1q_u8(at)); }
TK_INLINE vec broadcast(const float *at) { return vld1q_dup_f32(at); }
TK_INLINE vec fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
TK_INLINE vec add(vec a, vec b) { return vaddq_f32(a, b); }

/// The trits whose codes stand `shift` bits up.
TK_INLINE vec digit(line codes, const int shift) {
  const uint32x4_t low = vandq_u32(vshlq_u32(codes, vdupq_n_s32(-shift)), vdupq_n_u32(3));
  return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(low), vdupq_n_s32(1)));
}

TK_INLINE vec scale_line(const tk_group_product *p, const uint8_t *at, size_t lane) {
  if (p->half_scales)
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)(at + 2 * lane))));
  return vld1q_f32((const float *)(at + 4 * lane));
}

TK_INLINE void store(float *y, size_t count, vec value) {
  if (count >= 4) {
    vst1q_f32(y, value);
  } else {
    for (size_t i = 0; i < count; i++) y[i] = value[i];
  }
}

#include "groups_f32_body.h"
#endif
