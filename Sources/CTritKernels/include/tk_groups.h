// Products of 2-bit weights that have a scale for each group of columns, with int8 or float32
// activations. Layouts are those of prepared layers in memory, not of files.
//
// Group panel: 32 rows (the last panel is padded) by `groups` groups of `group_steps` column steps
// of 16; the last group may have fewer. A group is its steps, each 128 bytes as in tk_i2s.h, and
// then a line of 32 scales, one a row: float16 (64 bytes) where all scales of the layer are exact
// in it, else float32 (128 bytes). One panel is one sequential stream, scales included.
//
// With int8 activations the sum of a group is an exact int32, and
//   y = token scale * (scale_0 * sum_0 + scale_1 * sum_1 + ...)
// in that order, by fused multiply-adds: the same bits for any number of tokens.
#ifndef TK_GROUPS_H
#define TK_GROUPS_H

#include <stddef.h>
#include <stdint.h>

/// One product: group panels with all tokens.
typedef struct tk_group_product {
  /// The first panel to multiply, 64-byte aligned.
  const uint8_t *_Nonnull panels;
  /// Where the layer's last panel ends: what may be read ahead.
  const uint8_t *_Nonnull panels_end;
  /// Bytes of a panel.
  size_t panel_bytes;
  /// Steps of 16 columns of a panel.
  size_t steps;
  /// Steps of a group; the last one may have fewer.
  size_t group_steps;
  /// Groups of a row.
  size_t groups;
  /// 1 where scales are float16, 0 where they are float32.
  size_t half_scales;
  /// Rows to compute, counted from the first panel's first row.
  size_t rows;
  /// Tokens.
  size_t tokens;
  /// int8 activations [tokens, stride], rows 64-byte aligned and padded with zeros.
  const int8_t *_Nullable values;
  /// Elements from one token's activations to the next.
  size_t stride;
  /// Activation tiles as in tk_i2s.h; not read for up to TK_FEW_TOKENS tokens, nor by leaves but
  /// that of AVX-512.
  const int32_t *_Nullable tiles;
  /// The sum of the int8 activations of each token and group, [tokens, groups].
  const int32_t *_Nullable group_sums;
  /// Dequantization scale of each token; null for float32 activations.
  const float *_Nullable token_scales;
  /// float32 activations [tokens, stride], `columns` of them; read by the float leaves alone.
  const float *_Nullable floats;
  /// The same in tiles of at most TK_TILE_TOKENS tokens (tk_tile_start), [columns][TK_TILE_TOKENS].
  /// For up to TK_FEW_TOKENS tokens it is read by the leaf of AVX-512 alone: tables of pairs of
  /// columns (tk_group_float_tables), or null for none.
  const float *_Nullable float_tiles;
  /// Columns that exist; the rest of the last step is padding.
  size_t columns;
  /// Where the results go, [tokens, y_stride].
  float *_Nonnull y;
  /// Elements from one token's outputs to the next.
  size_t y_stride;
} tk_group_product;

/// Packs trits (-1, 0, +1) `rows` x `columns` into group panels; `out` has room for all panels.
/// `scales` are [rows, groups].
void tk_group_pack(const int8_t *_Nonnull trits, const float *_Nonnull scales, size_t rows,
                   size_t columns, size_t group_steps, size_t half_scales, uint8_t *_Nonnull out);

/// Packs the tiles in [first, last) of float32 activations [tokens, stride] into `out`.
void tk_group_float_tiles(const float *_Nonnull values, size_t stride, size_t tokens,
                          size_t columns, size_t first, size_t last, float *_Nonnull out);

/// Bytes of the tables of a token and a step of 16 columns.
enum { TK_PAIR_BYTES = 512 };

/// Packs the tables of the steps in [first, last) of float32 activations [tokens, stride] into
/// `out` [tokens, steps][8][16]. Nibble n of a code dword holds the codes a and b of two columns;
/// entry a + 4 b of table n is what they are worth, (a - 1) x + (b - 1) x'. Columns that are not
/// there are 0.
void tk_group_float_tables(const float *_Nonnull values, size_t stride, size_t tokens,
                           size_t columns, size_t first, size_t last, float *_Nonnull out);

/// Sums the int8 activations of the tokens in [first, last) by groups of `group_columns` columns,
/// the last of which ends at the stride, into `out` [tokens, groups].
void tk_group_sums(const int8_t *_Nonnull values, size_t stride, size_t group_columns,
                   size_t groups, size_t first, size_t last, int32_t *_Nonnull out);

#if defined(__x86_64__)
/// AVX2: vpmaddubsw into int16, widened every 16 steps.
void tk_group_avx2(const tk_group_product *_Nonnull product);
/// vpdpbusd on ymm.
void tk_group_avxvnni(const tk_group_product *_Nonnull product);
/// vpdpbusd on zmm: masks without shifts for up to 3 tokens, 32 x 12 register tiles for more.
void tk_group_avx512vnni(const tk_group_product *_Nonnull product);
/// float32: codes become -1, 0, +1 by vpermilps on ymm, and meet the activations by FMA.
void tk_group_f32_avx2(const tk_group_product *_Nonnull product);
/// The same on zmm; for up to 3 tokens with tables, one vpermps looks two weights up.
void tk_group_f32_avx512(const tk_group_product *_Nonnull product);
#elif defined(__aarch64__)
/// smlal into int16, widened every 32 steps.
void tk_group_neon(const tk_group_product *_Nonnull product);
/// sdot by element.
void tk_group_neon_dotprod(const tk_group_product *_Nonnull product);
/// float32 by fmla.
void tk_group_f32_neon(const tk_group_product *_Nonnull product);
#endif

#endif
