// Output heads of 4, 6 and 8 bits by integer dot products. Plain ones are in tk_float.h.
#ifndef TK_HEAD_H
#define TK_HEAD_H

#include <stddef.h>
#include <stdint.h>

enum {
  TK_HEAD_COLUMNS = 16384, ///< Most columns of the integer heads: what their stack holds.
  TK_HEAD_RUN_8 = 1024,    ///< Bytes of a run of 32 columns of a panel of 32 rows: with 8 bits,
  TK_HEAD_RUN_6 = 832,     ///< 6 bits
  TK_HEAD_RUN_4 = 576,     ///< and 4 bits, scales included.
};

#if defined(__x86_64__)
/// y[t, r] = Σ_k w[r, k] · x[t, k], w in `bits` bits, 4, 6 or 8; 0 < n ≤ TK_HEAD_COLUMNS.
///
/// Panels of 32 rows, 64-byte aligned, are runs of 32 columns one after another; rows and columns
/// that fill the last ones may hold anything, with scales of 0. A code is w + 2^(bits - 1),
/// unsigned. Lines of 64 bytes, 16 rows (lanes of 4 bytes) by 4 columns (the bytes of a lane): 8
/// bits: for each 4 columns a line of rows 0-15 and one of rows 16-31; `row_scales`, one a row,
/// padded to whole panels. 4 bits: a line of 32 binary16 scales, one a row, then for each 4 columns
/// a line with rows 0-15 in the lower halves of bytes and rows 16-31 in the upper ones. 6 bits:
/// scales and lower 4 bits as with 4 bits, then for each 8 columns a line of their upper 2 bits:
/// from bit 0 on those of the first 4 columns of rows 0-15 and of rows 16-31, then those of the
/// other 4 columns. Both `w` and `row_scales` begin at the first row to compute.
///
/// Each run of 32 activations is rounded to 16-bit integers by a scale of its own, max |x| / 32512,
/// and their upper and lower bytes go through vpdpbusd: integer sums are exact, so a logit is off
/// by at most √32 / 65024 · ‖w‖ · ‖x‖ beside the rounding of the runs' sums to float32 and of their
/// sum. Runs with values that are not finite make the logit NaN.
void tk_head_panels_avx512vnni(const uint8_t *_Nonnull w, const float *_Nonnull row_scales, int bits,
                               size_t rows, const float *_Nonnull x, size_t x_stride, size_t tokens,
                               size_t n, float *_Nonnull y, size_t y_stride);

/// The same for rows in the blocks and scales of tk_float_ops' head_i4 and head_i6, `bits` 4 or 6,
/// on AVX2.
void tk_head_low_avx2(const uint8_t *_Nonnull w, const uint16_t *_Nonnull scales, size_t rows,
                      const float *_Nonnull x, size_t x_stride, size_t tokens, size_t n,
                      float *_Nonnull y, size_t y_stride, int bits);
#endif

#endif
