// Products of many tokens with panels that are expanded to a byte a weight first.
#ifndef TK_GEMM_H
#define TK_GEMM_H

#include "tk_i2s.h"

/// Lines of 64 bytes to read: `runs` runs of `lines`, `stride` bytes from one to the next.
typedef struct tk_run {
  const uint8_t *base;
  size_t runs, stride, lines;
} tk_run;

/// How a packing's panels become bytes.
typedef struct tk_expander {
  /// Stretches of columns start at multiples of so many groups of 16.
  size_t block;
  /// Expands `steps` groups of 16 columns of panel `panel`, from group `step` on, to codes of a
  /// byte: for each four columns 128 bytes, byte 4r + j the code of row r, column j.
  void (*expand)(const tk_panel_product *p, size_t panel, size_t step, size_t steps, uint8_t *out);
  /// What expanding the same of `panels` panels reads.
  tk_run (*source)(const tk_panel_product *p, size_t panel, size_t panels, size_t step, size_t steps);
} tk_expander;

#if defined(__x86_64__)
/// Multiplies panels of any packing with more than TK_FEW_TOKENS tokens; wants `scratch`.
void tk_gemm_avx512vnni(const tk_panel_product *p, const tk_expander *from);
/// Expands 2-bit steps.
void tk_i2s_expand_avx512(const uint8_t *panel, size_t steps, uint8_t *out);
#endif

#endif
