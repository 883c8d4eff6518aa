// The float leaves in plain C, included once per instruction set with TK_FLOAT_TABLE defined (the
// name of the table to fill) and, where the set converts binary16 in hardware, TK_HARDWARE_F16. No
// guard: it is meant to be included by exactly one float_*.c file per table.
#include <string.h>

#include "tk_float.h"

/// Lets the compiler take sums in vector order; only where that is harmless (never around tk_rint).
#define TK_FAST _Pragma("clang fp reassociate(on) contract(fast)")

/// An element of `out` depends on the same element of the inputs alone: vectors are right even
/// where `out` is an input. Without this word the compiler checks for overlap and takes the scalar
/// loop in place.
#define TK_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")

static inline float tk_from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static inline uint32_t tk_to_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

/// Nearest integer, ties to even, as an int, for |x| < 2^22: adding 1.5 · 2^23 leaves it in the low
/// bits.
static inline int32_t tk_rint(float x) {
  return (int32_t)(tk_to_bits(x + 12582912.0f) - 0x4B400000u);
}

static inline float tk_widen_f16(uint16_t h) {
#ifdef TK_HARDWARE_F16
  _Float16 x;
  memcpy(&x, &h, 2);
  return (float)x;
#else
  // Move exponent and mantissa to their float places, then fix the exponent's bias by a multiply,
  // which also handles subnormals; infinity and NaN keep an exponent of all ones.
  uint32_t magnitude = (uint32_t)(h & 0x7FFF) << 13;
  uint32_t bits = tk_to_bits(tk_from_bits(magnitude) * 0x1p112f);
  bits |= (h & 0x7C00) == 0x7C00 ? 0x7F800000u : 0;
  return tk_from_bits(bits | (uint32_t)(h & 0x8000) << 16);
#endif
}

static inline uint16_t tk_narrow_f16(float x) {
#ifdef TK_HARDWARE_F16
  _Float16 h = (_Float16)x;
  uint16_t bits;
  memcpy(&bits, &h, 2);
  return bits;
#else
  uint32_t bits = tk_to_bits(x);
  uint32_t sign = (bits >> 16) & 0x8000;
  uint32_t a = bits & 0x7FFFFFFF;
  if (a > 0x7F800000) return (uint16_t)(sign | 0x7E00 | ((a >> 13) & 0x3FF));
  if (a >= 0x47800000) return (uint16_t)(sign | 0x7C00);
  if (a < 0x38800000) {
    // Subnormal: adding 0.5 aligns the binary point so that the addition itself rounds.
    return (uint16_t)(sign | (tk_to_bits(tk_from_bits(a) + 0.5f) - 0x3F000000u));
  }
  return (uint16_t)(sign | ((a - 0x38000000 + 0xFFF + ((a >> 13) & 1)) >> 13));
#endif
}

static inline float tk_widen_bf16(uint16_t h) { return tk_from_bits((uint32_t)h << 16); }

/// e^x for x ≤ 88, 0 below -87: 2^n · p(r), n = rint(x / ln 2), degree-6 polynomial.
static inline float tk_exp(float x) {
  float clamped = x < -87.0f ? -87.0f : x;
  clamped = clamped > 88.0f ? 88.0f : clamped;
  int32_t n = tk_rint(clamped * 1.44269504088896f);
  float f = (float)n;
  float r = clamped - f * 0.693359375f;
  r = r + f * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  float y = p * tk_from_bits((uint32_t)(n + 127) << 23);
  return x < -87.0f ? 0.0f : y;
}

static double sum_of_squares(const float *x, size_t n) {
  TK_FAST
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

static void scale_weighted(const float *x, float scale, const float *weight, float *out, size_t n) {
  if (weight) {
    TK_ELEMENTWISE
    for (size_t i = 0; i < n; i++) out[i] = (x[i] * scale) * weight[i];
  } else {
    TK_ELEMENTWISE
    for (size_t i = 0; i < n; i++) out[i] = x[i] * scale;
  }
}

static float absmax(const float *x, size_t n) {
  // Magnitudes order like their bits; NaN (above infinity) is dropped. Integers vectorise without
  // fuss.
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = tk_to_bits(x[i]) & 0x7FFFFFFF;
    bits = bits > 0x7F800000 ? 0 : bits;
    most = bits > most ? bits : most;
  }
  return tk_from_bits(most);
}

static float largest(const float *x, size_t n) {
  // As above; the bits of NaN are above all others and stay.
  uint32_t most = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = tk_to_bits(x[i]) & 0x7FFFFFFF;
    most = bits > most ? bits : most;
  }
  return tk_from_bits(most);
}

static float maximum(const float *x, size_t n) {
  // A signed integer order of floats: flip the magnitude bits of negative ones.
  int32_t most = (int32_t)0x807FFFFF;
  for (size_t i = 0; i < n; i++) {
    int32_t bits = (int32_t)tk_to_bits(x[i]);
    int32_t key = bits ^ ((bits >> 31) & 0x7FFFFFFF);
    key = (bits & 0x7FFFFFFF) > 0x7F800000 ? (int32_t)0x807FFFFF : key;
    most = key > most ? key : most;
  }
  return tk_from_bits((uint32_t)(most ^ ((most >> 31) & 0x7FFFFFFF)));
}

static int32_t quantize_int8(
    const float *x, float multiplier, int32_t limit, int8_t *q, size_t n) {
  float high = (float)limit;
  float low = -high - 1;
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    float v = x[i] * multiplier;
    v = v < low ? low : v;
    v = v > high ? high : v;
    int8_t code = (int8_t)tk_rint(v);
    q[i] = code;
    sum += code;
  }
  return sum;
}

static void add(const float *a, const float *b, float *out, size_t n) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
}

static void multiply(const float *a, const float *b, float *out, size_t n) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) out[i] = a[i] * b[i];
}

static void scale(const float *a, float factor, float *out, size_t n) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) out[i] = a[i] * factor;
}

static void silu_multiply(const float *gate, const float *up, float *out, size_t n) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) out[i] = gate[i] / (1.0f + tk_exp(-gate[i])) * up[i];
}

static void relu2_multiply(const float *gate, const float *up, float *out, size_t n) {
  TK_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    float g = gate[i] <= 0 ? 0 : gate[i];  // NaN stays NaN
    out[i] = g * g * up[i];
  }
}

#define TK_DOT(name, type, widen)                                   \
  static float name(const float *a, const type *b, size_t n) {      \
    TK_FAST                                                         \
    float sum = 0;                                                  \
    for (size_t i = 0; i < n; i++) sum += a[i] * widen(b[i]);       \
    return sum;                                                     \
  }                                                                 \
  static void ax##name(float alpha, const type *x, float *y, size_t n) { \
    for (size_t i = 0; i < n; i++) y[i] += alpha * widen(x[i]);     \
  }
#define TK_SAME(x) (x)
#define TK_INT(x) ((float)(x))
TK_DOT(dot_f32, float, TK_SAME)
TK_DOT(dot_f16, uint16_t, tk_widen_f16)
TK_DOT(dot_i8, int8_t, TK_INT)

static double exp_shifted(const float *x, float shift, float *out, size_t n) {
  // Two passes over small blocks: the exponentials must keep their order of operations, the sum
  // not.
  double total = 0;
  for (size_t start = 0; start < n; start += 256) {
    size_t end = start + 256 < n ? start + 256 : n;
    TK_ELEMENTWISE
    for (size_t i = start; i < end; i++) out[i] = tk_exp(x[i] - shift);
    {
      TK_FAST
      double sum = 0;
      for (size_t i = start; i < end; i++) sum += (double)out[i];
      total += sum;
    }
  }
  return total;
}

static void f16_to_f32(const uint16_t *x, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = tk_widen_f16(x[i]);
}

static void f32_to_f16(const float *x, uint16_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = tk_narrow_f16(x[i]);
}

static void bf16_to_f32(const uint16_t *x, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = tk_widen_bf16(x[i]);
}

static void f32_to_bf16(const float *x, uint16_t *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = tk_to_bits(x[i]);
    uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    uint32_t quiet = bits >> 16 | 0x40;
    out[i] = (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
  }
}

#include "head_body.h"

const tk_float_ops TK_FLOAT_TABLE = {
    .sum_of_squares = sum_of_squares,
    .scale_weighted = scale_weighted,
    .absmax = absmax,
    .largest = largest,
    .maximum = maximum,
    .quantize_int8 = quantize_int8,
    .add = add,
    .multiply = multiply,
    .scale = scale,
    .silu_multiply = silu_multiply,
    .relu2_multiply = relu2_multiply,
    .dot = dot_f32,
    .dot_f16 = dot_f16,
    .dot_i8 = dot_i8,
    .axpy = axdot_f32,
    .axpy_f16 = axdot_f16,
    .axpy_i8 = axdot_i8,
    .exp_shifted = exp_shifted,
    .f16_to_f32 = f16_to_f32,
    .f32_to_f16 = f32_to_f16,
    .bf16_to_f32 = bf16_to_f32,
    .f32_to_bf16 = f32_to_bf16,
    .head_f16 = head_f16,
    .head_bf16 = head_bf16,
    .head_i8 = head_i8,
    .head_i4 = head_i4,
    .head_i6 = head_i6,
};
