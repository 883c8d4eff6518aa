// Output heads, included by float_body.h: y[t, r] = Σ_k w[r, k] · x[t, k] with w in 16-bit floats,
// int8, or 4 and 6 bits with a binary16 scale per 32 columns. Weights are widened to float32 as
// they are read; four tokens share a widened weight.
//
// A low-bit block is 128 columns. Its first 64 bytes hold the low four bits: byte j has column j in
// its low and column 64 + j in its high half. 6-bit blocks go on with 32 bytes for the high two
// bits: byte j has columns j, 32 + j, 64 + j, 96 + j, from its lowest bits up. Codes are unsigned:
// value + 8, or value + 32.
#include "tk_stream.h"

// Everything that passes these vectors is inlined: no call depends on how they would be passed.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float tk_f16v __attribute__((vector_size(64)));
typedef int32_t tk_i16v __attribute__((vector_size(64)));
typedef uint32_t tk_u16v __attribute__((vector_size(64)));
typedef uint16_t tk_h16v __attribute__((vector_size(32)));
typedef uint8_t tk_b16v __attribute__((vector_size(16)));
typedef int8_t tk_c16v __attribute__((vector_size(16)));

#define TK_ALWAYS static inline __attribute__((always_inline))

TK_ALWAYS tk_f16v tk_load_f32(const float *p) {
  tk_f16v x;
  memcpy(&x, p, 64);
  return x;
}

TK_ALWAYS float tk_sum(tk_f16v x) {
  TK_FAST
  float sum = 0;
  for (int j = 0; j < 16; j++) sum += x[j];
  return sum;
}

/// 16 weights as floats.
TK_ALWAYS tk_f16v tk_load_f16(const uint16_t *p) {
#ifdef TK_HARDWARE_F16
  typedef _Float16 half16 __attribute__((vector_size(32)));
  half16 h;
  memcpy(&h, p, 32);
  return __builtin_convertvector(h, tk_f16v);
#else
  tk_f16v x;
  for (int j = 0; j < 16; j++) x[j] = tk_widen_f16(p[j]);
  return x;
#endif
}

TK_ALWAYS tk_f16v tk_load_bf16(const uint16_t *p) {
  tk_h16v h;
  memcpy(&h, p, 32);
  tk_u16v bits = __builtin_convertvector(h, tk_u16v) << 16u;
  tk_f16v x;
  memcpy(&x, &bits, 64);
  return x;
}

TK_ALWAYS tk_f16v tk_load_i8(const int8_t *p) {
  tk_c16v c;
  memcpy(&c, p, 16);
  return __builtin_convertvector(c, tk_f16v);
}

/// One row of plain weights with 1 or 4 tokens, 128 bytes at a time. One token alone takes four
/// sums, so that additions need not wait for each other.
#define TK_PLAIN_ROW(name, type, load, widen)                                                      \
  TK_ALWAYS void name##_row(const type *w, const uint8_t *base, const uint8_t *end, const float *x, \
                            size_t x_stride, size_t n, float factor, float *y, size_t y_stride,     \
                            const int tokens) {                                                     \
    TK_FAST                                                                                         \
    enum { LINE = 128 / sizeof(type) };                                                             \
    tk_f16v sums[4];                                                                                \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++) sums[i] = (tk_f16v){0};          \
    size_t k = 0;                                                                                   \
    for (; k + LINE <= n; k += LINE) {                                                              \
      tk_prefetch(base, (const uint8_t *)(w + k), end);                                       \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < LINE / 16; i++) {                      \
        tk_f16v v = load(w + k + 16 * i);                                                           \
        _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                       \
          sums[tokens == 1 ? i % 4 : t] += v * tk_load_f32(x + (size_t)t * x_stride + k + 16 * i);  \
        }                                                                                           \
      }                                                                                             \
    }                                                                                               \
    for (; k + 16 <= n; k += 16) {                                                                  \
      tk_f16v v = load(w + k);                                                                      \
      _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                         \
        sums[t] += v * tk_load_f32(x + (size_t)t * x_stride + k);                                   \
      }                                                                                             \
    }                                                                                               \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                           \
      tk_f16v all = sums[t];                                                                        \
      if (tokens == 1) all = (sums[0] + sums[1]) + (sums[2] + sums[3]);                             \
      float sum = tk_sum(all);                                                                      \
      for (size_t i = k; i < n; i++) sum += widen(w[i]) * x[(size_t)t * x_stride + i];              \
      y[(size_t)t * y_stride] = sum * factor;                                                       \
    }                                                                                               \
  }

/// Rows in blocks that stay in L2 while tiles of four tokens pass over them.
#define TK_PLAIN_HEAD(name, type, load, widen, scale_argument, factor)                             \
  TK_PLAIN_ROW(name, type, load, widen)                                                            \
  static void name(const type *w, scale_argument size_t w_stride, size_t rows, const float *x,     \
                   size_t x_stride, size_t tokens, size_t n, float *y, size_t y_stride) {          \
    const uint8_t *base = (const uint8_t *)w, *end = (const uint8_t *)(w + rows * w_stride);       \
    for (size_t r0 = 0; r0 < rows; r0 += 64) {                                                     \
      size_t r1 = r0 + 64 < rows ? r0 + 64 : rows;                                                 \
      for (size_t t = 0; t < tokens;) {                                                            \
        size_t count = tokens - t >= 4 ? 4 : 1;                                                    \
        const float *in = x + t * x_stride;                                                        \
        /* Only the first tile reads memory. */                                                    \
        const uint8_t *last = t == 0 ? end : base;                                                 \
        for (size_t r = r0; r < r1; r++) {                                                         \
          float *out = y + t * y_stride + r;                                                       \
          if (count == 4) {                                                                        \
            name##_row(                                                                            \
                w + r * w_stride, base, last, in, x_stride, n, factor, out, y_stride, 4);          \
          } else {                                                                                 \
            name##_row(                                                                            \
                w + r * w_stride, base, last, in, x_stride, n, factor, out, y_stride, 1);          \
          }                                                                                        \
        }                                                                                          \
        t += count;                                                                                \
      }                                                                                            \
    }                                                                                              \
  }
#define TK_NO_SCALE
#define TK_ROW_SCALES const float *scales,
TK_PLAIN_HEAD(head_f16, uint16_t, tk_load_f16, tk_widen_f16, TK_NO_SCALE, 1.0f)
TK_PLAIN_HEAD(head_bf16, uint16_t, tk_load_bf16, tk_widen_bf16, TK_NO_SCALE, 1.0f)
TK_PLAIN_HEAD(head_i8, int8_t, tk_load_i8, TK_INT, TK_ROW_SCALES, scales[r])

/// Columns 16p … 16p + 15 of a block as floats.
TK_ALWAYS tk_f16v tk_columns(const uint8_t *block, const int p, const int bits) {
  tk_b16v low;
  memcpy(&low, block + p % 4 * 16, 16);
  low = p < 4 ? low & (uint8_t)15 : low >> (uint8_t)4;
  if (bits == 6) {
    tk_b16v high;
    memcpy(&high, block + 64 + p % 2 * 16, 16);
    low |= (high >> (uint8_t)(p / 2 * 2) & (uint8_t)3) << (uint8_t)4;
  }
  return __builtin_convertvector(
      __builtin_convertvector(low, tk_i16v) - (bits == 4 ? 8 : 32), tk_f16v);
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
  for (size_t block = 0; block < blocks; block++, w += bits == 4 ? 64 : 96) {
    int is_last = block + 1 == blocks;
    const float *in = is_last ? tail : x + block * 128;
    size_t in_stride = is_last ? 128 : x_stride;
#pragma clang loop unroll(full)
    for (int g = 0; g < 4; g++) {
      float scale = tk_widen_f16(scales[block * 4 + (size_t)g]);
      tk_f16v w0 = tk_columns(w, 2 * g, bits), w1 = tk_columns(w, 2 * g + 1, bits);
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        const float *at = in + (size_t)t * in_stride + 32 * g;
        sums[t][tokens == 1 ? g : 0] += (w0 * tk_load_f32(at) + w1 * tk_load_f32(at + 16)) * scale;
      }
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++) {
    tk_f16v all = sums[t][0];
    if (tokens == 1) all = (all + sums[t][1]) + (sums[t][2] + sums[t][3]);
    y[(size_t)t * y_stride] = tk_sum(all);
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
