// One row of trits times one token, in two leaves of which one is chosen when the program runs.
#ifndef EXTRA_DOT_H
#define EXTRA_DOT_H

#include <stddef.h>
#include <stdint.h>

// The sum of code[k] * x[k] over columns, a multiple of 128; a code is a trit + 1. Byte i of each
// 32 holds the codes of columns i, i + 32, i + 64 and i + 96 of its 128, from the low bits up: what
// DotKernel of TritLab packs.
typedef int32_t (*extra_dot)(const uint8_t *_Nullable codes, const int8_t *_Nullable x,
                             size_t columns);

// Plain C.
int32_t extra_dot_portable(const uint8_t *_Nullable codes, const int8_t *_Nullable x,
                           size_t columns);

// AVX2, 128 columns a step; a NULL pointer where this CPU has none.
extra_dot _Nullable extra_dot_avx2(void);

// The faster one of those that this CPU has.
extra_dot _Nonnull extra_dot_here(void);

#endif
