// Output heads of 4, 6 and 8 bits in panels of 32 rows (tk_head.h), by vpdpbusd on zmm: activations
// are broadcast, no sum crosses lanes, what a run of 32 columns adds up to is an exact integer, and
// a panel is one stream.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_head.h"
#include "tk_stream.h"

#define TK_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_UNROLL _Pragma("clang loop unroll(full)")

enum {
  TILE = 4,                      ///< Tokens that share unpacked weights.
  QUADS = TK_HEAD_COLUMNS / 4,   ///< Most groups of four columns.
  RUNS = TK_HEAD_COLUMNS / 32,   ///< Most runs of a row.
  ROWS = 256,                    ///< Rows that stay in L2 while several tokens pass over them.
};

/// One token: value = scale · (256 · high + low), in runs of 32 columns.
typedef struct {
  int32_t high[QUADS], low[QUADS];
  /// − offset · Σ value of each run: takes the codes' offset away.
  int32_t start[RUNS];
  float scale[RUNS];
} input;

/// Rounds `n` activations; a run of zeros follows where it takes one to fill the last panel.
static TK_TARGET void prepare(const float *x, size_t n, size_t runs, int offset, input *out) {
  for (size_t run = 0; run < runs; run++) {
    __m512 v[2], most = _mm512_setzero_ps();
    for (size_t i = 0; i < 2; i++) {
      size_t at = 32 * run + 16 * i, left = n > at ? n - at : 0;
      __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
      v[i] = _mm512_maskz_loadu_ps(mask, x + at);
      most = _mm512_max_ps(most, _mm512_abs_ps(v[i]));
    }
    float greatest = _mm512_reduce_max_ps(most);
    // NaN slips through a maximum, but not through a sum.
    float sum = _mm512_reduce_add_ps(_mm512_add_ps(v[0], v[1]));
    float multiplier = 32512.0f / greatest;
    int is_finite = greatest <= 3.0e38f && sum == sum;
    // Runs of zeros, and of values too small to divide by, count as zeros.
    int is_zero = is_finite && !(multiplier <= 3.0e38f);
    out->scale[run] = is_zero ? 0 : is_finite ? greatest / 32512.0f : __builtin_nanf("");
    if (is_zero || !is_finite) multiplier = 0;
    __m512i total = _mm512_setzero_si512();
    for (size_t i = 0; i < 2; i++) {
      __m512i value =
          is_finite ? _mm512_cvtps_epi32(_mm512_mul_ps(v[i], _mm512_set1_ps(multiplier)))
                    : _mm512_setzero_si512();
      total = _mm512_add_epi32(total, value);
      __m512i high = _mm512_srai_epi32(_mm512_add_epi32(value, _mm512_set1_epi32(128)), 8);
      __m512i low = _mm512_sub_epi32(value, _mm512_slli_epi32(high, 8));
      _mm_storeu_si128((__m128i *)(out->high + 8 * run + 4 * i), _mm512_cvtepi32_epi8(high));
      _mm_storeu_si128((__m128i *)(out->low + 8 * run + 4 * i), _mm512_cvtepi32_epi8(low));
    }
    out->start[run] = -offset * _mm512_reduce_add_epi32(total);
  }
}

/// The codes of four columns of both groups of 16 rows, for quad `k` of a run at `w`. `high` keeps
/// the line of upper bits that two quads share.
TK_INLINE void unpack(const uint8_t *w, const int k, const int bits, __m512i *high, __m512i out[2]) {
  if (bits == 8) {
    out[0] = _mm512_load_si512(w + 128 * k);
    out[1] = _mm512_load_si512(w + 128 * k + 64);
    return;
  }
  const __m512i fifteen = _mm512_set1_epi8(15), upper = _mm512_set1_epi8(0x30);
  __m512i line = _mm512_load_si512(w + 64 + 64 * k);
  out[0] = _mm512_and_si512(line, fifteen);
  out[1] = _mm512_and_si512(_mm512_srli_epi16(line, 4), fifteen);
  if (bits == 4) return;
  if (k % 2 == 0) *high = _mm512_load_si512(w + 64 + 512 + 32 * k);
  __m512i first = k % 2 == 0 ? _mm512_slli_epi16(*high, 4) : *high;
  __m512i second = k % 2 == 0 ? _mm512_slli_epi16(*high, 2) : _mm512_srli_epi16(*high, 2);
  // 0xF8: a | (shifted & mask).
  out[0] = _mm512_ternarylogic_epi32(out[0], first, upper, 0xF8);
  out[1] = _mm512_ternarylogic_epi32(out[1], second, upper, 0xF8);
}

/// A panel with `tokens` tokens; `row_scales` for 8 bits.
TK_INLINE void panel(const uint8_t *w, const float *row_scales, size_t runs, const input *x, size_t rows,
                     float *y, size_t y_stride, const uint8_t *base, const uint8_t *end,
                     const int tokens, const int bits) {
  const size_t bytes = bits == 8 ? TK_HEAD_RUN_8 : bits == 6 ? TK_HEAD_RUN_6 : TK_HEAD_RUN_4;
  __m512 total[TILE][2];
  TK_UNROLL for (int t = 0; t < tokens; t++) total[t][0] = total[t][1] = _mm512_setzero_ps();
  for (size_t run = 0; run < runs; run++, w += bytes) {
    // Runs of 9 and 13 lines end amid a pair of lines, which is then asked for twice.
    TK_UNROLL for (size_t at = 0; at < bytes; at += 128) tk_prefetch(base, w + at, end);
    __m512i high[TILE][2], low[TILE][2], upper = _mm512_setzero_si512();
    TK_UNROLL for (int t = 0; t < tokens; t++) {
      high[t][0] = high[t][1] = _mm512_setzero_si512();
      low[t][0] = low[t][1] = _mm512_set1_epi32(x[t].start[run]);
    }
    TK_UNROLL for (int k = 0; k < 8; k++) {
      __m512i codes[2];
      unpack(w, k, bits, &upper, codes);
      TK_UNROLL for (int t = 0; t < tokens; t++) {
        __m512i q = _mm512_set1_epi32(x[t].high[8 * run + (size_t)k]);
        high[t][0] = _mm512_dpbusd_epi32(high[t][0], codes[0], q);
        high[t][1] = _mm512_dpbusd_epi32(high[t][1], codes[1], q);
        q = _mm512_set1_epi32(x[t].low[8 * run + (size_t)k]);
        low[t][0] = _mm512_dpbusd_epi32(low[t][0], codes[0], q);
        low[t][1] = _mm512_dpbusd_epi32(low[t][1], codes[1], q);
      }
    }
    TK_UNROLL for (int g = 0; g < 2; g++) {
      __m512 weights = _mm512_set1_ps(1);
      if (bits < 8) weights = _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(w + 32 * g)));
      TK_UNROLL for (int t = 0; t < tokens; t++) {
        __m512 scale = _mm512_set1_ps(x[t].scale[run]);
        if (bits < 8) scale = _mm512_mul_ps(scale, weights);
        __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(high[t][g], 8), low[t][g]);
        total[t][g] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, total[t][g]);
      }
    }
  }
  TK_UNROLL for (int g = 0; g < 2; g++) {
    size_t first = 16 * (size_t)g, left = rows > first ? rows - first : 0;
    __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
    TK_UNROLL for (int t = 0; t < tokens; t++) {
      __m512 sum = total[t][g];
      if (bits == 8) sum = _mm512_mul_ps(sum, _mm512_loadu_ps(row_scales + first));
      _mm512_mask_storeu_ps(y + (size_t)t * y_stride + first, mask, sum);
    }
  }
}

#define TK_PANELS(name, tokens, bits)                                                               \
  static TK_TARGET __attribute__((noinline)) void name(                                             \
      const uint8_t *w, const float *row_scales, size_t runs, size_t rows, const float *x,          \
      size_t x_stride, size_t n, float *y, size_t y_stride, const uint8_t *base,                    \
      const uint8_t *end) {                                                                         \
    input in[tokens];                                                                               \
    for (int t = 0; t < tokens; t++)                                                                \
      prepare(x + (size_t)t * x_stride, n, runs, 1 << (bits - 1), &in[t]);                          \
    size_t bytes = runs * (bits == 8 ? TK_HEAD_RUN_8 : bits == 6 ? TK_HEAD_RUN_6 : TK_HEAD_RUN_4);  \
    for (size_t r = 0; r < rows; r += 32, w += bytes)                                               \
      panel(w, bits == 8 ? row_scales + r : row_scales, runs, in, rows - r, y + r, y_stride, base,  \
            end, tokens, bits);                                                                     \
  }
TK_PANELS(one4, 1, 4)
TK_PANELS(one6, 1, 6)
TK_PANELS(one8, 1, 8)
TK_PANELS(four4, 4, 4)
TK_PANELS(four6, 4, 6)
TK_PANELS(four8, 4, 8)

void tk_head_panels_avx512vnni(const uint8_t *w, const float *row_scales, int bits, size_t rows,
                               const float *x, size_t x_stride, size_t tokens, size_t n, float *y,
                               size_t y_stride) {
  size_t runs = (n + 31) / 32;
  size_t bytes = runs * (bits == 8 ? TK_HEAD_RUN_8 : bits == 6 ? TK_HEAD_RUN_6 : TK_HEAD_RUN_4);
  const uint8_t *all = w + (rows + 31) / 32 * bytes;
  // One token takes all rows at once; several take rows that stay in L2, and only their first tile
  // reads memory.
  size_t step = tokens == 1 ? rows : ROWS;
  for (size_t r = 0; r < rows; r += step) {
    size_t count = rows - r < step ? rows - r : step;
    const float *scales = bits == 8 ? row_scales + r : row_scales;
    for (size_t t = 0; t < tokens;) {
      size_t taken = tokens - t >= TILE ? TILE : 1;
      (taken == TILE ? bits == 8 ? four8 : bits == 6 ? four6 : four4
                     : bits == 8 ? one8 : bits == 6 ? one6 : one4)(
          w + r / 32 * bytes, scales, runs, count, x + t * x_stride, x_stride, n,
          y + t * y_stride + r, y_stride, w, t == 0 ? all : w);
      t += taken;
    }
  }
}
#endif
