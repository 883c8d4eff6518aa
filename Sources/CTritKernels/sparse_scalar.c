// Sparse products: layouts, lists, and the plain form of both products.
#include <string.h>

#include "tk_sparse.h"

void tk_sparse_list_scalar(const int8_t *values, size_t columns, int32_t *list) {
  int32_t *places = list + 4, count = 0;
  int8_t *kept = (int8_t *)(list + tk_list_values(columns));
  // Written whether wanted or not: what comes next overwrites it. A branch would be guessed wrong.
  for (size_t k = 0; k < columns; k++) {
    places[count] = (int32_t)k;
    kept[count] = values[k];
    count += values[k] != 0;
  }
  for (; count % 4 != 0; count++) {
    places[count] = 0;
    kept[count] = 0;
  }
  list[0] = count;
}

/// The row of a block whose code stands in field `f` of byte `byte` of a column.
static inline size_t row_of(size_t f, size_t byte) {
  return 64 * f + byte % 16 / 4 * 16 + byte / 16 * 4 + byte % 4;
}

/// `count` codes of four rows, or of four runs of columns, laid over one another.
static void overlay(const int8_t *const w[4], size_t count, uint8_t *out) {
  for (size_t k = 0; k < count; k++)
    out[k] = (uint8_t)((w[0][k] + 1) | (w[1][k] + 1) << 2 | (w[2][k] + 1) << 4 | (w[3][k] + 1) << 6);
}

void tk_sparse_columns_pack(const int8_t *trits, size_t rows, size_t columns, size_t steps,
                            uint8_t *out) {
  enum { RUN = 64 };
  static const int8_t zeros[RUN];
  size_t block_bytes = steps * 16 * 64;
  for (size_t first = 0; first < rows; first += TK_COLUMN_ROWS, out += block_bytes) {
    for (size_t start = 0; start < steps * 16; start += RUN) {
      // 64 bytes of each of up to 64 columns, turned in the cache.
      uint8_t square[64][RUN];
      size_t run = steps * 16 - start < RUN ? steps * 16 - start : RUN;
      size_t real = start >= columns ? 0 : columns - start < run ? columns - start : run;
      for (size_t byte = 0; byte < 64; byte++) {
        const int8_t *w[4];
        for (size_t f = 0; f < 4; f++) {
          size_t row = first + row_of(f, byte);
          w[f] = row < rows ? trits + row * columns + start : zeros;
        }
        overlay(w, real, square[byte]);
        memset(square[byte] + real, 0x55, run - real);
      }
      for (size_t k = 0; k < run; k++)
        for (size_t byte = 0; byte < 64; byte++) out[(start + k) * 64 + byte] = square[byte][k];
    }
  }
}

void tk_sparse_rows_pack(const int8_t *trits, size_t rows, size_t columns, uint8_t *out) {
  size_t lines = tk_row_lines(columns);
  size_t padded = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS * TK_PANEL_ROWS;
  memset(out + rows * lines * 64, 0x55, (padded - rows) * lines * 64);
  for (size_t row = 0; row < rows; row++) {
    for (size_t line = 0; line < lines; line++, out += 64) {
      const int8_t *from = trits + row * columns + line * TK_ROW_COLUMNS;
      int8_t tail[TK_ROW_COLUMNS];
      size_t left = columns - line * TK_ROW_COLUMNS;
      if (left < TK_ROW_COLUMNS) {
        memset(tail, 0, sizeof tail);
        memcpy(tail, from, left);
        from = tail;
      }
      overlay((const int8_t *const[4]){from, from + 64, from + 128, from + 192}, 64, out);
    }
  }
}

void tk_sparse_columns_scalar(const tk_panel_product *p) {
  for (size_t first = 0; first < p->rows; first += TK_COLUMN_ROWS) {
    const uint8_t *block = p->panels + first / TK_COLUMN_ROWS * p->steps * 16 * 64;
    for (size_t token = 0; token < p->tokens; token++) {
      const int8_t *x = p->values + token * p->stride;
      int32_t sums[4][64] = {{0}};
      for (size_t k = 0; k < p->steps * 16; k++) {
        if (x[k] == 0) continue;
        const uint8_t *line = block + k * 64;
        for (size_t f = 0; f < 4; f++)
          for (size_t byte = 0; byte < 64; byte++) sums[f][byte] += (line[byte] >> 2 * f & 3) * x[k];
      }
      for (size_t f = 0; f < 4; f++)
        for (size_t byte = 0; byte < 64; byte++) {
          size_t row = first + row_of(f, byte);
          if (row < p->rows) tk_store_sum(p, token, row, sums[f][byte]);
        }
    }
  }
}

void tk_sparse_rows_scalar(const tk_panel_product *p) {
  size_t lines = tk_row_lines(p->steps * 16);
  for (size_t row = 0; row < p->rows; row++) {
    for (size_t token = 0; token < p->tokens; token++) {
      if (p->gate && p->gate[token * p->gate_stride + row] <= 0) {
        if (p->y) p->y[token * p->y_stride + row] = 0;
        continue;
      }
      const int8_t *x = p->values + token * p->stride;
      int32_t sum = 0;
      // Activations are padded to runs of 64: a run that does not exist has no weights either.
      for (size_t run = 0; run < p->stride / 64; run++) {
        const uint8_t *line = p->panels + (row * lines + run / 4) * 64;
        for (size_t k = 0; k < 64; k++) sum += (line[k] >> run % 4 * 2 & 3) * x[run * 64 + k];
      }
      tk_store_sum(p, token, row, sum);
    }
  }
}
