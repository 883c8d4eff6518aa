// Products of 1.6-bit weights, five trits a byte, with int8 activations. Layouts are those of
// prepared layers in memory, not of files.
//
// base-3 panel: 32 rows (the last panel is padded), in blocks of 80 columns. A block is 4 steps of
// 128 bytes: a line of 64 bytes for rows 0-15, then one for rows 16-31. Byte 4r + j of step i's
// line stands for five trits of row r: those of columns 16i + 4p + j, p = 0..3, and of column 64 +
// 4i + j. What is left after whole blocks, s < 5 groups of 16 columns, takes s steps (without the
// fifth trit), or the 4 of a block. So one block is five steps of a 2-bit panel (tk_i2s.h), in the
// same order of columns: it expands to them line by line, and products of many tokens go through
// the kernels of 2-bit panels.
//
// A byte is the code of d0 + 3 d1 + 9 d2 + 27 d3 + 81 d4 with digits trit + 1 and d4 the trit of
// column 64 + 4i + j; which byte is the code of which number is each kernel's own.
#ifndef TK_BASE3_H
#define TK_BASE3_H

#include "tk_i2s.h"

/// Steps of 128 bytes of a base-3 panel of `steps` groups of 16 columns.
static inline size_t tk_base3_lines(size_t steps) {
  return steps / 5 * 4 + (steps % 5 < 4 ? steps % 5 : 4);
}

/// Packs trits (-1, 0, +1) `rows` x `columns` into base-3 panels; byte codes[n] stands for the
/// number n. `out` has room for all panels. Padding is zero weights.
void tk_base3_pack(const int8_t *_Nonnull trits, size_t rows, size_t columns,
                   const uint8_t codes[_Nonnull 243], uint8_t *_Nonnull out);

#if defined(__x86_64__)
/// The codes of tk_base3_avx512vbmi: 64 d4 + n for the four lower digits' number n < 64, else
/// 192 + 17 d4 + (n - 64). So one 64-entry table decodes bytes below 192, and two the rest.
void tk_base3_codes_vbmi(uint8_t codes[_Nonnull 243]);
/// The codes of tk_base3_avx2: the numbers themselves.
void tk_base3_codes_avx2(uint8_t codes[_Nonnull 243]);

// `panels` of a product are base-3 panels; `steps` are still groups of 16 columns.

/// AVX-512 VBMI and VNNI: vpermb decodes a line to 2-bit codes, in registers for up to 8 tokens
/// (two or three a pass), for more to be expanded to bytes once; wants `scratch` for these.
void tk_base3_avx512vbmi(const tk_panel_product *_Nonnull product);
/// AVX2: digits by comparison and subtraction, into stretches of a 2-bit panel.
void tk_base3_avx2(const tk_panel_product *_Nonnull product);
#endif

#endif
