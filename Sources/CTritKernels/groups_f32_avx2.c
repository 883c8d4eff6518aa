// 2-bit weights with group scales and float32 activations on ymm.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_groups.h"

#define TK_TARGET __attribute__((target("avx2,fma,f16c")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_ENTRY tk_group_f32_avx2
#define TK_LANES 8
#define TK_PARTS 2
#define TK_WIDE 4
#define TK_CHAINS 4

typedef __m256 vec;
typedef __m256i line;

TK_INLINE vec zero(void) { return _mm256_setzero_ps(); }
TK_INLINE line load_line(const uint8_t *at) { return _mm256_load_si256((const __m256i *)at); }
TK_INLINE vec broadcast(const float *at) { return _mm256_broadcast_ss(at); }
TK_INLINE vec fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
TK_INLINE vec add(vec a, vec b) { return _mm256_add_ps(a, b); }

/// The trits whose codes stand `shift` bits up: vpermilps reads the lowest two bits of each lane.
TK_INLINE vec digit(line codes, const int shift) {
  const __m256 values = _mm256_setr_ps(-1, 0, 1, 0, -1, 0, 1, 0);
  return _mm256_permutevar_ps(values, _mm256_srli_epi32(codes, shift));
}

TK_INLINE vec scale_line(const tk_group_product *p, const uint8_t *at, size_t lane) {
  if (p->half_scales) return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)(at + 2 * lane)));
  return _mm256_load_ps((const float *)(at + 4 * lane));
}

TK_INLINE void store(float *y, size_t count, vec value) {
  __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count < 8 ? (int)count : 8),
                                    _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  _mm256_maskstore_ps(y, mask, value);
}

#include "groups_f32_body.h"
#endif
