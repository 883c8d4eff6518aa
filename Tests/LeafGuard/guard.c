// Calls every C leaf that this CPU has, at every shape of a sweep, with each buffer laid against a page that must
// not be touched: once at its end, once at its start. Inputs are read-only pages. Compiled with
// -fsanitize=undefined (Scripts/test-leaves.sh), so that a shift, an overflow or a misaligned access ends it too. Where
// an integer sum can be told by a plain loop, it is compared.
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CTritKernels.h"

static char current[256];
static unsigned long calls;
/// Whether buffers lie at the end of their pages, or at the start.
static int at_end;

#define CASE(...) (calls++, snprintf(current, sizeof current, __VA_ARGS__))

static void say_where(int signal) {
  static const char touched[] = "leaf guard: a page was touched that belongs to nobody, or an input written: ";
  static const char trapped[] = "leaf guard: undefined behaviour: ";
  if (signal == SIGILL || signal == SIGTRAP) (void)!write(2, trapped, sizeof trapped - 1);
  else (void)!write(2, touched, sizeof touched - 1);
  (void)!write(2, current, strlen(current));
  (void)!write(2, at_end ? ", buffers at the end\n" : ", buffers at the start\n", at_end ? 21 : 23);
  _exit(1);
}

static void fail(const char *what) {
  fprintf(stderr, "leaf guard: %s: %s\n", current, what);
  exit(1);
}

#include "buffers.h"
#include "floats.h"
#include "attention.h"
#include "products.h"
#include "groups.h"

static void measuring(void) {
  static const size_t aheads[] = {0, TK_READ_PAGES, TK_STREAM_NEAR, TK_STREAM_FAR};
  for (size_t blocks = 0; blocks < 200; blocks = blocks * 2 + 1)
    for (size_t i = 0; i < COUNT(aheads); i++) {
      CASE("reading %zu bytes, ahead %zu", blocks * 512, aheads[i]);
      const void *memory = sealed(guarded(blocks * 512, 64, 7));
      tk_peak_read(memory, blocks * 512, aheads[i], tk_cpu_features());
      tk_peak_read(memory, blocks * 512, aheads[i], 0);
      tk_evict(memory, blocks * 512);
      release();
    }
}

int main(void) {
  page = (size_t)sysconf(_SC_PAGESIZE);
  // A stack of its own: the fault may be the stack's.
  static uint8_t stack[1 << 16];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_handler = say_where, .sa_flags = SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGILL, &action, NULL);
  sigaction(SIGTRAP, &action, NULL);
  uint32_t cpu = tk_cpu_features();
  for (at_end = 1; at_end >= 0; at_end--) {
    float_leaves("scalar", &tk_float_scalar);
    plain_heads("scalar", &tk_float_scalar);
    attention("scalar", &tk_attention_scalar);
    attention_tiles("scalar", &tk_attention_tile_scalar);
#if defined(__x86_64__)
    if (cpu & TK_CPU_AVX2) {
      float_leaves("avx2", &tk_float_avx2);
      plain_heads("avx2", &tk_float_avx2);
      attention("avx2", &tk_attention_avx2);
      attention_tiles("avx2", &tk_attention_tile_avx2);
    }
    if (cpu & TK_CPU_AVX512) {
      float_leaves("avx512", &tk_float_avx512);
      plain_heads("avx512", &tk_float_avx512);
      attention("avx512", &tk_attention_avx512);
      attention_tiles("avx512", &tk_attention_tile_avx512);
    }
    tiled_lookups();
#endif
    static const size_t ways[] = {TK_READ_PAGES, TK_STREAM_NEAR, TK_STREAM_FAR};
    for (size_t r = 0; r < COUNT(row_counts); r++)
      for (size_t c = 0; c < COUNT(column_counts); c++)
        for (size_t t = 0; t < COUNT(token_counts); t++) {
          size_t rows = row_counts[r], columns = column_counts[c], tokens = token_counts[t];
          int scaled = (r + c + t) % 2 == 0;
          tk_stream_use(ways[(r + c + t) % COUNT(ways)]);
          panel_products(rows, columns, tokens, scaled);
          column_products(rows, columns, tokens, scaled);
          byte_products(rows, columns, tokens, (c + t) % 3 * 8, scaled);
          group_products(rows, columns, tokens, (r + c + t) % 4 * 2 + c % 2, scaled);
#if defined(__x86_64__)
          lookup_products(rows, columns, tokens, scaled);
#endif
        }
    // More tokens than any tile, more columns than a stretch of expanded panels.
    panel_products(130, 300, 100, 0);
    panel_products(65, 16 * TK_GEMM_STEPS + 37, 13, 0);
    column_products(300, 500, 100, 0);
    byte_products(65, 1000, 100, 0, 0);
    group_products(130, 300, 100, 4, 1);
    group_products(65, 2500, 3, 8, 1);
    measuring();
  }
  printf("leaf guard: %lu calls of leaves, features %x: no page touched, no input written\n", calls, cpu);
  return 0;
}
