// Layouts: activation tiles and 2-bit panels. Plain C; run once per input or per layer.
#include <string.h>

#include "tk_i2s.h"
#include "tk_int8.h"
#include "tk_trits.h"

typedef int32_t quads4 __attribute__((vector_size(16)));

static inline quads4 load4(const int8_t *x) {
  quads4 v;
  memcpy(&v, x, 16);
  return v;
}

void tk_pack_tiles(const int8_t *values, size_t stride, size_t tokens, size_t quads, uint8_t flip,
                   size_t first, size_t last, int32_t *out) {
  int32_t mask = (int32_t)(flip * 0x01010101u);
  for (size_t tile = first; tile < last; tile++) {
    size_t start = tk_tile_start(tokens, tile);
    size_t count = tk_tile_start(tokens, tile + 1) - start;
    int32_t *tile_out = out + tile * quads * TK_TILE_TOKENS;
    // Squares of 4 tokens by 4 quads are transposed in registers. A tile of fewer tokens repeats
    // its last one: nobody reads the copies.
    for (size_t t = 0; t < count; t += 4) {
      const int8_t *x[4];
      for (size_t i = 0; i < 4; i++)
        x[i] = values + (start + (t + i < count ? t + i : count - 1)) * stride;
      for (size_t k = 0; k < quads; k += 4) {
        quads4 a = load4(x[0] + 4 * k), b = load4(x[1] + 4 * k), c = load4(x[2] + 4 * k),
               d = load4(x[3] + 4 * k);
        quads4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        quads4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        quads4 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        quads4 cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        quads4 rows[4] = {__builtin_shufflevector(ab, cd, 0, 1, 4, 5),
                          __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
                          __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5),
                          __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7)};
        for (size_t i = 0; i < 4; i++) {
          quads4 row = rows[i] ^ mask;
          memcpy(tile_out + (k + i) * TK_TILE_TOKENS + t, &row, 16);
        }
      }
    }
  }
}

void tk_i2s_pack(const int8_t *trits, size_t rows, size_t columns, size_t steps, uint8_t *out) {
  size_t panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  memset(out, 0x55, panels * steps * 128);
  for (size_t row = 0; row < rows; row++) {
    const int8_t *w = trits + row * columns;
    uint8_t *base = out + row / TK_PANEL_ROWS * steps * 128 + row % TK_PANEL_ROWS * 4;
    size_t step = 0;
    for (; (step + 1) * 16 <= columns; step++) {
      uint32_t packed = tk_code_dword(w + step * 16);
      memcpy(base + step * 128, &packed, 4);
    }
    for (size_t k = step * 16; k < columns; k++) {
      uint8_t *byte = base + step * 128 + k % 4;
      size_t shift = k % 16 / 4 * 2;
      *byte = (uint8_t)((*byte & ~(3u << shift)) | (unsigned)(w[k] + 1) << shift);
    }
  }
}

void tk_int8_pack(const int8_t *values, size_t rows, size_t columns, size_t steps,
                  size_t group_steps, size_t groups, uint8_t *panels, int32_t *corrections) {
  for (size_t row = 0; row < rows; row++) {
    size_t panel = row / TK_PANEL_ROWS, lane = row % TK_PANEL_ROWS;
    uint8_t *base = panels + panel * steps * 128 + lane * 4;
    const int8_t *w = values + row * columns;
    for (size_t k = 0; k < columns; k++) {
      size_t step = k / 4;
      base[step * 128 + k % 4] = (uint8_t)w[k];
      corrections[(panel * groups + step / group_steps) * TK_PANEL_ROWS + lane] += 128 * w[k];
    }
  }
}
