#include "trit_kernel.h"
// Everything that is optional: four rows side by side, columns in pairs of bytes, tokens in tiles of three.
enum { ROWS = 4, TOKENS = 3 };

static size_t bytes(size_t rows, size_t columns) { return (rows + ROWS - 1) / ROWS * ROWS * columns; }

static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
  int8_t *out = packed;
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < columns; k++)
      out[r / ROWS * ROWS * columns + k * ROWS + r % ROWS] = trits[r * columns + k];
}

static size_t tile_bytes(size_t columns) { return columns * TOKENS; }

static void tile(size_t tokens, size_t columns, const int8_t *x, size_t x_stride, void *block) {
  int8_t *out = block;
  for (size_t t = 0; t < TOKENS; t++)
    for (size_t k = 0; k < columns; k++)
      out[k * TOKENS + t] = t < tokens ? x[t * x_stride + k] : 0;
}

static void multiply(const trit_work *w) {
  for (size_t first = 0; first < w->tokens; first += TOKENS) {
    const int8_t *x = (const int8_t *)w->layout + first / TOKENS * w->layout_stride;
    for (size_t r = w->first_row; r < w->end_row; r += ROWS) {
      const int8_t *weights = (const int8_t *)w->packed + r * w->columns;
      int32_t sums[TOKENS][ROWS] = {{0}};
      for (size_t k = 0; k < w->columns; k++)
        for (size_t t = 0; t < TOKENS; t++)
          for (size_t i = 0; i < ROWS; i++) sums[t][i] += weights[k * ROWS + i] * x[k * TOKENS + t];
      for (size_t t = 0; t < TOKENS && first + t < w->tokens; t++)
        for (size_t i = 0; i < ROWS && r + i < w->end_row; i++)
          w->sums[(first + t) * w->sums_stride + r + i] = sums[t][i];
    }
  }
}

TRIT_KERNELS({.name = "tiles", .row_alignment = ROWS, .column_multiple = 96, .packed_bytes = bytes,
              .pack = pack, .multiply = multiply, .layout_tokens = TOKENS, .layout_bytes = tile_bytes,
              .layout = tile},
             {.name = "tiles/any", .row_alignment = ROWS, .packed_bytes = bytes, .pack = pack,
              .multiply = multiply, .layout_tokens = TOKENS, .layout_bytes = tile_bytes, .layout = tile})
