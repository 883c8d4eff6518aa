// 2-bit weights with group scales and float32 activations on zmm.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_groups.h"

#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_ENTRY tk_group_f32_avx512
#define TK_LANES 16
#define TK_PARTS 2
#define TK_WIDE 12
#define TK_CHAINS 4

typedef __m512 vec;
typedef __m512i line;

TK_INLINE vec zero(void) { return _mm512_setzero_ps(); }
TK_INLINE line load_line(const uint8_t *at) { return _mm512_load_si512(at); }
TK_INLINE vec broadcast(const float *at) { return _mm512_set1_ps(*at); }
TK_INLINE vec fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
TK_INLINE vec add(vec a, vec b) { return _mm512_add_ps(a, b); }

/// The trits whose codes stand `shift` bits up: vpermilps reads the lowest two bits of each lane.
TK_INLINE vec digit(line codes, const int shift) {
  const __m512 values = _mm512_set4_ps(0, 1, 0, -1);
  return _mm512_permutevar_ps(values, _mm512_srli_epi32(codes, (unsigned)shift));
}

TK_INLINE vec scale_line(const tk_group_product *p, const uint8_t *at, size_t lane) {
  if (p->half_scales)
    return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(at + 2 * lane)));
  return _mm512_load_ps(at + 4 * lane);
}

TK_INLINE void store(float *y, size_t count, vec value) {
  __mmask16 mask = count >= 16 ? 0xFFFF : (__mmask16)((1u << count) - 1);
  _mm512_mask_storeu_ps(y, mask, value);
}

#include "groups_f32_body.h"
#endif
