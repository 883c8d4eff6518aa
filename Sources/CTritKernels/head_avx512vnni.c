// Output heads of 4, 6 and 8 bits by vpdpbusd on zmm: what the float form of head_body.h spends on widening
// every weight to 32 bits keeps it from the read bandwidth; a byte a weight is four times less work.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "tk_head.h"
#include "tk_stream.h"

#define TK_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

enum {
  BLOCKS = TK_HEAD_COLUMNS / 128, ///< Most blocks of a row.
  TILE = 4,                       ///< Tokens that share unpacked weights.
};

/// 64 columns of one token: value = scale · (256 · high + low).
typedef struct {
  __m512i high, low;
  /// − (8, 32 or 128) · Σ value of each four columns: takes the codes' offset away.
  __m512i start;
  /// The scale of the columns' run, in the lane of each four.
  __m512 scale;
} half_block;

/// 64 columns, of which `count` exist.
TK_INLINE void prepare(const float *x, size_t count, int offset, half_block *out) {
  int32_t values[64];
  float scales[2];
  for (size_t run = 0; run < 2; run++) {
    __m512 v[2], most = _mm512_setzero_ps();
    for (size_t i = 0; i < 2; i++) {
      size_t at = 32 * run + 16 * i;
      size_t left = count > at ? count - at : 0;
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
    scales[run] = is_zero ? 0 : is_finite ? greatest / 32512.0f : __builtin_nanf("");
    if (is_zero || !is_finite) multiplier = 0;
    for (size_t i = 0; i < 2; i++) {
      __m512 product = _mm512_mul_ps(v[i], _mm512_set1_ps(multiplier));
      _mm512_storeu_si512(values + 32 * run + 16 * i,
                          is_finite ? _mm512_cvtps_epi32(product) : _mm512_setzero_si512());
    }
  }
  int8_t high[64], low[64];
  int32_t start[16];
  float scale[16];
  for (int lane = 0; lane < 16; lane++) {
    int32_t sum = 0;
    for (int j = 0; j < 4; j++) {
      int32_t value = values[4 * lane + j], top = (value + 128) >> 8;
      high[4 * lane + j] = (int8_t)top;
      low[4 * lane + j] = (int8_t)(value - 256 * top);
      sum += value;
    }
    start[lane] = -offset * sum;
    scale[lane] = scales[lane / 8];
  }
  out->high = _mm512_loadu_si512(high);
  out->low = _mm512_loadu_si512(low);
  out->start = _mm512_loadu_si512(start);
  out->scale = _mm512_loadu_ps(scale);
}

/// Codes times activations of 64 columns, by four columns: integers below 2^24, exact as floats.
TK_INLINE __m512 multiply(__m512i codes, const half_block *x) {
  __m512i high = _mm512_dpbusd_epi32(_mm512_setzero_si512(), codes, x->high);
  __m512i low = _mm512_dpbusd_epi32(x->start, codes, x->low);
  return _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(high, 8), low));
}

/// One row with `tokens` tokens.
TK_INLINE void row(const uint8_t *w, const uint16_t *scales, const uint8_t *base,
                   const uint8_t *end, size_t blocks, half_block (*x)[2 * BLOCKS], float *y,
                   size_t y_stride, const int tokens, const int bits) {
  const __m512i fifteen = _mm512_set1_epi8(15), high_bits = _mm512_set1_epi8(0x30);
  const __m512i first = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const __m512i second = _mm512_setr_epi32(2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  // 16-bit lanes of the lower and the upper 32 columns are shifted by different amounts.
  const __m512i left = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
  const __m512i right = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
  __m512 sums[TILE][2];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) sums[t][0] = sums[t][1] = _mm512_setzero_ps();
  for (size_t block = 0; block < blocks; block++) {
    if (bits == 6 || block % 2 == 0) tk_prefetch_pages(base, w, end);
    __m512i line = _mm512_loadu_si512(w);
    __m512i a = _mm512_and_si512(line, fifteen);
    __m512i b = _mm512_and_si512(_mm512_srli_epi16(line, 4), fifteen);
    if (bits == 6) {
      __m512i high = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(w + 64)));
      // 0xF8: a | (shifted & mask).
      a = _mm512_ternarylogic_epi32(a, _mm512_sllv_epi16(high, left), high_bits, 0xF8);
      b = _mm512_ternarylogic_epi32(b, _mm512_srlv_epi16(high, right), high_bits, 0xF8);
    }
    w += bits == 4 ? 64 : 96;
    __m512 four = _mm512_castps128_ps512(
        _mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(scales + 4 * block))));
    __m512 scale_a = _mm512_permutexvar_ps(first, four);
    __m512 scale_b = _mm512_permutexvar_ps(second, four);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      const half_block *in = &x[t][2 * block];
      sums[t][0] = _mm512_fmadd_ps(
          multiply(a, in), _mm512_mul_ps(scale_a, in[0].scale), sums[t][0]);
      sums[t][1] = _mm512_fmadd_ps(
          multiply(b, in + 1), _mm512_mul_ps(scale_b, in[1].scale), sums[t][1]);
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    y[(size_t)t * y_stride] = _mm512_reduce_add_ps(_mm512_add_ps(sums[t][0], sums[t][1]));
  }
}

/// One row of int8 weights in `halves` times 64 columns; plus 128 makes them unsigned.
TK_INLINE void row8(const int8_t *w, const uint8_t *base, const uint8_t *end, size_t halves,
                    half_block (*x)[2 * BLOCKS], float scale, float *y, size_t y_stride,
                    const int tokens) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  __m512 sums[TILE][2];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) sums[t][0] = sums[t][1] = _mm512_setzero_ps();
  size_t half = 0;
  for (; half + 2 <= halves; half += 2, w += 128) {
    tk_prefetch_pages(base, (const uint8_t *)w, end);
    __m512i a = _mm512_xor_si512(_mm512_loadu_si512(w), flip);
    __m512i b = _mm512_xor_si512(_mm512_loadu_si512(w + 64), flip);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      const half_block *in = &x[t][half];
      sums[t][0] = _mm512_fmadd_ps(multiply(a, in), in[0].scale, sums[t][0]);
      sums[t][1] = _mm512_fmadd_ps(multiply(b, in + 1), in[1].scale, sums[t][1]);
    }
  }
  if (half < halves) {
    __m512i a = _mm512_xor_si512(_mm512_loadu_si512(w), flip);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
      sums[t][0] = _mm512_fmadd_ps(multiply(a, &x[t][half]), x[t][half].scale, sums[t][0]);
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    y[(size_t)t * y_stride] =
        scale * _mm512_reduce_add_ps(_mm512_add_ps(sums[t][0], sums[t][1]));
  }
}

/// `tokens` tokens with columns in `halves` times 64.
TK_INLINE void prepare_all(const float *x, size_t x_stride, size_t n, size_t halves, int offset,
                           half_block (*out)[2 * BLOCKS], const int tokens) {
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    for (size_t half = 0; half < halves; half++) {
      size_t left = n > 64 * half ? n - 64 * half : 0;
      prepare(x + (size_t)t * x_stride + 64 * half, left, offset, &out[t][half]);
    }
  }
}

/// `rows` rows with `tokens` tokens.
TK_INLINE void tile(const uint8_t *w, const uint16_t *scales, const uint8_t *base,
                    const uint8_t *end, size_t rows, const float *x, size_t x_stride, size_t n,
                    float *y, size_t y_stride, const int tokens, const int bits) {
  half_block prepared[TILE][2 * BLOCKS];
  size_t blocks = (n + 127) / 128;
  prepare_all(x, x_stride, n, 2 * blocks, bits == 4 ? 8 : 32, prepared, tokens);
  size_t bytes = blocks * (bits == 4 ? 64 : 96);
  for (size_t r = 0; r < rows; r++) {
    row(w + r * bytes, scales + r * blocks * 4, base, end, blocks, prepared, y + r, y_stride,
        tokens, bits);
  }
}

#define TK_TILE(name, tokens, bits)                                                              \
  static TK_TARGET __attribute__((noinline)) void name(                                          \
      const uint8_t *w, const uint16_t *scales, const uint8_t *base, const uint8_t *end,         \
      size_t rows, const float *x, size_t x_stride, size_t n, float *y, size_t y_stride) {       \
    tile(w, scales, base, end, rows, x, x_stride, n, y, y_stride, tokens, bits);                 \
  }
TK_TILE(tile_1x4, 1, 4)
TK_TILE(tile_4x4, 4, 4)
TK_TILE(tile_1x6, 1, 6)
TK_TILE(tile_4x6, 4, 6)

#define TK_TILE8(name, tokens)                                                                   \
  static TK_TARGET __attribute__((noinline)) void name(                                          \
      const int8_t *w, const float *scales, size_t w_stride, const uint8_t *base,                \
      const uint8_t *end, size_t rows, const float *x, size_t x_stride, size_t n, float *y,      \
      size_t y_stride) {                                                                         \
    half_block prepared[TILE][2 * BLOCKS];                                                       \
    size_t halves = (n + 63) / 64;                                                               \
    prepare_all(x, x_stride, n, halves, 128, prepared, tokens);                                  \
    for (size_t r = 0; r < rows; r++) {                                                          \
      row8(w + r * w_stride, base, end, halves, prepared, scales[r], y + r, y_stride, tokens);   \
    }                                                                                            \
  }
TK_TILE8(tile_1x8, 1)
TK_TILE8(tile_4x8, 4)

// One token takes all rows at once; several take rows that stay in L2, and only their first tile reads
// memory.
enum { ROWS = 256 };

void tk_head_i8_avx512vnni(const int8_t *w, const float *scales, size_t w_stride, size_t rows,
                           const float *x, size_t x_stride, size_t tokens, size_t n, float *y,
                           size_t y_stride) {
  const uint8_t *base = (const uint8_t *)w, *all = (const uint8_t *)(w + rows * w_stride);
  size_t step = tokens == 1 ? rows : ROWS;
  for (size_t r = 0; r < rows; r += step) {
    size_t count = rows - r < step ? rows - r : step;
    for (size_t t = 0; t < tokens;) {
      size_t taken = tokens - t >= TILE ? TILE : 1;
      (taken == TILE ? tile_4x8 : tile_1x8)(
          w + r * w_stride, scales + r, w_stride, base, t == 0 ? all : base, count,
          x + t * x_stride, x_stride, n, y + t * y_stride + r, y_stride);
      t += taken;
    }
  }
}

void tk_head_low_avx512vnni(const uint8_t *w, const uint16_t *scales, size_t rows, const float *x,
                            size_t x_stride, size_t tokens, size_t n, float *y, size_t y_stride,
                            int bits) {
  size_t blocks = (n + 127) / 128, bytes = blocks * (bits == 4 ? 64 : 96);
  size_t step = tokens == 1 ? rows : ROWS;
  for (size_t r = 0; r < rows; r += step) {
    size_t count = rows - r < step ? rows - r : step;
    for (size_t t = 0; t < tokens;) {
      size_t taken = tokens - t >= TILE ? TILE : 1;
      const uint8_t *end = t == 0 ? w + rows * bytes : w;
      (bits == 4 ? (taken == TILE ? tile_4x4 : tile_1x4) : (taken == TILE ? tile_4x6 : tile_1x6))(
          w + r * bytes, scales + r * blocks * 4, w, end, count, x + t * x_stride, x_stride, n,
          y + t * y_stride + r, y_stride);
      t += taken;
    }
  }
}
#endif
