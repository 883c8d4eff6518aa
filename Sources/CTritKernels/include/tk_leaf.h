// How leaves are called in another process (Tests/LeafServer, TritCore's LeafRunner), so that the
// leaves of an instruction set that this machine lacks are judged by the same law checkers: under
// an emulator, or on another machine.
//
// A call is a tk_leaf_call, then `words` uint64, then `bytes` of payload; the server gives back a
// uint64 result and the payload from `reply` on. Both sides are little-endian. The words are the
// leaf's arguments in order: a number; the bits of a float; for a pointer the offset of its buffer
// in the payload, or UINT64_MAX for null. Structures go member by member. Results are numbers, or
// the bits of a float or double.
#ifndef TK_LEAF_H
#define TK_LEAF_H

#include <stdint.h>

enum {
  TK_LEAF_VERSION = 1,   ///< Upper half of what TK_LEAF_FEATURES gives; the lower is tk_cpu_features().
  TK_LEAF_MOST_WORDS = 24 ///< Most words of a call.
};

/// Head of a call.
typedef struct tk_leaf_call {
  /// A tk_leaf.
  uint32_t leaf;
  /// Number of words that follow.
  uint32_t words;
  /// Bytes of payload after them.
  uint64_t bytes;
  /// Where in the payload the reply begins.
  uint64_t reply;
} tk_leaf_call;

/// What can be called. The members of tk_float_ops and tk_attention_ops mean the best of the
/// server's CPU.
typedef enum tk_leaf {
  TK_LEAF_FEATURES,
  TK_LEAF_SUM_OF_SQUARES,
  TK_LEAF_SCALE_WEIGHTED,
  TK_LEAF_ABSMAX,
  TK_LEAF_MAXIMUM,
  TK_LEAF_QUANTIZE_INT8,
  TK_LEAF_ADD,
  TK_LEAF_MULTIPLY,
  TK_LEAF_SCALE,
  TK_LEAF_SILU_MULTIPLY,
  TK_LEAF_RELU2_MULTIPLY,
  TK_LEAF_DOT,
  TK_LEAF_DOT_F16,
  TK_LEAF_DOT_I8,
  TK_LEAF_AXPY,
  TK_LEAF_AXPY_F16,
  TK_LEAF_AXPY_I8,
  TK_LEAF_EXP_SHIFTED,
  TK_LEAF_F16_TO_F32,
  TK_LEAF_F32_TO_F16,
  TK_LEAF_BF16_TO_F32,
  TK_LEAF_F32_TO_BF16,
  TK_LEAF_HEAD_F16,
  TK_LEAF_HEAD_BF16,
  TK_LEAF_HEAD_I8,
  TK_LEAF_HEAD_I4,
  TK_LEAF_HEAD_I6,
  TK_LEAF_ATTENTION_SCORES,
  TK_LEAF_ATTENTION_ACCUMULATE,
  TK_LEAF_I2S_NEON,
  TK_LEAF_I2S_NEON_DOTPROD,
  TK_LEAF_INT8_NEON,
  TK_LEAF_INT8_NEON_DOTPROD,
  TK_LEAF_TL1_NEON,
  TK_LEAF_TL2_NEON,
  TK_LEAF_GROUP_NEON,
  TK_LEAF_GROUP_NEON_DOTPROD,
  TK_LEAF_GROUP_F32_NEON,
} tk_leaf;

#endif
