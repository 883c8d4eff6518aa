// Output heads of 4 and 6 bits on AVX2: vpmaddubsw of codes with the two bytes of 16-bit
// activations, as head_avx512vnni.c does with vpdpbusd. Sums of two products stay below 2 · 63 ·
// 128, within int16.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "tk_head.h"
#include "tk_stream.h"

#define TK_TARGET __attribute__((target("avx2,fma,f16c")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

enum { RUNS = TK_HEAD_COLUMNS / 32 };

/// 32 columns of one token: value = scale · (256 · high + low).
typedef struct {
  int8_t high[32], low[32];
  /// − (8 or 32) · Σ value of each four columns.
  int32_t start[8];
  float scale;
} run;

static void prepare(const float *x, size_t count, int offset, run *out) {
  float greatest = 0, sum = 0;
  for (size_t i = 0; i < count; i++) {
    float magnitude = x[i] < 0 ? -x[i] : x[i];
    greatest = magnitude > greatest ? magnitude : greatest;
    sum += x[i];
  }
  float multiplier = 32512.0f / greatest;
  int is_finite = greatest <= 3.0e38f && sum == sum;
  int is_zero = is_finite && !(multiplier <= 3.0e38f);
  out->scale = is_zero ? 0 : is_finite ? greatest / 32512.0f : __builtin_nanf("");
  if (is_zero || !is_finite) count = 0;
  for (size_t lane = 0; lane < 8; lane++) {
    int32_t total = 0;
    for (size_t i = 4 * lane; i < 4 * lane + 4; i++) {
      int32_t value = i < count ? (int32_t)lrintf(x[i] * multiplier) : 0, top = (value + 128) >> 8;
      out->high[i] = (int8_t)top;
      out->low[i] = (int8_t)(value - 256 * top);
      total += value;
    }
    out->start[lane] = -offset * total;
  }
}

TK_INLINE __m256 multiply(__m256i codes, const run *x, float scale, __m256 sum) {
  __m256i high = _mm256_maddubs_epi16(codes, _mm256_loadu_si256((const __m256i *)x->high));
  __m256i low = _mm256_maddubs_epi16(codes, _mm256_loadu_si256((const __m256i *)x->low));
  __m256i total = _mm256_add_epi32(
      _mm256_madd_epi16(high, _mm256_set1_epi16(256)),
      _mm256_madd_epi16(low, _mm256_set1_epi16(1)));
  total = _mm256_add_epi32(total, _mm256_loadu_si256((const __m256i *)x->start));
  return _mm256_fmadd_ps(_mm256_cvtepi32_ps(total), _mm256_set1_ps(scale * x->scale), sum);
}

/// All rows with one token; `end` is `base` where they come from the cache.
TK_INLINE void rows_of(const uint8_t *w, const uint16_t *scales, const uint8_t *base,
                       const uint8_t *end, size_t rows, const run *x, size_t blocks, float *y,
                       const int bits) {
  const __m256i m = _mm256_set1_epi8(15), h = _mm256_set1_epi8(0x30);
  for (size_t r = 0; r < rows; r++) {
    __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps()};
    const run *in = x;
    for (size_t block = 0; block < blocks; block++, in += 4, scales += 4) {
      if (bits == 6 || block % 2 == 0) tk_prefetch(base, w, end);
      __m256i a = _mm256_loadu_si256((const __m256i *)w);
      __m256i b = _mm256_loadu_si256((const __m256i *)(w + 32));
      __m256i codes[4] = {_mm256_and_si256(a, m), _mm256_and_si256(b, m),
                          _mm256_and_si256(_mm256_srli_epi16(a, 4), m),
                          _mm256_and_si256(_mm256_srli_epi16(b, 4), m)};
      if (bits == 6) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(w + 64));
        codes[0] = _mm256_or_si256(codes[0], _mm256_and_si256(_mm256_slli_epi16(v, 4), h));
        codes[1] = _mm256_or_si256(codes[1], _mm256_and_si256(_mm256_slli_epi16(v, 2), h));
        codes[2] = _mm256_or_si256(codes[2], _mm256_and_si256(v, h));
        codes[3] = _mm256_or_si256(codes[3], _mm256_and_si256(_mm256_srli_epi16(v, 2), h));
      }
      w += bits == 4 ? 64 : 96;
      __m128 four = _mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)scales));
#pragma clang loop unroll(full)
      for (int g = 0; g < 4; g++) sums[g] = multiply(codes[g], in + g, four[g], sums[g]);
    }
    __m256 all = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    y[r] = half[0] + half[1];
  }
}

TK_TARGET void tk_head_low_avx2(const uint8_t *w, const uint16_t *scales, size_t rows,
                                const float *x, size_t x_stride, size_t tokens, size_t n, float *y,
                                size_t y_stride, int bits) {
  run prepared[RUNS];
  size_t blocks = (n + 127) / 128, bytes = blocks * (bits == 4 ? 64 : 96);
  // Several tokens take rows that stay in L2, and only the first reads memory.
  size_t step = tokens == 1 ? rows : 1024;
  for (size_t r = 0; r < rows; r += step) {
    size_t count = rows - r < step ? rows - r : step;
    for (size_t t = 0; t < tokens; t++) {
      for (size_t i = 0; i < 4 * blocks; i++) {
        size_t left = n > 32 * i ? n - 32 * i : 0;
        prepare(x + t * x_stride + 32 * i, left < 32 ? left : 32, bits == 4 ? 8 : 32, prepared + i);
      }
      const uint8_t *part = w + r * bytes, *end = t == 0 ? w + rows * bytes : w;
      float *out = y + t * y_stride + r;
      if (bits == 4) {
        rows_of(part, scales + r * blocks * 4, w, end, count, prepared, blocks, out, 4);
      } else {
        rows_of(part, scales + r * blocks * 4, w, end, count, prepared, blocks, out, 6);
      }
    }
  }
}
#endif
