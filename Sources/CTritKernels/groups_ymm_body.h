// Group panels on 256-bit registers, included by groups_avx2.c and groups_avxvnni.c, which define
//   TK_TARGET  the function attribute,
//   TK_ENTRY   the function's name,
//   TK_VNNI    1 where vpdpbusd exists.
// As i2s_ymm_body.h; every group ends with a conversion and a fused multiply-add for each sum.
#include <immintrin.h>

#include "tk_groups.h"
#include "tk_i2s.h"
#include "tk_stream.h"

#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

/// Steps after which int16 sums must be widened: see i2s_ymm_body.h.
#define TK_WIDEN_STEPS 16

/// `parts` times 8 rows from byte `offset` of each step, `tokens` tokens from `first`.
TK_INLINE void block(const tk_group_product *p, size_t panel, size_t offset, size_t first,
                     const int parts, const int tokens) {
  const __m256i m = _mm256_set1_epi8(0x03);
  __m256 total[4][4];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) total[t][g] = _mm256_setzero_ps();
  const uint8_t *w = p->panels + panel * p->panel_bytes;
  const int8_t *x = p->values + first * p->stride;
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    __m256i sums[4][4];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < parts; g++)
        sums[t][g] =
            _mm256_set1_epi32(-p->group_sums[(first + (size_t)t) * p->groups + group]);
    size_t last = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    while (step < last) {
      size_t end = TK_VNNI || step + TK_WIDEN_STEPS > last ? last : step + TK_WIDEN_STEPS;
      __m256i acc[4][4];
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
        for (int g = 0; g < parts; g++) acc[t][g] = _mm256_setzero_si256();
      for (; step < end; step++, w += 128, x += 16) {
        if (parts == 4) tk_prefetch(p->panels, w, p->panels_end);
        __m256i line[4];
#pragma clang loop unroll(full)
        for (int g = 0; g < parts; g++)
          line[g] = _mm256_load_si256((const __m256i *)(w + offset) + g);
#pragma clang loop unroll(full)
        for (int f = 0; f < 4; f++) {
#pragma clang loop unroll(full)
          for (int t = 0; t < tokens; t++) {
            __m256i q = _mm256_set1_epi32(*(const int32_t *)(x + (size_t)t * p->stride + 4 * f));
#pragma clang loop unroll(full)
            for (int g = 0; g < parts; g++) {
              __m256i codes = _mm256_and_si256(f ? _mm256_srli_epi16(line[g], 2 * f) : line[g], m);
#if TK_VNNI
              acc[t][g] = _mm256_dpbusd_avx_epi32(acc[t][g], codes, q);
#else
              acc[t][g] = _mm256_add_epi16(acc[t][g], _mm256_maddubs_epi16(codes, q));
#endif
            }
          }
        }
      }
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
        for (int g = 0; g < parts; g++) {
#if TK_VNNI
          sums[t][g] = _mm256_add_epi32(sums[t][g], acc[t][g]);
#else
          sums[t][g] = _mm256_add_epi32(
              sums[t][g], _mm256_madd_epi16(acc[t][g], _mm256_set1_epi16(1)));
#endif
        }
    }
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) {
      size_t lane = offset / 4 + 8 * (size_t)g;
      __m256 scale = p->half_scales
                         ? _mm256_cvtph_ps(_mm_load_si128((const __m128i *)(w + 2 * lane)))
                         : _mm256_load_ps((const float *)(w + 4 * lane));
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++)
        total[t][g] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t][g]), scale, total[t][g]);
    }
    w += p->half_scales ? 64 : 128;
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < parts; g++) {
      size_t row = panel * TK_PANEL_ROWS + offset / 4 + 8 * (size_t)g;
      if (row >= p->rows) continue;
      size_t count = p->rows - row < 8 ? p->rows - row : 8, token = first + (size_t)t;
      __m256i mask = _mm256_cmpgt_epi32(
          _mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
      _mm256_maskstore_ps(p->y + token * p->y_stride + row, mask,
                          _mm256_mul_ps(total[t][g], _mm256_set1_ps(p->token_scales[token])));
    }
}

TK_TARGET void TK_ENTRY(const tk_group_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    size_t t = 0;
    for (; t + 4 <= p->tokens; t += 4) {
      block(p, panel, 0, t, 2, 4);
      block(p, panel, 64, t, 2, 4);
    }
    switch (p->tokens - t) {
    case 1: block(p, panel, 0, t, 4, 1); break;
    case 2:
      block(p, panel, 0, t, 2, 2);
      block(p, panel, 64, t, 2, 2);
      break;
    case 3:
      block(p, panel, 0, t, 2, 3);
      block(p, panel, 64, t, 2, 3);
      break;
    default: break;
    }
  }
}
