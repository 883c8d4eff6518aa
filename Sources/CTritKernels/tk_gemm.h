// Products of many tokens with panels that are expanded to a byte a weight first.
#ifndef TK_GEMM_H
#define TK_GEMM_H

#include "tk_i2s.h"

/// How a packing's panels become bytes.
typedef struct tk_expander {
  /// Steps of 128 bytes that hold `steps` groups of 16 columns (multiples of 5, but at a panel's end).
  size_t (*lines)(size_t steps);
  /// Expands `steps` groups of 16 columns at `panel` to codes of a byte: for each four columns 128 bytes,
  /// byte 4r + j the code of row r, column j.
  void (*expand)(const uint8_t *panel, size_t steps, uint8_t *out);
} tk_expander;

#if defined(__x86_64__)
/// Multiplies panels of any packing with more than TK_FEW_TOKENS tokens; wants `scratch`.
void tk_gemm_avx512vnni(const tk_panel_product *p, const tk_expander *from);
/// Expands 2-bit steps.
void tk_i2s_expand_avx512(const uint8_t *panel, size_t steps, uint8_t *out);
#endif

#endif
