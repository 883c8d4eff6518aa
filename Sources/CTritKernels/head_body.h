// Output heads in 4 and 6 bits with a binary16 scale per 32 columns, included by float_body.h.
//
// A block is 128 columns: 16 dwords, in which nibble p of dword j is the low four bits of column
// 16p + j; 6-bit blocks are followed by 16 words, in which bits 2p..2p+1 of word j are the high bits.
// Codes are unsigned: value + 8, or value + 32. So one load and a shift give 16 neighbouring columns.
#if defined(TK_AVX512)
#include <immintrin.h>
#endif

typedef float tk_f16v __attribute__((vector_size(64)));
typedef int32_t tk_i16v __attribute__((vector_size(64)));
typedef uint32_t tk_u16v __attribute__((vector_size(64)));
typedef uint16_t tk_h16v __attribute__((vector_size(32)));

#define TK_ALWAYS static inline __attribute__((always_inline))

/// 16 columns of a block as floats.
TK_ALWAYS void tk_columns(const tk_u16v *low, const tk_u16v *high, const int p, const int bits,
                          tk_f16v *out) {
  tk_u16v codes = *low >> (uint32_t)(4 * p);
  if (bits == 4) {
#if defined(TK_AVX512)
    // The permute looks at the low four bits of each index alone: no mask, no conversion.
    const __m512 table =
        _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    *out = (tk_f16v)_mm512_permutexvar_ps((__m512i)codes, table);
#else
    *out = __builtin_convertvector((tk_i16v)(codes & 15u) - 8, tk_f16v);
#endif
  } else {
    codes = (codes & 15u) | ((*high >> (uint32_t)(2 * p)) & 3u) << 4u;
    *out = __builtin_convertvector((tk_i16v)codes - 32, tk_f16v);
  }
}

/// One row with `tokens` tokens; `tail` is the last block's activations, padded with zeros.
TK_ALWAYS void tk_low_bits_row(const uint8_t *w, const uint16_t *scales, size_t blocks,
                               const float *x, size_t x_stride, const float *tail, float *y,
                               size_t y_stride, const int tokens, const int bits) {
  TK_FAST
  // One token alone takes four sums, so that additions need not wait for each other.
  tk_f16v sums[4][4];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < 4; g++) sums[t][g] = (tk_f16v){0};
  for (size_t block = 0; block < blocks; block++) {
    tk_u16v low, high = {0};
    memcpy(&low, w, 64);
    w += 64;
    if (bits == 6) {
      tk_h16v words;
      memcpy(&words, w, 32);
      high = __builtin_convertvector(words, tk_u16v);
      w += 32;
    }
    int is_last = block + 1 == blocks;
    const float *in = is_last ? tail : x + block * 128;
    size_t in_stride = is_last ? 128 : x_stride;
#pragma clang loop unroll(full)
    for (int g = 0; g < 4; g++) {
      float scale = tk_widen_f16(scales[block * 4 + (size_t)g]);
      tk_f16v w0, w1;
      tk_columns(&low, &high, 2 * g, bits, &w0);
      tk_columns(&low, &high, 2 * g + 1, bits, &w1);
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        tk_f16v x0, x1;
        memcpy(&x0, in + (size_t)t * in_stride + 32 * g, 64);
        memcpy(&x1, in + (size_t)t * in_stride + 32 * g + 16, 64);
        sums[t][tokens == 1 ? g : 0] += (w0 * x0 + w1 * x1) * scale;
      }
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    tk_f16v all = sums[t][0];
    if (tokens == 1) all = (all + sums[t][1]) + (sums[t][2] + sums[t][3]);
    float sum = 0;
    for (int j = 0; j < 16; j++) sum += all[j];
    y[(size_t)t * y_stride] = sum;
  }
}

/// Rows in blocks that stay in L2 while token tiles of four pass over them.
TK_ALWAYS void tk_low_bits(const uint8_t *w, const uint16_t *scales, size_t rows, const float *x,
                           size_t x_stride, size_t tokens, size_t n, float *y, size_t y_stride,
                           const int bits) {
  size_t blocks = (n + 127) / 128, bytes = blocks * (bits == 4 ? 64 : 96);
  size_t full = (blocks - 1) * 128;
  for (size_t r0 = 0; r0 < rows; r0 += 64) {
    size_t r1 = r0 + 64 < rows ? r0 + 64 : rows;
    for (size_t t = 0; t < tokens;) {
      size_t count = tokens - t >= 4 ? 4 : 1;
      const float *in = x + t * x_stride;
      float tail[4 * 128] = {0};
      for (size_t i = 0; i < count; i++) {
        memcpy(tail + i * 128, in + i * x_stride + full, (n - full) * sizeof(float));
      }
      for (size_t r = r0; r < r1; r++) {
        const uint8_t *row = w + r * bytes;
        const uint16_t *s = scales + r * blocks * 4;
        float *out = y + t * y_stride + r;
        if (count == 4) {
          tk_low_bits_row(row, s, blocks, in, x_stride, tail, out, y_stride, 4, bits);
        } else {
          tk_low_bits_row(row, s, blocks, in, x_stride, tail, out, y_stride, 1, bits);
        }
      }
      t += count;
    }
  }
}

static void head_i4(const uint8_t *w, const uint16_t *scales, size_t rows, const float *x,
                    size_t x_stride, size_t tokens, size_t n, float *y, size_t y_stride) {
  tk_low_bits(w, scales, rows, x, x_stride, tokens, n, y, y_stride, 4);
}

static void head_i6(const uint8_t *w, const uint16_t *scales, size_t rows, const float *x,
                    size_t x_stride, size_t tokens, size_t n, float *y, size_t y_stride) {
  tk_low_bits(w, scales, rows, x, x_stride, tokens, n, y, y_stride, 6);
}
