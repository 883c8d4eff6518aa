// Products of 2-bit weights with int8 activations of which many are zero, as behind ReLU². Zeros
// are skipped, not approximated: what is skipped would add nothing. Layouts are those of prepared
// layers in memory, not of files, and put what belongs to one neuron of a feed-forward layer side
// by side.
//
// Columns (for layers whose inputs are sparse: `down`). Blocks of 256 rows (the last one is padded)
// by `steps` column steps of 16; a column of a block is one line of 64 bytes. Bits 2f..2f+1 of byte
// 16a + 4b + c hold the code (trit + 1) of row 64f + 16b + 4a + c: when the lines of four columns
// are interleaved byte by byte, each dword holds four columns of one row, and rows come out in
// order.
//
// Rows (for layers of which few outputs are wanted: `up`, once `gate` is known). A row is
// ceil(columns / 256) lines. Bits 2f..2f+1 of byte i of line s hold the code of column 256s + 64f +
// i.
//
// Lists: for each token what is not zero, in order: int32 n, padded by columns of value zero to a
// multiple of four; from int32 4 on n column numbers; from tk_list_values(columns) on n int8
// values.
#ifndef TK_SPARSE_H
#define TK_SPARSE_H

#include "tk_i2s.h"

enum {
  TK_COLUMN_ROWS = 256,  ///< Rows of a block of columns.
  TK_ROW_COLUMNS = 256,  ///< Columns of a line of a row.
  TK_SPARSE_TOKENS = 8,  ///< Up to so many tokens are multiplied one by one whatever they hold.
  /// More are multiplied one by one where at most so many percent of the columns are not zero: what
  /// a column costs alone is over twice its share of a tile of all tokens,
  TK_SPARSE_COLUMN_PERCENT = 45,
  /// or of the rows are wanted: a row's sums lie across lanes and must be added up, which costs
  /// twice that.
  TK_SPARSE_ROW_PERCENT = 22,
};

/// Lines of a row.
static inline size_t tk_row_lines(size_t columns) {
  return (columns + TK_ROW_COLUMNS - 1) / TK_ROW_COLUMNS;
}

/// Stores the sum of codes of one row and token, scaled or as it is.
static inline void tk_store_sum(const tk_panel_product *_Nonnull p, size_t token, size_t row,
                                int32_t sum) {
  sum -= p->sums[token];
  size_t at = token * p->y_stride + row;
  if (p->y)
    p->y[at] = (float)sum * (p->row_scales[row] * p->token_scales[token]);
  else
    p->accumulators[at] = sum;
}

/// Where a list's values start, in int32.
static inline size_t tk_list_values(size_t columns) { return 4 + (columns + 3) / 4 * 4; }
/// Elements of a list, in int32.
static inline size_t tk_list_stride(size_t columns) {
  return (tk_list_values(columns) + (columns + 3) / 4 + 15) / 16 * 16;
}

/// Lists the columns of one token that are not zero. `columns` are a multiple of 16, `values`
/// 64-byte aligned.
void tk_sparse_list_scalar(const int8_t *_Nonnull values, size_t columns, int32_t *_Nonnull list);

/// Lays trits (-1, 0, +1) `rows` x `columns` out by columns. Padding is zero weights.
void tk_sparse_columns_pack(const int8_t *_Nonnull trits, size_t rows, size_t columns, size_t steps,
                            uint8_t *_Nonnull out);
/// Lays trits out by rows, as many as whole panels of TK_PANEL_ROWS have. Padding is zero weights.
void tk_sparse_rows_pack(const int8_t *_Nonnull trits, size_t rows, size_t columns,
                         uint8_t *_Nonnull out);

// `panels` of a product are the first block, or row, to multiply.

/// Plain C: columns whose activation is zero are passed over.
void tk_sparse_columns_scalar(const tk_panel_product *_Nonnull product);
/// Plain C: rows that no `gate` wants are passed over.
void tk_sparse_rows_scalar(const tk_panel_product *_Nonnull product);

#if defined(__x86_64__)
/// AVX-512: compresses 16 columns at a time.
void tk_sparse_list_avx512(const int8_t *_Nonnull values, size_t columns, int32_t *_Nonnull list);
/// AVX-512 VNNI. `tiles` are the tokens' lists, tk_list_stride apart, and for more than
/// TK_SPARSE_TOKENS tokens their activation tiles after them. Four listed columns at a time are
/// interleaved and meet their values in one vpdpbusd for 16 rows; where tokens are many and hold
/// few zeros, the tiles of dense kernels do it, which want `scratch`.
void tk_sparse_columns_avx512vnni(const tk_panel_product *_Nonnull product);
/// AVX-512 VNNI: four wanted rows at a time against one token. More than TK_SPARSE_TOKENS tokens
/// want `tiles` and `scratch`, for where most rows are wanted.
void tk_sparse_rows_avx512vnni(const tk_panel_product *_Nonnull product);
#endif

#endif
