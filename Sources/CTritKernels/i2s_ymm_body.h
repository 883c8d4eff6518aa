// 2-bit panels on 256-bit registers, included by i2s_avx2.c, i2s_avxvnni.c and base3_avx2.c, which
// define
//   TK_TARGET  the function attribute,
//   TK_ENTRY   the function's name, or nothing where blocks alone are wanted,
//   TK_VNNI    1 where vpdpbusd exists.
// A ymm holds 8 rows x 4 columns of each 2-bit field; a panel is 4 of them a step. One token takes
// all four at once (the stream of weights is read in order), up to four tokens take two at a time.
#include <immintrin.h>

#include "tk_i2s.h"
#include "tk_stream.h"

#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

/// Steps after which int16 sums must be widened: a step adds at most 4 fields of 2 products of at
/// most 2 * 128, so 16 steps reach -32768 exactly and +32512.
#define TK_WIDEN_STEPS 16

TK_INLINE void store8(const tk_panel_product *p, size_t row, size_t token, __m256i sums) {
  if (row >= p->rows) return;
  size_t count = p->rows - row < 8 ? p->rows - row : 8;
  sums = _mm256_sub_epi32(sums, _mm256_set1_epi32(p->sums[token]));
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
  size_t at = token * p->y_stride + row;
  if (p->y) {
    __m256 scale = _mm256_mul_ps(
        _mm256_loadu_ps(p->row_scales + row), _mm256_set1_ps(p->token_scales[token]));
    _mm256_maskstore_ps(p->y + at, mask, _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale));
  } else {
    _mm256_maskstore_epi32(p->accumulators + at, mask, sums);
  }
}

/// Some steps of a panel's columns.
typedef struct stretch {
  /// The first step.
  const uint8_t *w;
  size_t steps;
  /// The step's first column.
  size_t column;
  /// Whether columns before have been summed already, or others follow: unfinished sums stand, as
  /// int32, where the outputs will.
  int continues, is_unfinished;
} stretch;

/// Where the unfinished sums of 8 rows from `row` on stand, and which exist.
TK_INLINE int32_t *partial(const tk_panel_product *p, size_t row, size_t token, __m256i *mask) {
  size_t count = row >= p->rows ? 0 : p->rows - row < 8 ? p->rows - row : 8;
  *mask = _mm256_cmpgt_epi32(
      _mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  void *out = p->y ? (void *)p->y : (void *)p->accumulators;
  return (int32_t *)out + token * p->y_stride + row;
}

/// `groups` times 8 rows from byte `offset` of each step, `tokens` tokens from `first`.
TK_INLINE void block(const tk_panel_product *p, size_t panel, const stretch *s, size_t offset,
                     size_t first, const int groups, const int tokens) {
  const __m256i m = _mm256_set1_epi8(0x03);
  size_t row = panel * TK_PANEL_ROWS + offset / 4;
  __m256i sums[4][4], mask;
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) {
      sums[t][g] = _mm256_setzero_si256();
      if (s->continues) {
        const int32_t *at = partial(p, row + 8 * (size_t)g, first + (size_t)t, &mask);
        sums[t][g] = _mm256_maskload_epi32(at, mask);
      }
    }
  const uint8_t *w = s->w + offset;
  const uint8_t *all =
      p->panels + (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS * p->steps * 128;
  // Panels that were expanded into a buffer are in a cache already.
  const int streams = groups == 4 && w >= p->panels && w < all;
  const int8_t *x = p->values + first * p->stride + s->column;
  size_t step = 0;
  while (step < s->steps) {
    size_t end = TK_VNNI || step + TK_WIDEN_STEPS > s->steps ? s->steps : step + TK_WIDEN_STEPS;
    __m256i acc[4][4];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < groups; g++) acc[t][g] = _mm256_setzero_si256();
    for (; step < end; step++, w += 128, x += 16) {
      if (streams) tk_prefetch(p->panels, w, all);
      __m256i line[4];
#pragma clang loop unroll(full)
      for (int g = 0; g < groups; g++) line[g] = _mm256_load_si256((const __m256i *)w + g);
#pragma clang loop unroll(full)
      for (int f = 0; f < 4; f++) {
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
          __m256i q = _mm256_set1_epi32(*(const int32_t *)(x + (size_t)t * p->stride + 4 * f));
#pragma clang loop unroll(full)
          for (int g = 0; g < groups; g++) {
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
      for (int g = 0; g < groups; g++) {
#if TK_VNNI
        sums[t][g] = _mm256_add_epi32(sums[t][g], acc[t][g]);
#else
        sums[t][g] = _mm256_add_epi32(
            sums[t][g], _mm256_madd_epi16(acc[t][g], _mm256_set1_epi16(1)));
#endif
      }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) {
      if (s->is_unfinished) {
        int32_t *at = partial(p, row + 8 * (size_t)g, first + (size_t)t, &mask);
        _mm256_maskstore_epi32(at, mask, sums[t][g]);
      } else {
        store8(p, row + 8 * (size_t)g, first + (size_t)t, sums[t][g]);
      }
    }
}

/// All tokens with some steps of a panel.
TK_INLINE void stretch_tokens(const tk_panel_product *p, size_t panel, const stretch *s) {
  size_t t = 0;
  for (; t + 4 <= p->tokens; t += 4) {
    block(p, panel, s, 0, t, 2, 4);
    block(p, panel, s, 64, t, 2, 4);
  }
  switch (p->tokens - t) {
  case 1: block(p, panel, s, 0, t, 4, 1); break;
  case 2:
    block(p, panel, s, 0, t, 2, 2);
    block(p, panel, s, 64, t, 2, 2);
    break;
  case 3:
    block(p, panel, s, 0, t, 2, 3);
    block(p, panel, s, 64, t, 2, 3);
    break;
  default: break;
  }
}

#ifdef TK_ENTRY
TK_TARGET void TK_ENTRY(const tk_panel_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    const stretch all = {p->panels + panel * p->steps * 128, p->steps, 0, 0, 0};
    stretch_tokens(p, panel, &all);
  }
}
#endif
