#include "trit_kernel.h"

static int32_t dot(const uint8_t *codes, const int8_t *x, size_t columns) {
  int32_t sum = 0;
  for (size_t k = 0; k < columns; k++)
    sum += (codes[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3) * x[k];
  return sum;
}

TRIT_KERNELS({.name = "one-dot", .source = "the formula", .dot = dot})
