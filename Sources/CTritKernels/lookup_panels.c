// The lookup panel layouts. Plain C; run once per layer.
#include <string.h>

#include "tk_lookup_panels.h"

static int trit(const int8_t *w, size_t column, size_t columns) {
  return column < columns ? w[column] : 0;
}

void tk_lookup_pack(tk_lookup_kind kind, const int8_t *trits, size_t rows, size_t columns,
                    uint8_t *out) {
  size_t lines = tk_lookup_lines(kind, columns);
  size_t bytes = tk_lookup_panel_bytes(kind, lines);
  size_t panels = (rows + TK_LOOKUP_ROWS - 1) / TK_LOOKUP_ROWS;
  // The index of zero weights: 4 for pairs, 0 (without sign) for triples.
  memset(out, kind == TK_LOOKUP_PAIRS ? 0x44 : 0, panels * bytes);
  for (size_t row = 0; row < rows; row++) {
    const int8_t *w = trits + row * columns;
    uint8_t *at = out + row / TK_LOOKUP_ROWS * bytes + row % TK_LOOKUP_ROWS * 2;
    uint8_t *sign_at = at;
    for (size_t line = 0; line < lines; line++, at += 128) {
      unsigned word = 0, signs = 0;
      if (kind == TK_LOOKUP_TRIPLES && line % 4 == 0) {
        sign_at = at;
        at += 128;
      }
      for (size_t n = 0; n < 4; n++) {
        size_t k = (line * 4 + n) * (size_t)kind;
        int index = 3 * trit(w, k, columns) + trit(w, k + 1, columns);
        if (kind == TK_LOOKUP_PAIRS) {
          index += 4;
        } else {
          index = 3 * index + trit(w, k + 2, columns);
          unsigned shift = 2 * (unsigned)(line % 4) + n % 2;
          if (index < 0) {
            signs |= 1u << ((shift < 4 ? 4 + shift : 7 - shift) + 8 * (n / 2));
            index = -index;
          }
        }
        word |= (unsigned)index << (4 * n);
      }
      at[0] = (uint8_t)word;
      at[1] = (uint8_t)(word >> 8);
      if (kind == TK_LOOKUP_TRIPLES) {
        sign_at[0] |= (uint8_t)signs;
        sign_at[1] |= (uint8_t)(signs >> 8);
      }
    }
  }
}

void tk_tl1_0_pack(const int8_t *trits, size_t rows, size_t columns, uint8_t *out) {
  size_t lines = (columns + 15) / 16;
  size_t panels = (rows + TK_LOOKUP_ROWS - 1) / TK_LOOKUP_ROWS;
  memset(out, 0x44, panels * lines * 256);
  for (size_t row = 0; row < rows; row++) {
    const int8_t *w = trits + row * columns;
    uint8_t *at = out + row / TK_LOOKUP_ROWS * lines * 256 + row % TK_LOOKUP_ROWS * 4;
    for (size_t line = 0; line < lines; line++, at += 256)
      for (size_t j = 0; j < 4; j++) {
        size_t k = 16 * line + 2 * j;
        int low = 3 * trit(w, k, columns) + trit(w, k + 1, columns) + 4;
        int high = 3 * trit(w, k + 8, columns) + trit(w, k + 9, columns) + 4;
        at[j] = (uint8_t)(low | high << 4);
      }
  }
}
