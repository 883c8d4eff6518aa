// The base-3 panel layout. Plain C; run once per layer.
#include <string.h>

#include "tk_base3.h"
#include "tk_trits.h"

/// Four trits as digits 0-2, a byte each.
static inline uint32_t digits(const int8_t *trits) {
  uint32_t t;
  memcpy(&t, trits, 4);
  return (uint32_t)tk_digits(t);
}

void tk_base3_pack(const int8_t *trits, size_t rows, size_t columns, const uint8_t codes[243],
                   uint8_t *out) {
  size_t steps = (columns + 15) / 16;
  size_t lines = tk_base3_lines(steps);
  size_t panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  memset(out, codes[121], panels * lines * 128);
  for (size_t row = 0; row < rows; row++) {
    const int8_t *w = trits + row * columns;
    uint8_t *base = out + row / TK_PANEL_ROWS * lines * 128 + row % TK_PANEL_ROWS * 4;
    for (size_t line = 0; line < lines; line++) {
      size_t first = line / 4 * 80;
      // Columns of the four lower digits, and of the fifth.
      size_t low = first + line % 4 * 16, high = first + 64 + line % 4 * 4;
      if (low + 16 <= columns && high + 4 <= columns) {
        // Four numbers at once, a byte each: none exceeds 242.
        uint32_t numbers = digits(w + high);
        for (size_t p = 4; p-- > 0;) numbers = numbers * 3 + digits(w + low + 4 * p);
        for (size_t j = 0; j < 4; j++) base[line * 128 + j] = codes[numbers >> 8 * j & 0xFF];
        continue;
      }
      for (size_t j = 0; j < 4; j++) {
        unsigned number = high + j < columns ? (unsigned)(w[high + j] + 1) : 1;
        for (size_t p = 4; p-- > 0;) {
          size_t k = low + 4 * p + j;
          number = number * 3 + (k < columns ? (unsigned)(w[k] + 1) : 1);
        }
        base[line * 128 + j] = codes[number];
      }
    }
  }
}
