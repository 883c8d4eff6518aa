// Table look-up with word shuffles: products of 2-bit (TL1) and 1.67-bit (TL2) indices with tables
// of int16 sums. Layouts are those of prepared layers in memory, not bitnet.cpp's tiles
// (tk_lookup.h).
//
// Lookup panel: 64 rows (the last panel is padded), 128 bytes a line: 64 for rows 0-31, 64 for rows
// 32-63, one 16-bit word a row. The four nibbles of a word, low first, index the tables of four
// neighbouring groups of columns.
//   TL1: groups are pairs (w0, w1), the index is 3 w0 + w1 + 4; a line is 8 columns.
//   TL2: groups are triples, v = 9 w0 + 3 w1 + w2, the index is |v|; a line is 12 columns. Before each run of
//   four lines (the last run may be shorter) stands a line of signs, set where v < 0: with k = 2 i + n % 2 for
//   nibble n of the run's line i, bit 4 + k + 8 (n / 2) for k < 4, else bit 7 - k + 8 (n / 2). Shifted by k to
//   the right, or by k - 3 to the left, the signs of two nibbles become the fifth bits of their indices.
//
// TL1_0 panel: 64 rows, 256 bytes a line of 16 columns, 64 bytes for each 16 rows. Byte 4 r + j of
// row r has the index of the pair of columns 2 j, 2 j + 1 in its low nibble, of 8 + 2 j, 9 + 2 j in
// its high one. Its tables are 16 int8 entries a pair, in the order of the columns, zero past them.
//
// Tables of the others: tokens in tiles of at most TK_LOOKUP_TOKENS, as equal as can be
// (tk_lookup_tile_start); a tile is [group][token][entries] int16, 16 entries for a pair, 32 for a
// triple (16 + i holds -entry i), for all groups of all lines, zero past the columns.
#ifndef TK_LOOKUP_PANELS_H
#define TK_LOOKUP_PANELS_H

#include <stddef.h>
#include <stdint.h>

enum {
  TK_LOOKUP_ROWS = 64,  ///< Rows of a lookup panel.
  TK_LOOKUP_TOKENS = 8, ///< Most tokens of a tile of tables.
};

/// Which groups of columns share a look-up.
typedef enum tk_lookup_kind { TK_LOOKUP_PAIRS = 2, TK_LOOKUP_TRIPLES = 3 } tk_lookup_kind;

/// One product: lookup panels with all tokens.
typedef struct tk_lookup_product {
  /// The first panel to multiply, 64-byte aligned.
  const uint8_t *_Nonnull panels;
  /// Lines of indices of a panel.
  size_t lines;
  /// Rows to compute, counted from the first panel's first row.
  size_t rows;
  /// Tables of all tokens, 64-byte aligned.
  const int16_t *_Nonnull tables;
  /// Tokens.
  size_t tokens;
  /// Dequantization scale of each token.
  const float *_Nonnull token_scales;
  /// Scales of the weights: one a row from the first row on, padded to whole panels.
  const float *_Nonnull row_scales;
  /// Where Float(sum) * (token scale * row scale) goes, [tokens, y_stride]; or null.
  float *_Nullable y;
  /// Where the integer sums go, [tokens, y_stride], if `y` is null.
  int32_t *_Nullable accumulators;
  /// Elements from one token's outputs to the next.
  size_t y_stride;
} tk_lookup_product;

/// First token of tile `tile` when `tokens` are cut into as many tiles as needed.
static inline size_t tk_lookup_tile_start(size_t tokens, size_t tile) {
  size_t tiles = (tokens + TK_LOOKUP_TOKENS - 1) / TK_LOOKUP_TOKENS;
  return tokens * tile / tiles;
}

/// Lines of indices for `columns` columns.
static inline size_t tk_lookup_lines(tk_lookup_kind kind, size_t columns) {
  size_t width = 4 * (size_t)kind;
  return (columns + width - 1) / width;
}

/// Bytes of a panel, lines of signs included.
static inline size_t tk_lookup_panel_bytes(tk_lookup_kind kind, size_t lines) {
  return 128 * (lines + (kind == TK_LOOKUP_TRIPLES ? (lines + 3) / 4 : 0));
}

/// Packs trits (-1, 0, +1) `rows` x `columns` into lookup panels; `out` has room for all panels.
void tk_lookup_pack(tk_lookup_kind kind, const int8_t *_Nonnull trits, size_t rows, size_t columns,
                    uint8_t *_Nonnull out);

/// Packs trits into TL1_0 panels; `out` has room for all panels, of 256 bytes for each 16 columns.
void tk_tl1_0_pack(const int8_t *_Nonnull trits, size_t rows, size_t columns, uint8_t *_Nonnull out);

#if defined(__x86_64__)
/// Builds the tables of the groups [first, last) of all tokens of one tile. `values` are the tile's
/// `tokens` int8 rows, `stride` apart, `columns` long; `out` is the tile's first table.
void tk_lookup_tables_avx512(tk_lookup_kind kind, const int8_t *_Nonnull values, size_t stride,
                             size_t columns, size_t tokens, size_t first, size_t last,
                             int16_t *_Nonnull out);

/// vpermw looks 32 rows up at once, in int16; sums of at most 64 groups before they are widened.
void tk_tl1_avx512(const tk_lookup_product *_Nonnull product);
/// The same with the sign as the fifth bit of the index.
void tk_tl2_avx512(const tk_lookup_product *_Nonnull product);
/// The same, and vpermb for more than one token.
void tk_tl1_avx512vbmi(const tk_lookup_product *_Nonnull product);
/// The same, and vpermb for more than one token.
void tk_tl2_avx512vbmi(const tk_lookup_product *_Nonnull product);
/// TL1_0, one panel and 1 to 4 tokens whose tables are `stride` bytes apart: sums[64 token + r],
/// not scaled. Panel and tables are 64-byte aligned.
void tk_tl1_0_avx512vbmi(const uint8_t *_Nonnull panel, size_t lines, const int8_t *_Nonnull tables,
                         size_t stride, size_t tokens, int32_t *_Nonnull sums);
#endif

#endif
