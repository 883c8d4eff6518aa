// Products of 2-bit weights with int8 activations. Layouts are those of prepared layers in memory,
// not of files.
//
// 2-bit panel: 32 rows (the last panel is padded) by `steps` column steps of 16. A step is 128
// bytes: a line of 64 bytes for rows 0-15, then one for rows 16-31. In a line, bits 2p..2p+1 of
// byte 4r + j hold the code (trit + 1) of row r, column 16 * step + 4p + j. One panel is one
// sequential stream, a 4-column dword of each row lines up with a lane of vpdpbusd, and no sum
// crosses lanes.
//
// Activation tiles ("vnni12"): tokens in tiles of at most 12, as equal as can be (tk_tile_start). A
// tile is [columns / 4][12] dwords: 4 int8 columns of each token side by side.
#ifndef TK_I2S_H
#define TK_I2S_H

#include <stddef.h>
#include <stdint.h>

enum {
  TK_PANEL_ROWS = 32,  ///< Rows of a panel.
  TK_TILE_TOKENS = 12, ///< Most tokens of an activation tile.
  TK_FEW_TOKENS = 3,   ///< Up to so many tokens no tiles are needed.
  TK_GEMM_PANELS = 4,  ///< Most panels that are expanded to bytes at a time,
  TK_GEMM_STEPS = 220, ///< and most of their steps: 440 KB, less than half an L2.
  TK_SCRATCH_BYTES = TK_GEMM_PANELS * TK_GEMM_STEPS * 512, ///< Room for them.
};

/// One product: panels of weights with all tokens.
typedef struct tk_panel_product {
  /// The first panel to multiply, 64-byte aligned.
  const uint8_t *_Nonnull panels;
  /// Where the layer's last panel ends: what may be read ahead, since a thread's next part follows.
  const uint8_t *_Nonnull panels_end;
  /// Steps of 16 columns of a panel.
  size_t steps;
  /// Rows to compute, counted from the first panel's first row.
  size_t rows;
  /// int8 activations [tokens, stride], rows 64-byte aligned and padded with zeros.
  const int8_t *_Nonnull values;
  /// Bytes from one token to the next.
  size_t stride;
  /// Tokens.
  size_t tokens;
  /// Activation tiles; not read for up to TK_FEW_TOKENS tokens, nor by 256-bit kernels. Sparse
  /// columns: the tokens' lists, then activation tiles.
  const int32_t *_Nullable tiles;
  /// Σ q of each token.
  const int32_t *_Nonnull sums;
  /// Dequantization scale of each token.
  const float *_Nonnull token_scales;
  /// Scales of the weights: one a row from the first row on, padded to whole panels.
  const float *_Nonnull row_scales;
  /// Where Float(Σ) · (token scale · row scale) goes, [tokens, y_stride]; or null.
  float *_Nullable y;
  /// Where the integer sums go, [tokens, y_stride], if `y` is null.
  int32_t *_Nullable accumulators;
  /// Elements from one token's outputs to the next.
  size_t y_stride;
  /// Room of TK_SCRATCH_BYTES, 64-byte aligned; not touched for up to TK_FEW_TOKENS tokens, nor by
  /// 256-bit kernels.
  uint8_t *_Nullable scratch;
  /// [tokens, gate_stride]: outputs whose gate is not above 0 are not wanted, and become 0 or what
  /// they are. Null: all are wanted. Read by sparse rows alone.
  const float *_Nullable gate;
  /// Elements from one token's gates to the next.
  size_t gate_stride;
} tk_panel_product;

/// First token of tile `tile` when `tokens` are cut into as many tiles as needed.
static inline size_t tk_tile_start(size_t tokens, size_t tile) {
  size_t tiles = (tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  return tokens * tile / tiles;
}

/// Packs the tiles in [first, last) of `values` [tokens, stride] into `out`; `quads` dwords a
/// token; every byte is XORed with `flip` (0x80 turns int8 into offset-128 uint8).
void tk_pack_tiles(const int8_t *_Nonnull values, size_t stride, size_t tokens, size_t quads,
                   uint8_t flip, size_t first, size_t last, int32_t *_Nonnull out);

/// Packs trits (-1, 0, +1) `rows` x `columns` into 2-bit panels of `steps` steps; `out` is zeroed
/// and has room for all panels. Padding is the code of 0.
void tk_i2s_pack(const int8_t *_Nonnull trits, size_t rows, size_t columns, size_t steps,
                 uint8_t *_Nonnull out);

#if defined(__x86_64__)
/// AVX2: vpmaddubsw into int16, widened every 16 steps, before it could overflow.
void tk_i2s_avx2(const tk_panel_product *_Nonnull product);
/// vpdpbusd on ymm.
void tk_i2s_avxvnni(const tk_panel_product *_Nonnull product);
/// vpdpbusd on zmm: masks without shifts for up to 3 tokens, 32 x 12 register tiles of 2-bit
/// weights for up to 96, 64 x 6 tiles of weights that were expanded to bytes for more.
void tk_i2s_avx512vnni(const tk_panel_product *_Nonnull product);
#elif defined(__aarch64__)
/// smlal into int16, widened every 32 steps, before it could overflow. Reads no tiles.
void tk_i2s_neon(const tk_panel_product *_Nonnull product);
/// sdot by element. Reads no tiles.
void tk_i2s_neon_dotprod(const tk_panel_product *_Nonnull product);
#endif

#endif
