// The attention tile leaves for every CPU: plain vector C, which on AArch64 is NEON (6 rows of four
// registers, 24 of 32).
#define TK_TILE_TABLE tk_attention_tile_scalar
#define TK_TILE_VECTORS 1
#if defined(__aarch64__)
#include <string.h>
#define TK_TILE_ROWS 6
typedef float tk_neon_16 __attribute__((vector_size(64)));
typedef _Float16 tk_neon_half16 __attribute__((vector_size(32)));
static inline __attribute__((always_inline)) tk_neon_16 tk_neon_f16(const void *p) {
  tk_neon_half16 h;
  memcpy(&h, p, 32);
  return __builtin_convertvector(h, tk_neon_16);
}
#define TK_LOAD_F16(p) tk_neon_f16(p)
#else
#define TK_TILE_ROWS 2
#endif
#include "attention_tile_body.h"
