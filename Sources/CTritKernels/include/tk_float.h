// Float leaves: the glue between matrix products (norms, activations, rows to int8, conversions)
// and the output heads. One body of plain C (float_body.h) is compiled once per instruction set;
// the compiler vectorises it. Results may differ between instruction sets in the last bits, since
// sums are taken in another order; for one set they depend on nothing but the arguments.
#ifndef TK_FLOAT_H
#define TK_FLOAT_H

#include <stddef.h>
#include <stdint.h>

/// The float leaves of one instruction set. `n` counts elements; in and out may be the same
/// pointer.
typedef struct tk_float_ops {
  /// Σ x².
  double (*_Nonnull sum_of_squares)(const float *_Nonnull x, size_t n);
  /// out = (x · scale) · weight; weight may be null (all ones).
  void (*_Nonnull scale_weighted)(const float *_Nonnull x, float scale,
                                  const float *_Nullable weight, float *_Nonnull out, size_t n);
  /// max |x|; 0 for n = 0. NaN elements are ignored.
  float (*_Nonnull absmax)(const float *_Nonnull x, size_t n);
  /// max |x|; 0 for n = 0, NaN if any element is NaN.
  float (*_Nonnull largest)(const float *_Nonnull x, size_t n);
  /// max x; -inf for n = 0. NaN elements are ignored.
  float (*_Nonnull maximum)(const float *_Nonnull x, size_t n);
  /// q = clamp(rint(x · multiplier), -limit - 1, limit), ties to even; returns Σ q. limit ≤ 127.
  int32_t (*_Nonnull quantize_int8)(const float *_Nonnull x, float multiplier, int32_t limit,
                                    int8_t *_Nonnull q, size_t n);
  /// out = a + b.
  void (*_Nonnull add)(const float *_Nonnull a, const float *_Nonnull b, float *_Nonnull out,
                       size_t n);
  /// out = a · b.
  void (*_Nonnull multiply)(const float *_Nonnull a, const float *_Nonnull b, float *_Nonnull out,
                            size_t n);
  /// out = a · factor.
  void (*_Nonnull scale)(const float *_Nonnull a, float factor, float *_Nonnull out, size_t n);
  /// out = gate / (1 + exp(-gate)) · up.
  void (*_Nonnull silu_multiply)(const float *_Nonnull gate, const float *_Nonnull up,
                                 float *_Nonnull out, size_t n);
  /// out = max(gate, 0)² · up.
  void (*_Nonnull relu2_multiply)(const float *_Nonnull gate, const float *_Nonnull up,
                                  float *_Nonnull out, size_t n);
  /// Σ a · b.
  float (*_Nonnull dot)(const float *_Nonnull a, const float *_Nonnull b, size_t n);
  /// Σ a · b, b in binary16.
  float (*_Nonnull dot_f16)(const float *_Nonnull a, const uint16_t *_Nonnull b, size_t n);
  /// Σ a · b, b in int8 (no scale).
  float (*_Nonnull dot_i8)(const float *_Nonnull a, const int8_t *_Nonnull b, size_t n);
  /// y += alpha · x.
  void (*_Nonnull axpy)(float alpha, const float *_Nonnull x, float *_Nonnull y, size_t n);
  /// y += alpha · x, x in binary16.
  void (*_Nonnull axpy_f16)(float alpha, const uint16_t *_Nonnull x, float *_Nonnull y, size_t n);
  /// y += alpha · x, x in int8.
  void (*_Nonnull axpy_i8)(float alpha, const int8_t *_Nonnull x, float *_Nonnull y, size_t n);
  /// out = exp(x - shift), about 2 ulp; returns the sum of out.
  double (*_Nonnull exp_shifted)(const float *_Nonnull x, float shift, float *_Nonnull out,
                                 size_t n);
  /// binary16 to float, exact.
  void (*_Nonnull f16_to_f32)(const uint16_t *_Nonnull x, float *_Nonnull out, size_t n);
  /// float to binary16, nearest even; too large becomes infinity, NaN stays NaN.
  void (*_Nonnull f32_to_f16)(const float *_Nonnull x, uint16_t *_Nonnull out, size_t n);
  /// bfloat16 to float, exact.
  void (*_Nonnull bf16_to_f32)(const uint16_t *_Nonnull x, float *_Nonnull out, size_t n);
  /// float to bfloat16, nearest even; NaN stays NaN.
  void (*_Nonnull f32_to_bf16)(const float *_Nonnull x, uint16_t *_Nonnull out, size_t n);
  /// Output heads: y[t, r] = Σ_k w[r, k] · x[t, k] for `rows` rows, w in binary16.
  void (*_Nonnull head_f16)(const uint16_t *_Nonnull w, size_t w_stride, size_t rows,
                            const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                            float *_Nonnull y, size_t y_stride);
  /// The same, w in bfloat16.
  void (*_Nonnull head_bf16)(const uint16_t *_Nonnull w, size_t w_stride, size_t rows,
                             const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                             float *_Nonnull y, size_t y_stride);
  /// The same, w in int8 with one scale a row.
  void (*_Nonnull head_i8)(const int8_t *_Nonnull w, const float *_Nonnull scales, size_t w_stride,
                           size_t rows, const float *_Nonnull x, size_t x_stride, size_t tokens,
                           size_t n, float *_Nonnull y, size_t y_stride);
  /// The same, w in 4 bits: blocks of 128 columns, 64 bytes each (see head_body.h), one binary16
  /// scale per 32 columns; n > 0.
  void (*_Nonnull head_i4)(const uint8_t *_Nonnull w, const uint16_t *_Nonnull scales, size_t rows,
                           const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                           float *_Nonnull y, size_t y_stride);
  /// The same, w in 6 bits, 96 bytes a block.
  void (*_Nonnull head_i6)(const uint8_t *_Nonnull w, const uint16_t *_Nonnull scales, size_t rows,
                           const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                           float *_Nonnull y, size_t y_stride);
} tk_float_ops;

/// Plain C, every CPU.
extern const tk_float_ops tk_float_scalar;
#if defined(__x86_64__)
/// AVX2, FMA, F16C.
extern const tk_float_ops tk_float_avx2;
/// AVX-512 F, BW, DQ, VL.
extern const tk_float_ops tk_float_avx512;
#endif

/// The leaves for a CPU with `features` (TK_CPU_ bits).
static inline const tk_float_ops *_Nonnull tk_float_for(uint32_t features) {
#if defined(__x86_64__)
  if (features & (1u << 2)) return &tk_float_avx512;
  if (features & (1u << 0)) return &tk_float_avx2;
#endif
  (void)features;
  return &tk_float_scalar;
}

#endif
