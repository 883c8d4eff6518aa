// 8-bit weights on AVX2: both sides widened to int16, since vpmaddubsw would saturate; vpmaddwd
// adds pairs exactly into int32.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "tk_i2s.h"
#include "tk_int8.h"

#define TK_TARGET __attribute__((target("avx2,fma")))

/// One panel with one token.
static TK_TARGET void panel_by_token(const tk_int8_product *p, size_t panel, size_t token) {
  const uint8_t *w = p->panels + panel * p->steps * 128;
  const int8_t *x = p->values + token * p->stride;
  size_t row = panel * TK_PANEL_ROWS;
  size_t rows = p->rows - row < TK_PANEL_ROWS ? p->rows - row : TK_PANEL_ROWS;
  int32_t sums[TK_PANEL_ROWS];
  float totals[TK_PANEL_ROWS] = {0};
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    // An accumulator holds 4 rows, two partial sums each.
    __m256i acc[8];
    for (int i = 0; i < 8; i++) acc[i] = _mm256_setzero_si256();
    size_t end = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    for (; step < end; step++, w += 128) {
      int32_t quad;
      memcpy(&quad, x + 4 * step, 4);
      __m256i q = _mm256_cvtepi8_epi16(_mm_set1_epi32(quad));
#pragma clang loop unroll(full)
      for (int i = 0; i < 8; i++) {
        __m256i v = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)w + i));
        acc[i] = _mm256_add_epi32(acc[i], _mm256_madd_epi16(v, q));
      }
    }
    for (int i = 0; i < 4; i++) {
      __m256i pairs = _mm256_hadd_epi32(acc[2 * i], acc[2 * i + 1]);
      pairs = _mm256_permute4x64_epi64(pairs, 0xD8);
      _mm256_storeu_si256((__m256i *)sums + i, pairs);
    }
    if (p->groups > 1) {
      const float *scales = p->scales + (panel * p->groups + group) * TK_PANEL_ROWS;
      for (size_t r = 0; r < TK_PANEL_ROWS; r++) totals[r] += (float)sums[r] * scales[r];
    }
  }
  size_t at = token * p->y_stride + row;
  float token_scale = p->token_scales[token];
  for (size_t r = 0; r < rows; r++) {
    if (p->groups > 1) {
      p->y[at + r] = totals[r] * token_scale;
    } else if (p->y) {
      p->y[at + r] = (float)sums[r] * (token_scale * p->scales[row + r]);
    } else {
      p->accumulators[at + r] = sums[r];
    }
  }
}

TK_TARGET void tk_int8_avx2(const tk_int8_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    for (size_t token = 0; token < p->tokens; token++) panel_by_token(p, panel, token);
  }
}
#endif
