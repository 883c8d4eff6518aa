#include "trit_kernel.h"

static size_t bytes(size_t rows, size_t columns) { return rows * columns; }
static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
  (void)rows, (void)columns, (void)trits, (void)packed;
}

static volatile int stop;
static void multiply(const trit_work *w) {
  (void)w;
  while (!stop) continue;
}

TRIT_KERNELS({.name = "hang", .packed_bytes = bytes, .pack = pack, .multiply = multiply})
