// A linear kernel for TritLab in one C (or C++) file: trit … --plugin FILE.c
//
// The lab does the rest: it compiles the file, checks the kernel against the formula, splits rows
// over threads, and multiplies sums by scales. The kernel computes, exactly,
//
//     sums[t][r] = Σ_k trit[r][k] · x[t][k]     trits −1, 0, +1; x int8; sums int32
//
// Functions are called on several threads at once: no globals that change, no allocation in
// multiply. Buffers begin at multiples of 64 bytes and may be read, never written, up to 64 bytes
// past their end.
#ifndef TRIT_KERNEL_H
#define TRIT_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRIT_KERNEL_VERSION 1  // grows with every change of what follows

// One product: the rows first_row…end_row − 1 of a matrix times all tokens.
typedef struct trit_work {
  const void *packed;     // what pack wrote: all rows
  size_t rows, columns;   // shape of the matrix, columns padded to column_multiple
  size_t first_row;       // a multiple of row_alignment
  size_t end_row;         // a multiple of row_alignment, or rows
  size_t tokens;          // at least 1
  const int8_t *x;        // token t begins at x + t * x_stride, zeros after its columns
  size_t x_stride;        // a multiple of 64
  const uint8_t *layout;  // what layout wrote; block b begins at layout + b * layout_stride
  size_t layout_stride;   // layout_bytes rounded up to 64
  int32_t *sums;          // the sum of token t and row r goes to sums[t * sums_stride + r]
  size_t sums_stride;
} trit_work;

// What is 0 or not named has the default in brackets.
typedef struct trit_kernel {
  const char *name;        // as in --kernel NAME: up to 64 letters, digits, _ - . /
  const char *summary;     // one line: what it does                              [no summary]
  const char *source;      // paper, or whose idea it is                          [the file]
  const char *needs;       // instruction sets: "avx2", "avx512 avx512vnni avx512vbmi",
                           // "avxvnni", "neon", "dotprod", "i8mm"                [any CPU]
  size_t row_alignment;    // ranges of rows begin at multiples of this           [1]
  size_t column_multiple;  // columns are padded with zeros to a multiple of this [1]

  // Bytes that pack needs.
  size_t (*packed_bytes)(size_t rows, size_t columns);
  // Packs trits [rows][columns], one a byte, into zeroed memory.
  void (*pack)(size_t rows, size_t columns, const int8_t *trits, void *packed);
  void (*multiply)(const trit_work *work);

  // Optional: what is built once from each block of layout_tokens tokens (tables, tiles) and shared
  // by all ranges of rows, into zeroed memory. The last block may have fewer tokens.
  size_t layout_tokens;                    // tokens of a block                   [1]
  size_t (*layout_bytes)(size_t columns);  // bytes of a block                    [no layout]
  void (*layout)(size_t tokens, size_t columns, const int8_t *x, size_t x_stride, void *block);

  // Or, in place of all that: one row times one token. Returns Σ_k code[k] · x[k], code = trit + 1;
  // the lab takes Σ x off. columns is a multiple of 128. Byte i of each 32 holds the codes of
  // columns i, i + 32, i + 64, i + 96 of its 128, from the low bits up.
  int32_t (*dot)(const uint8_t *codes, const int8_t *x, size_t columns);
} trit_kernel;

// What the lab looks for in the library.
typedef struct trit_kernel_list {
  uint32_t version;      // TRIT_KERNEL_VERSION
  uint32_t kernel_size;  // sizeof(trit_kernel)
  size_t count;
  const trit_kernel *kernels;
} trit_kernel_list;

extern __attribute__((visibility("default"))) const trit_kernel_list trit_kernels;

// Ends the file, with one kernel or several, each in braces:
// TRIT_KERNELS({.name = "mine", .packed_bytes = bytes, .pack = pack, .multiply = multiply})
#define TRIT_KERNELS(...)                                                            \
  static const trit_kernel trit_kernel_table[] = {__VA_ARGS__};                      \
  const trit_kernel_list trit_kernels = {TRIT_KERNEL_VERSION, sizeof(trit_kernel),   \
                                         sizeof trit_kernel_table / sizeof(trit_kernel), \
                                         trit_kernel_table};

#ifdef __cplusplus
}
#endif
#endif
