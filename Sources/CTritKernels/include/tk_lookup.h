// Table look-up leaves of TL1 and TL2 on bitnet.cpp's layouts. Tables come from the caller: 16
// entries for each pair or triple of activations, int16 split in two runs of 16 bytes, or int8 in
// one (TL1_0, TL2_0). The AVX2 leaves take up to TK_LOOKUP_BATCH tokens, whose tables are
// `table_stride` bytes apart, in one pass over the weights.
#ifndef TK_LOOKUP_H
#define TK_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

enum {
  TK_LOOKUP_BATCH = 4, ///< Most tokens of one call.
};

#if defined(__x86_64__)

/// TL1, one group of `rows` (32 or 64) rows: sums[token * rows + r] = sum of the table entries of
/// row r. A column tile is `groups` inner groups of 64 bytes at `codes + tile * tile_stride`. The
/// tables of a pair are 16 high bytes, then 16 low bytes, pairs in the order of the columns. Sums
/// of one tile must fit int16: at most 256 columns of |activation| <= 127, or 254 of 128.
void tk_tl1_avx2(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups, size_t rows,
                 const uint8_t *tables, size_t table_stride, size_t tokens, int32_t *sums);

/// TL1_0: the same with tables of 16 int8 entries. A tile has at most 256 columns.
void tk_tl1_0_avx2(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups,
                   size_t rows, const uint8_t *tables, size_t table_stride, size_t tokens,
                   int32_t *sums);

/// TL2, one group of 32 rows: sums[token * 32 + r] = triples and pairs of row r. A tile of the
/// triple part is `triples` (a multiple of 8) triples: nibbles at `index + tile * index_stride`,
/// sign words at `signs + tile * sign_stride`. A tile of the pair part is 16 pairs at
/// `pairs + tile * pair_stride`. The tables of a triple or pair are 16 low bytes, then 16 high
/// bytes.
void tk_tl2_avx2(const uint8_t *index, size_t index_stride, const uint8_t *signs, size_t sign_stride,
                 size_t tiles, size_t triples, const uint8_t *tables, const uint8_t *pairs,
                 size_t pair_stride, size_t pair_tiles, const uint8_t *pair_tables,
                 size_t table_stride, size_t tokens, int32_t *sums);

/// TL2_0: the same with tables of 16 int8 entries, and the sums of pairs apart, in `pair_sums`.
void tk_tl2_0_avx2(const uint8_t *index, size_t index_stride, const uint8_t *signs,
                   size_t sign_stride, size_t tiles, size_t triples, const uint8_t *tables,
                   const uint8_t *pairs, size_t pair_stride, size_t pair_tiles,
                   const uint8_t *pair_tables, size_t table_stride, size_t tokens, int32_t *sums,
                   int32_t *pair_sums);

#elif defined(__aarch64__)

/// tk_tl1_avx2's contract by tbl; sums of a tile need not fit int16.
void tk_tl1_neon(const uint8_t *codes, size_t tile_stride, size_t tiles, size_t groups, size_t rows,
                 const uint8_t *tables, int32_t *sums);

/// tk_tl2_avx2's contract by tbl.
void tk_tl2_neon(const uint8_t *index, size_t index_stride, const uint8_t *signs, size_t sign_stride,
                 size_t tiles, size_t triples, const uint8_t *tables, const uint8_t *pairs,
                 size_t pair_stride, size_t pair_tiles, const uint8_t *pair_tables, int32_t *sums);

#endif
#endif
