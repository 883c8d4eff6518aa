// Products of 8-bit weights (and narrower ones, stored as bytes) with int8 activations.
//
// Panel: 32 rows (the last panel is padded with zeros) by steps of 4 columns. A step is 128 bytes:
// a line of 64 bytes for rows 0-15, then one for rows 16-31; byte 4r + j of a line holds the value
// of row r, column 4 * step + j. Scales, and the corrections of vpdpbusd, are [panel][group][32].
#ifndef TK_INT8_H
#define TK_INT8_H

#include <stddef.h>
#include <stdint.h>

/// One product: panels of weights with all tokens.
typedef struct tk_int8_product {
  /// The first panel to multiply, 64-byte aligned.
  const uint8_t *_Nonnull panels;
  /// Steps of 4 columns of a panel.
  size_t steps;
  /// Steps that share a scale; `steps` where a row has one scale.
  size_t group_steps;
  /// Groups of a row.
  size_t groups;
  /// Rows to compute, counted from the first panel's first row.
  size_t rows;
  /// int8 activations [tokens, stride], rows 64-byte aligned and padded with zeros.
  const int8_t *_Nonnull values;
  /// Bytes from one token to the next.
  size_t stride;
  /// Tokens.
  size_t tokens;
  /// Activation tiles plus 128, unsigned (tk_pack_tiles with 0x80), of `tile_quads` quads a token;
  /// not read for up to TK_FEW_TOKENS tokens, nor by AVX2.
  const int32_t *_Nullable tiles;
  /// Dwords of a token in a tile.
  size_t tile_quads;
  /// Dequantization scale of each token.
  const float *_Nonnull token_scales;
  /// 128 · Σ w of each group.
  const int32_t *_Nonnull corrections;
  /// Scale of each group.
  const float *_Nonnull scales;
  /// Where the scaled sums go, [tokens, y_stride]; or null.
  float *_Nullable y;
  /// Where the integer sums go (one group only), if `y` is null.
  int32_t *_Nullable accumulators;
  /// Elements from one token's outputs to the next.
  size_t y_stride;
} tk_int8_product;

/// Packs `rows` x `columns` values into panels of `steps` steps and fills the corrections; both are
/// zeroed and have room for all panels.
void tk_int8_pack(const int8_t *_Nonnull values, size_t rows, size_t columns, size_t steps,
                  size_t group_steps, size_t groups, uint8_t *_Nonnull panels,
                  int32_t *_Nonnull corrections);

#if defined(__x86_64__)
/// Both sides widened to int16, vpmaddwd.
void tk_int8_avx2(const tk_int8_product *_Nonnull product);
/// vpdpbusd on zmm with activations plus 128, corrected by 128 · Σ w.
void tk_int8_avx512vnni(const tk_int8_product *_Nonnull product);
#elif defined(__aarch64__)
/// smull to int16, sadalp into int32. Reads no tiles and no corrections.
void tk_int8_neon(const tk_int8_product *_Nonnull product);
/// sdot. Reads no tiles and no corrections.
void tk_int8_neon_dotprod(const tk_int8_product *_Nonnull product);
#endif

#endif
