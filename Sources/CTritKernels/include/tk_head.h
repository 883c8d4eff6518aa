// Output heads of 4, 6 and 8 bits by integer dot products. Plain ones are in tk_float.h.
#ifndef TK_HEAD_H
#define TK_HEAD_H

#include <stddef.h>
#include <stdint.h>

enum {
  TK_HEAD_COLUMNS = 16384, ///< Most columns of the integer heads: what their stack holds.
};

#if defined(__x86_64__)
/// y[t, r] = Σ_k w[r, k] · x[t, k], w in `bits` bits, 4 or 6, in the blocks and scales of tk_float_ops'
/// head_i4 and head_i6; 0 < n ≤ TK_HEAD_COLUMNS.
///
/// Each run of 32 activations is rounded to 16-bit integers by a scale of its own, max |x| / 32512, and
/// their upper and lower bytes go through vpdpbusd: integer sums are exact, so a logit is off by at most
/// √32 / 65024 · ‖w‖ · ‖x‖ beside the rounding of the float32 sum over the runs. Runs with values that are
/// not finite make the logit NaN.
void tk_head_low_avx512vnni(const uint8_t *_Nonnull w, const uint16_t *_Nonnull scales, size_t rows,
                            const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                            float *_Nonnull y, size_t y_stride, int bits);

/// The same on AVX2.
void tk_head_low_avx2(const uint8_t *_Nonnull w, const uint16_t *_Nonnull scales, size_t rows,
                      const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                      float *_Nonnull y, size_t y_stride, int bits);

/// tk_head_low_avx512vnni for int8 weights with one scale a row; rows of `w_stride` bytes, a multiple of 64 that is
/// padded with zeros.
void tk_head_i8_avx512vnni(const int8_t *_Nonnull w, const float *_Nonnull scales, size_t w_stride,
                           size_t rows, const float *_Nonnull x, size_t x_stride, size_t tokens,
                           size_t n, float *_Nonnull y, size_t y_stride);
#endif

#endif
