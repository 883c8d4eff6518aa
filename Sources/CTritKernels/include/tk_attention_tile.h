// Attention over one tile of 64 positions for a block of query rows: scores, running softmax,
// weighted sum. Keys and values are read in the precision in which the cache holds them. One body
// of vector C (attention_tile_body.h) is compiled once per instruction set.
//
// Keys lie transposed, [d][64]: a lane is a position, so that no sum crosses lanes. Values lie as
// rows, [64][d]. Both halves are then one product of small matrices, and every element of it is a
// chain of multiply-adds in order of the summed index: a row's result does not depend on the rows
// beside it.
#ifndef TK_ATTENTION_TILE_H
#define TK_ATTENTION_TILE_H

#include <stddef.h>
#include <stdint.h>

enum {
  TK_TILE_POSITIONS = 64,  ///< Positions of a tile.
  TK_KV_F32 = 0,           ///< Keys and values in float.
  TK_KV_F16 = 1,           ///< In binary16.
  TK_KV_BF16 = 2,          ///< In bfloat16.
  TK_KV_I8 = 3,            ///< In int8, with a scale for each position.
};

/// One tile and the query rows that see some of it.
typedef struct tk_attention_tile {
  /// Query rows [rows, d], times the scale of the scores.
  const float *_Nonnull queries;
  /// Query rows; `group` neighbours stand at one position.
  size_t rows;
  /// Rows a position.
  size_t group;
  /// Elements of a head.
  size_t d;
  /// [d][64] of `kind`.
  const void *_Nonnull keys;
  /// [64][d] of `kind`; rows that no query sees are not read.
  const void *_Nonnull values;
  /// TK_KV_…
  int kind;
  /// For TK_KV_I8: what a key's codes are multiplied by, [64].
  const float *_Nullable key_scales;
  /// The same for values.
  const float *_Nullable value_scales;
  /// Position of the first query row, counted from the tile's first position.
  int64_t position;
  /// Keys that a query sees, its own included; 0 is all.
  int64_t window;
  /// Nonzero: fetch the next tile while this one is computed (few rows, keys and values from
  /// memory).
  int prefetch;
  /// Scratch [rows, 64].
  float *_Nonnull scores;
  /// Greatest score of each row so far; -inf at the start.
  float *_Nonnull maxima;
  /// Sum of exp(score - maximum) of each row so far; 0 at the start.
  float *_Nonnull sums;
  /// Weighted sum of values so far [rows, d], not divided by `sums`; 0 at the start.
  float *_Nonnull output;
} tk_attention_tile;

/// The tile leaves of one instruction set.
typedef struct tk_attention_tile_ops {
  /// Adds one tile to maxima, sums and output of every row.
  void (*_Nonnull add)(const tk_attention_tile *_Nonnull tile);
  /// Only the scores, of all 64 positions, seen or not.
  void (*_Nonnull scores)(const tk_attention_tile *_Nonnull tile);
  /// Adds other positions' statistics and sums [rows], [rows, d] to the first ones. A side that has
  /// seen nothing (sum 0, maximum -inf) leaves the other's bits as they are.
  void (*_Nonnull merge)(size_t rows, size_t d, float *_Nonnull maxima, float *_Nonnull sums,
                         float *_Nonnull output, const float *_Nonnull other_maxima,
                         const float *_Nonnull other_sums, const float *_Nonnull other_output);
  /// out = x in float, codes of TK_KV_I8 without their scale.
  void (*_Nonnull widen)(const void *_Nonnull x, int kind, size_t n, float *_Nonnull out);
} tk_attention_tile_ops;

/// Plain C, every CPU.
extern const tk_attention_tile_ops tk_attention_tile_scalar;
#if defined(__x86_64__)
/// AVX2, FMA and F16C.
extern const tk_attention_tile_ops tk_attention_tile_avx2;
/// AVX-512 F.
extern const tk_attention_tile_ops tk_attention_tile_avx512;
#endif

/// The leaves for a CPU with `features` (TK_CPU_ bits).
static inline const tk_attention_tile_ops *_Nonnull tk_attention_tile_for(uint32_t features) {
#if defined(__x86_64__)
  if (features & (1u << 2)) return &tk_attention_tile_avx512;
  if (features & (1u << 0)) return &tk_attention_tile_avx2;
#endif
  (void)features;
  return &tk_attention_tile_scalar;
}

#endif
