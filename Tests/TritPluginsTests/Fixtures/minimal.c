#include "trit_kernel.h"
// Trits stay one a byte; the compiler vectorizes the sum.
static size_t bytes(size_t rows, size_t columns) { return rows * columns; }

static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
  int8_t *out = packed;
  for (size_t i = 0; i < rows * columns; i++) out[i] = trits[i];
}

static void multiply(const trit_work *w) {
  const int8_t *weights = w->packed;
  for (size_t t = 0; t < w->tokens; t++)
    for (size_t r = w->first_row; r < w->end_row; r++) {
      int32_t sum = 0;
      for (size_t k = 0; k < w->columns; k++)
        sum += weights[r * w->columns + k] * w->x[t * w->x_stride + k];
      w->sums[t * w->sums_stride + r] = sum;
    }
}

TRIT_KERNELS({.name = "minimal", .packed_bytes = bytes, .pack = pack, .multiply = multiply})
