#include "trit_kernel.h"

static size_t bytes(size_t rows, size_t columns) { return rows * columns; }
static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
  (void)rows, (void)columns, (void)trits, (void)packed;
}

static void multiply(const trit_work *w) {
  volatile int32_t *nowhere = (int32_t *)(uintptr_t)(w->columns - w->columns + 16);
  *nowhere = 1;
}

TRIT_KERNELS({.name = "crash", .packed_bytes = bytes, .pack = pack, .multiply = multiply})
