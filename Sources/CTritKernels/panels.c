// Layouts: activation tiles and 2-bit panels. Plain C; run once per input or per layer.
#include <string.h>

#include "tk_i2s.h"
#include "tk_int8.h"

void tk_pack_tiles(const int8_t *values, size_t stride, size_t tokens, size_t quads, uint8_t flip,
                   size_t first, size_t last, int32_t *out) {
  uint32_t mask = flip * 0x01010101u;
  for (size_t tile = first; tile < last; tile++) {
    size_t start = tk_tile_start(tokens, tile);
    size_t count = tk_tile_start(tokens, tile + 1) - start;
    const int8_t *x = values + start * stride;
    int32_t *tile_out = out + tile * quads * TK_TILE_TOKENS;
    // Blocks of 16 dwords: one line of each token is read once, while the block's output stays in L1.
    for (size_t k0 = 0; k0 < quads; k0 += 16) {
      size_t k1 = k0 + 16 < quads ? k0 + 16 : quads;
      for (size_t t = 0; t < count; t++) {
        for (size_t k = k0; k < k1; k++) {
          uint32_t quad;
          memcpy(&quad, x + t * stride + 4 * k, 4);
          tile_out[k * TK_TILE_TOKENS + t] = (int32_t)(quad ^ mask);
        }
      }
    }
  }
}

/// Trits to codes, byte by byte.
static inline uint64_t codes(uint64_t trits) {
  const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  return ((trits & ~tops) + ones) ^ (trits & tops);
}

void tk_i2s_pack(const int8_t *trits, size_t rows, size_t columns, size_t steps, uint8_t *out) {
  size_t panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  memset(out, 0x55, panels * steps * 128);
  for (size_t row = 0; row < rows; row++) {
    const int8_t *w = trits + row * columns;
    uint8_t *base = out + row / TK_PANEL_ROWS * steps * 128 + row % TK_PANEL_ROWS * 4;
    size_t step = 0;
    for (; (step + 1) * 16 <= columns; step++) {
      // Eight trits a word: + 1 turns them into codes (no carry leaves a byte), then the four quads of
      // a step are laid over one another, 2 bits apart.
      uint64_t low, high;
      memcpy(&low, w + step * 16, 8);
      memcpy(&high, w + step * 16 + 8, 8);
      low = codes(low) | codes(high) << 4;
      uint32_t packed = (uint32_t)low | (uint32_t)(low >> 32) << 2;
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
