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

// --- Buffers ------------------------------------------------------------------------------------

enum { MOST = 32 };
static struct {
  uint8_t *map;
  size_t bytes, used;
} buffers[MOST];
static int used_buffers;
static size_t page;

/// `bytes` bytes between two pages that nobody may touch; filled with `pattern`.
static void *guarded(size_t bytes, size_t alignment, int pattern) {
  size_t inner = (bytes + page - 1) / page * page, total = inner + 2 * page;
  if (used_buffers == MOST) fail("too many buffers");
  uint8_t *map = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) fail("no memory");
  mprotect(map, page, PROT_NONE);
  mprotect(map + page + inner, page, PROT_NONE);
  buffers[used_buffers].map = map;
  buffers[used_buffers].bytes = total;
  buffers[used_buffers++].used = bytes;
  uint8_t *start = map + page;
  if (at_end) start += (inner - bytes) / alignment * alignment;
  memset(map + page, 0xEE, inner);
  if (bytes) memset(start, pattern, bytes);
  return start;
}

/// From here on `p` is an input.
static void seal(const void *p) {
  for (int i = 0; i < used_buffers; i++) {
    uint8_t *map = buffers[i].map;
    if ((const uint8_t *)p >= map && (const uint8_t *)p < map + buffers[i].bytes)
      mprotect(map + page, buffers[i].bytes - 2 * page, PROT_READ);
  }
}

static void release(void) {
  while (used_buffers > 0) {
    used_buffers--;
    munmap(buffers[used_buffers].map, buffers[used_buffers].bytes);
  }
}

static uint64_t state = 1;
static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

static float *floats(size_t n) {
  float *x = guarded(4 * n, 4, 0);
  for (size_t i = 0; i < n; i++) x[i] = (float)((int)(draw() % 2001) - 1000) / 256;
  return x;
}

/// Numbers of every kind: those that conversions trip over.
static float *odd_floats(size_t n) {
  static const float odd[] = {0,        -0.0f,  INFINITY, -INFINITY, NAN,    1e-45f, -1e-45f, 3.4e38f, -3.4e38f,
                              65504.0f, 65520.0f, 6e-8f,    0.5f,      127.5f, -128.5f, 2147483648.0f, 1e10f};
  float *x = floats(n);
  for (size_t i = 0; i < n; i++)
    if (draw() % 3 == 0) x[i] = odd[draw() % (sizeof odd / sizeof *odd)];
  return x;
}

static int8_t *trits(size_t n) {
  int8_t *w = guarded(n, 1, 0);
  for (size_t i = 0; i < n; i++) w[i] = (int8_t)((int)(draw() % 3) - 1);
  seal(w);
  return w;
}

/// Rows of activations, padded with zeros to 64.
static int8_t *activations(size_t tokens, size_t columns, size_t stride) {
  int8_t *x = guarded(tokens * stride, 64, 0);
  for (size_t t = 0; t < tokens; t++)
    for (size_t k = 0; k < columns; k++)
      x[t * stride + k] = draw() % 4 == 0 ? 0 : (int8_t)((int)(draw() % 256) - 128);
  seal(x);
  return x;
}

static void *sealed(void *p) {
  seal(p);
  return p;
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

// --- Floats, heads ------------------------------------------------------------------------------

static void float_leaves(const char *set, const tk_float_ops *f) {
  static const size_t large[] = {255, 256, 257, 511, 513, 1000, 1024, 2047, 4096, 4099};
  for (size_t index = 0; index < 131 + COUNT(large); index++) {
    size_t n = index < 131 ? index : large[index - 131];
    for (int odd = 0; odd < 2; odd++) {
      CASE("float/%s, n %zu%s", set, n, odd ? ", odd values" : "");
      const float *a = sealed(odd ? odd_floats(n) : floats(n)), *b = sealed(floats(n));
      float *out = guarded(4 * n, 4, 0);
      uint16_t *half = guarded(2 * n, 2, 0x3A);
      int8_t *bytes = guarded(n, 1, 5);
      f->sum_of_squares(a, n);
      f->scale_weighted(a, 0.5f, b, out, n);
      f->scale_weighted(a, 0.5f, NULL, out, n);
      f->absmax(a, n);
      f->largest(a, n);
      f->maximum(a, n);
      f->add(a, b, out, n);
      f->multiply(a, b, out, n);
      f->scale(a, 3, out, n);
      f->silu_multiply(a, b, out, n);
      f->relu2_multiply(a, b, out, n);
      f->dot(a, b, n);
      f->exp_shifted(a, 1, out, n);
      f->axpy(0.5f, a, out, n);
      f->f32_to_f16(a, half, n);
      f->f16_to_f32(half, out, n);
      f->f32_to_bf16(a, half, n);
      f->bf16_to_f32(half, out, n);
      f->quantize_int8(a, 127.0f / 4, 127, bytes, n);
      f->quantize_int8(a, 7.0f / 4, 7, bytes, n);
      seal(half);
      seal(bytes);
      f->dot_f16(a, half, n);
      f->dot_i8(a, bytes, n);
      f->axpy_f16(0.5f, half, out, n);
      f->axpy_i8(0.5f, bytes, out, n);
      calls += 23;
      release();
    }
  }
}

static void plain_heads(const char *set, const tk_float_ops *f) {
  static const size_t widths[] = {1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 100, 127, 128, 129, 192, 255, 256, 300};
  static const size_t heights[] = {1, 2, 3, 7, 16, 33};
  static const size_t counts[] = {1, 2, 3, 4, 5, 9};
  for (size_t i = 0; i < COUNT(widths); i++)
    for (size_t j = 0; j < COUNT(heights); j++)
      for (size_t k = 0; k < COUNT(counts); k++) {
        size_t n = widths[i], rows = heights[j], tokens = counts[k];
        size_t w_stride = (n + 31) / 32 * 32, x_stride = n + k, y_stride = rows + k;
        CASE("head/%s, %zu x %zu, %zu tokens", set, rows, n, tokens);
        const uint16_t *half = sealed(guarded(2 * ((rows - 1) * w_stride + w_stride), 2, 0x3A));
        const int8_t *bytes = sealed(guarded(rows * w_stride, 1, 5));
        size_t blocks = (n + 127) / 128;
        const uint8_t *low = sealed(guarded(rows * blocks * 64, 1, 0x5A));
        const uint8_t *middle = sealed(guarded(rows * blocks * 96, 1, 0x5A));
        const uint16_t *block_scales = sealed(guarded(2 * rows * blocks * 4, 2, 0x2C));
        const float *scales = sealed(floats(rows));
        const float *x = sealed(floats((tokens - 1) * x_stride + n));
        float *y = guarded(4 * ((tokens - 1) * y_stride + rows), 4, 0);
        f->head_f16(half, w_stride, rows, x, x_stride, tokens, n, y, y_stride);
        f->head_bf16(half, w_stride, rows, x, x_stride, tokens, n, y, y_stride);
        f->head_i8(bytes, scales, w_stride, rows, x, x_stride, tokens, n, y, y_stride);
        f->head_i4(low, block_scales, rows, x, x_stride, tokens, n, y, y_stride);
        f->head_i6(middle, block_scales, rows, x, x_stride, tokens, n, y, y_stride);
        calls += 4;
#if defined(__x86_64__)
        if (tk_cpu_features() & TK_CPU_AVX2) {
          tk_head_low_avx2(low, block_scales, rows, x, x_stride, tokens, n, y, y_stride, 4);
          tk_head_low_avx2(middle, block_scales, rows, x, x_stride, tokens, n, y, y_stride, 6);
          calls += 2;
        }
        if (tk_cpu_features() & TK_CPU_AVX512_VNNI) {
          size_t panels = (rows + 31) / 32, runs = (n + 31) / 32;
          const float *padded = sealed(floats(panels * 32));
          static const int widths_of[] = {4, 6, 8};
          static const size_t bytes_of[] = {TK_HEAD_RUN_4, TK_HEAD_RUN_6, TK_HEAD_RUN_8};
          for (int b = 0; b < 3; b++) {
            const uint8_t *w = sealed(guarded(panels * runs * bytes_of[b], 64, 0x2C));
            tk_head_panels_avx512vnni(w, padded, widths_of[b], rows, x, x_stride, tokens, n, y, y_stride);
            calls++;
          }
        }
#endif
        release();
      }
}

// --- Attention ----------------------------------------------------------------------------------

static void attention(const char *set, const tk_attention_ops *a) {
  static const size_t widths[] = {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, 80, 96, 127, 128, 129, 256};
  static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33};
  for (size_t i = 0; i < COUNT(widths); i++)
    for (size_t j = 0; j < COUNT(counts); j++)
      for (size_t gap = 0; gap < 2; gap++) {
        size_t d = widths[i], count = counts[j], stride = d + gap * 5;
        size_t rows = count ? (count - 1) * stride + d : 0;
        CASE("attention/%s, d %zu, %zu rows, stride %zu", set, d, count, stride);
        const float *query = sealed(floats(d)), *keys = sealed(floats(rows)), *weights = sealed(floats(count));
        float *out = guarded(4 * count, 4, 0), *sum = guarded(4 * d, 4, 0);
        a->scores(query, keys, stride, count, d, 0.5f, out);
        a->accumulate(weights, keys, stride, count, d, 0.5f, sum);
        calls++;
        release();
      }
}

static void attention_tiles(const char *set, const tk_attention_tile_ops *a) {
  static const size_t widths[] = {1, 2, 7, 8, 15, 16, 17, 32, 33, 64, 80, 128, 129, 256};
  static const size_t heights[] = {1, 2, 3, 4, 5, 8, 12, 17};
  static const size_t sizes[] = {4, 2, 2, 1};
  static const int64_t positions[] = {-1, 0, 1, 31, 62, 63, 64, 200};
  for (size_t i = 0; i < COUNT(widths); i++)
    for (size_t j = 0; j < COUNT(heights); j++)
      for (int kind = 0; kind < 4; kind++)
        for (size_t k = 0; k < COUNT(positions); k++) {
          size_t d = widths[i], rows = heights[j], size = sizes[kind];
          CASE("attention tile/%s, d %zu, %zu rows, kind %d, position %lld", set, d, rows, kind,
               (long long)positions[k]);
          tk_attention_tile tile = {
              .queries = sealed(floats(rows * d)), .rows = rows, .group = j % 3 + 1, .d = d,
              .keys = sealed(guarded(64 * d * size, 64, 0x3A)), .values = sealed(guarded(64 * d * size, 64, 0x3A)),
              .kind = kind, .key_scales = kind == TK_KV_I8 ? sealed(floats(64)) : NULL,
              .value_scales = kind == TK_KV_I8 ? sealed(floats(64)) : NULL, .position = positions[k],
              .window = k % 3 == 2 ? 5 : 0, .prefetch = k % 2, .scores = guarded(4 * rows * 64, 64, 0),
              .maxima = guarded(4 * rows, 4, 0), .sums = guarded(4 * rows, 4, 0),
              .output = guarded(4 * rows * d, 4, 0)};
          for (size_t r = 0; r < rows; r++) tile.maxima[r] = -INFINITY;
          a->scores(&tile);
          if (positions[k] >= 0) a->add(&tile);
          const float *maxima = sealed(floats(rows)), *sums = sealed(floats(rows)), *sum = sealed(floats(rows * d));
          a->merge(rows, d, tile.maxima, tile.sums, tile.output, maxima, sums, sum);
          size_t n = d * rows;
          const void *narrow = sealed(guarded(n * size, size, 0x3A));
          float *wide = guarded(4 * n, 4, 0);
          a->widen(narrow, kind, n, wide);
          calls += 3;
          release();
        }
}

// --- Integer products ---------------------------------------------------------------------------

static const size_t row_counts[] = {1, 2, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 129, 255, 257, 300};
static const size_t column_counts[] = {1,  2,  3,  4,  5,   8,   12,  15,  16,  17,  24,  31,  32,  33,   47,
                                       63, 64, 65, 80, 100, 127, 128, 129, 160, 255, 256, 257, 300, 511, 640};
static const size_t token_counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 25};

/// A product of panels: everything but the panels.
typedef struct bench {
  size_t rows, columns, tokens, stride, steps;
  const int8_t *w, *x;
  tk_panel_product product;
  /// The sums as a plain loop gives them [tokens, rows]; null where outputs are scaled.
  int32_t *expected;
} bench;

/// Room for expanded weights, made once for each side: it is large.
static uint8_t *scratch_room(void) {
  static uint8_t *rooms[2];
  if (!rooms[at_end]) {
    rooms[at_end] = guarded(TK_SCRATCH_BYTES, 64, 0);
    used_buffers--;
  }
  return rooms[at_end];
}

static int32_t *list_of(size_t tokens, size_t steps) {
  return guarded(4 * tokens * tk_list_stride(steps * 16), 64, 0);
}

static bench make_bench(size_t rows, size_t columns, size_t tokens, size_t panel_rows, int scaled) {
  bench b = {.rows = rows, .columns = columns, .tokens = tokens};
  b.steps = (columns + 15) / 16;
  b.stride = (columns + 63) / 64 * 64;
  b.w = trits(rows * columns);
  b.x = activations(tokens, columns, b.stride);
  int32_t *sums = guarded(4 * tokens, 4, 0);
  for (size_t t = 0; t < tokens; t++)
    for (size_t k = 0; k < columns; k++) sums[t] += b.x[t * b.stride + k];
  seal(sums);
  size_t panels = (rows + panel_rows - 1) / panel_rows, y_stride = rows + tokens % 3;
  b.product = (tk_panel_product){
      .panels = NULL, .panels_end = NULL, .steps = b.steps, .rows = rows, .values = b.x, .stride = b.stride,
      .tokens = tokens, .tiles = NULL, .sums = sums, .token_scales = sealed(floats(tokens)),
      .row_scales = sealed(floats(panels * panel_rows)), .y_stride = y_stride};
  void *out = guarded(4 * ((tokens - 1) * y_stride + rows), 4, 0);
  if (scaled) b.product.y = out;
  else b.product.accumulators = out;
  if (scaled) return b;
  b.expected = malloc(4 * tokens * rows);
  if (!b.expected) fail("no memory");
  for (size_t t = 0; t < tokens; t++)
    for (size_t r = 0; r < rows; r++) {
      int32_t sum = 0;
      for (size_t k = 0; k < columns; k++) sum += b.w[r * columns + k] * b.x[t * b.stride + k];
      b.expected[t * rows + r] = sum;
    }
  return b;
}

static void check_sums(const bench *b, const int32_t *sums, size_t stride) {
  if (!sums) return;
  for (size_t t = 0; t < b->tokens; t++)
    if (memcmp(sums + t * stride, b->expected + t * b->rows, 4 * b->rows))
      fail("another sum than that of the plain loop");
}

static void end_bench(bench *b) {
  free(b->expected);
  release();
}

static const int32_t *tiles_of(const bench *b, uint8_t flip) {
  size_t tiles = (b->tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS, quads = b->steps * 4;
  int32_t *out = guarded(tiles * quads * TK_TILE_TOKENS * 4, 64, 0);
  tk_pack_tiles(b->x, b->stride, b->tokens, quads, flip, 0, tiles, out);
  calls++;
  seal(out);
  return out;
}

typedef void product_leaf(const tk_panel_product *);

/// Runs a leaf on panels that were packed; `tiles` and scratch where it wants them.
static void run(bench *b, const char *name, product_leaf *leaf, const uint8_t *panels, size_t bytes,
                const int32_t *tiles, int scratch) {
  CASE("%s, %zu x %zu, %zu tokens%s", name, b->rows, b->columns, b->tokens, b->product.y ? ", scaled" : "");
  seal(panels);
  b->product.panels = panels;
  b->product.panels_end = panels + bytes;
  b->product.tiles = tiles;
  b->product.scratch = scratch ? scratch_room() : NULL;
  leaf(&b->product);
  if (!b->product.gate) check_sums(b, b->product.accumulators, b->product.y_stride);
}

static void panel_products(size_t rows, size_t columns, size_t tokens, int scaled) {
  uint32_t cpu = tk_cpu_features();
  (void)cpu;
  CASE("packing, %zu x %zu, %zu tokens", rows, columns, tokens);
  bench b = make_bench(rows, columns, tokens, TK_PANEL_ROWS, scaled);
  size_t panels = (rows + 31) / 32;
  const int32_t *tiles = tiles_of(&b, 0);
  {
    size_t bytes = panels * b.steps * 128;
    uint8_t *packed = guarded(bytes, 64, 0);
    tk_i2s_pack(b.w, rows, columns, b.steps, packed);
#if defined(__x86_64__)
    if (cpu & TK_CPU_AVX2) run(&b, "i2_s/avx2", tk_i2s_avx2, packed, bytes, NULL, 0);
    if (cpu & TK_CPU_AVX_VNNI) run(&b, "i2_s/avxvnni", tk_i2s_avxvnni, packed, bytes, NULL, 0);
    if (cpu & TK_CPU_AVX512_VNNI)
      run(&b, "i2_s/avx512vnni", tk_i2s_avx512vnni, packed, bytes, tokens > TK_FEW_TOKENS ? tiles : NULL,
          tokens > TK_FEW_TOKENS);
#endif
  }
#if defined(__x86_64__)
  {
    size_t bytes = panels * tk_base3_lines(b.steps) * 128;
    uint8_t codes[243];
    if (cpu & TK_CPU_AVX512_VBMI) {
      uint8_t *packed = guarded(bytes, 64, 0);
      tk_base3_codes_vbmi(codes);
      tk_base3_pack(b.w, rows, columns, codes, packed);
      run(&b, "base3/avx512vbmi", tk_base3_avx512vbmi, packed, bytes, tokens > TK_FEW_TOKENS ? tiles : NULL,
          tokens > TK_FEW_TOKENS);
    }
    if (cpu & TK_CPU_AVX2) {
      uint8_t *packed = guarded(bytes, 64, 0);
      tk_base3_codes_avx2(codes);
      tk_base3_pack(b.w, rows, columns, codes, packed);
      run(&b, "base3/avx2", tk_base3_avx2, packed, bytes, NULL, 0);
    }
  }
#endif
  {
    size_t bytes = panels * 32 * tk_row_lines(columns) * 64;
    uint8_t *packed = guarded(bytes, 64, 0);
    tk_sparse_rows_pack(b.w, rows, columns, packed);
    for (int gated = 0; gated < 2; gated++) {
      b.product.gate_stride = rows;
      b.product.gate = gated ? sealed(floats((tokens - 1) * rows + rows)) : NULL;
      run(&b, "sparse_rows/scalar", tk_sparse_rows_scalar, packed, bytes, NULL, 0);
#if defined(__x86_64__)
      if (cpu & TK_CPU_AVX512_VNNI)
        run(&b, "sparse_rows/avx512vnni", tk_sparse_rows_avx512vnni, packed, bytes,
            tokens > TK_SPARSE_TOKENS ? tiles : NULL, tokens > TK_SPARSE_TOKENS);
#endif
    }
  }
  end_bench(&b);
}

static void column_products(size_t rows, size_t columns, size_t tokens, int scaled) {
  bench b = make_bench(rows, columns, tokens, TK_COLUMN_ROWS, scaled);
  CASE("sparse columns, %zu x %zu, %zu tokens", rows, columns, tokens);
  size_t bytes = (rows + 255) / 256 * b.steps * 16 * 64, padded = b.steps * 16, stride = tk_list_stride(padded);
  uint8_t *packed = guarded(bytes, 64, 0);
  tk_sparse_columns_pack(b.w, rows, columns, b.steps, packed);
  run(&b, "sparse_columns/scalar", tk_sparse_columns_scalar, packed, bytes, NULL, 0);
  int32_t *lists = list_of(tokens, b.steps);
  for (size_t t = 0; t < tokens; t++) tk_sparse_list_scalar(b.x + t * b.stride, padded, lists + t * stride);
#if defined(__x86_64__)
  if (tk_cpu_features() & TK_CPU_AVX512_VNNI) {
    size_t tiles = tokens > TK_SPARSE_TOKENS ? (tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS : 0;
    int32_t *input = guarded(4 * tokens * stride + tiles * b.steps * 4 * TK_TILE_TOKENS * 4, 64, 0);
    for (size_t t = 0; t < tokens; t++) {
      tk_sparse_list_avx512(b.x + t * b.stride, padded, input + t * stride);
      if (input[t * stride] != lists[t * stride]) fail("lists of other lengths");
    }
    if (tiles)
      tk_pack_tiles(b.x, b.stride, tokens, b.steps * 4, 0, 0, tiles, input + tokens * stride);
    run(&b, "sparse_columns/avx512vnni", tk_sparse_columns_avx512vnni, packed, bytes, sealed(input),
        tokens > TK_SPARSE_TOKENS);
  }
#endif
  end_bench(&b);
}

static void byte_products(size_t rows, size_t columns, size_t tokens, size_t group_steps, int scaled) {
  CASE("int8, %zu x %zu, %zu tokens, %zu steps a group", rows, columns, tokens, group_steps);
  bench b = make_bench(rows, columns, tokens, TK_PANEL_ROWS, scaled);
  size_t panels = (rows + 31) / 32, steps = (columns + 3) / 4;
  if (group_steps == 0 || group_steps > steps) group_steps = steps;
  size_t groups = (steps + group_steps - 1) / group_steps;
  if (!scaled && groups > 1) return end_bench(&b);
  uint8_t *packed = guarded(panels * steps * 128, 64, 0);
  int32_t *corrections = guarded(4 * panels * groups * 32, 64, 0);
  tk_int8_pack(b.w, rows, columns, steps, group_steps, groups, packed, corrections);
  tk_int8_product p = {
      .panels = sealed(packed), .steps = steps, .group_steps = group_steps, .groups = groups, .rows = rows,
      .values = b.x, .stride = b.stride, .tokens = tokens, .tiles = tokens > TK_FEW_TOKENS ? tiles_of(&b, 0x80) : NULL,
      .tile_quads = b.steps * 4, .token_scales = b.product.token_scales, .corrections = sealed(corrections),
      .scales = sealed(floats(panels * groups * 32)), .y = b.product.y, .accumulators = b.product.accumulators,
      .y_stride = b.product.y_stride};
#if defined(__x86_64__)
  if (tk_cpu_features() & TK_CPU_AVX2) {
    CASE("int8/avx2, %zu x %zu, %zu tokens, %zu groups", rows, columns, tokens, groups);
    tk_int8_avx2(&p);
    check_sums(&b, p.accumulators, p.y_stride);
  }
  if (tk_cpu_features() & TK_CPU_AVX512_VNNI) {
    CASE("int8/avx512vnni, %zu x %zu, %zu tokens, %zu groups", rows, columns, tokens, groups);
    tk_int8_avx512vnni(&p);
    check_sums(&b, p.accumulators, p.y_stride);
  }
#endif
  end_bench(&b);
}

#if defined(__x86_64__)
typedef void lookup_leaf(const tk_lookup_product *);

static void lookup_products(size_t rows, size_t columns, size_t tokens, int scaled) {
  uint32_t cpu = tk_cpu_features();
  if (!(cpu & TK_CPU_AVX512)) return;
  static const tk_lookup_kind kinds[] = {TK_LOOKUP_PAIRS, TK_LOOKUP_TRIPLES};
  for (int k = 0; k < 2; k++) {
    CASE("lookup panels of %d, %zu x %zu, %zu tokens", (int)kinds[k], rows, columns, tokens);
    bench b = make_bench(rows, columns, tokens, TK_LOOKUP_ROWS, scaled);
    size_t panels = (rows + 63) / 64, lines = tk_lookup_lines(kinds[k], columns), groups = lines * 4;
    size_t entries = k ? 32 : 16;
    uint8_t *packed = guarded(panels * tk_lookup_panel_bytes(kinds[k], lines), 64, 0);
    tk_lookup_pack(kinds[k], b.w, rows, columns, packed);
    int16_t *tables = guarded(2 * tokens * groups * entries, 64, 0);
    size_t tiles = (tokens + TK_LOOKUP_TOKENS - 1) / TK_LOOKUP_TOKENS;
    for (size_t tile = 0; tile < tiles; tile++) {
      size_t first = tk_lookup_tile_start(tokens, tile), count = tk_lookup_tile_start(tokens, tile + 1) - first;
      tk_lookup_tables_avx512(kinds[k], b.x + first * b.stride, b.stride, columns, count, 0, groups,
                              tables + first * groups * entries);
    }
    tk_lookup_product p = {
        .panels = sealed(packed), .lines = lines, .rows = rows, .tables = sealed(tables), .tokens = tokens,
        .token_scales = b.product.token_scales, .row_scales = b.product.row_scales, .y = b.product.y,
        .accumulators = b.product.accumulators, .y_stride = b.product.y_stride};
    CASE("%s/avx512, %zu x %zu, %zu tokens", k ? "tl2" : "tl1", rows, columns, tokens);
    (k ? tk_tl2_avx512 : tk_tl1_avx512)(&p);
    check_sums(&b, p.accumulators, p.y_stride);
    if (cpu & TK_CPU_AVX512_VBMI) {
      CASE("%s/avx512vbmi, %zu x %zu, %zu tokens", k ? "tl2" : "tl1", rows, columns, tokens);
      (k ? tk_tl2_avx512vbmi : tk_tl1_avx512vbmi)(&p);
      check_sums(&b, p.accumulators, p.y_stride);
    }
    end_bench(&b);
  }
  if (!(cpu & TK_CPU_AVX512_VBMI) || tokens > TK_LOOKUP_BATCH) return;
  CASE("tl1_0/avx512vbmi, %zu x %zu, %zu tokens", rows, columns, tokens);
  size_t panels = (rows + 63) / 64, lines = (columns + 15) / 16, stride = lines * 128 + 64;
  uint8_t *packed = guarded(panels * lines * 256, 64, 0);
  const int8_t *w = trits(rows * columns);
  tk_tl1_0_pack(w, rows, columns, packed);
  const int8_t *tables = sealed(guarded((tokens - 1) * stride + lines * 128, 64, 3));
  int32_t *sums = guarded(4 * 64 * tokens, 64, 0);
  for (size_t panel = 0; panel < panels; panel++)
    tk_tl1_0_avx512vbmi(packed + panel * lines * 256, lines, tables, stride, tokens, sums);
  release();
}

/// The leaves on bitnet.cpp's layouts: any bytes are codes.
static void tiled_lookups(void) {
  if (!(tk_cpu_features() & TK_CPU_AVX2)) return;
  for (size_t tokens = 1; tokens <= TK_LOOKUP_BATCH; tokens++)
    for (size_t tiles = 1; tiles <= 4; tiles++)
      for (size_t groups = 1; groups <= 8; groups++)
        for (size_t rows = 32; rows <= 64; rows += 32) {
          CASE("tl1/avx2, %zu tokens, %zu tiles, %zu groups, %zu rows", tokens, tiles, groups, rows);
          // 64 bytes of a group: two pairs a byte, for `rows` rows.
          size_t pairs = tiles * groups * 64 / rows * 2, tile_stride = groups * 64 + 64;
          const uint8_t *codes = sealed(guarded((tiles - 1) * tile_stride + groups * 64, 32, 0x57));
          const uint8_t *tables = sealed(guarded(tokens * pairs * 32, 32, 1));
          int32_t *sums = guarded(4 * tokens * rows, 32, 0);
          tk_tl1_avx2(codes, tile_stride, tiles, groups, rows, tables, pairs * 32, tokens, sums);
          const uint8_t *bytes = sealed(guarded(tokens * pairs * 16, 32, 1));
          tk_tl1_0_avx2(codes, tile_stride, tiles, groups, rows, bytes, pairs * 16, tokens, sums);
          calls++;
          release();
        }
  for (size_t tokens = 1; tokens <= TK_LOOKUP_BATCH; tokens++)
    for (size_t tiles = 0; tiles <= 3; tiles++)
      for (size_t triples = 8; triples <= 32; triples += 8)
        for (size_t pair_tiles = 0; pair_tiles <= 2; pair_tiles++) {
          CASE("tl2/avx2, %zu tokens, %zu tiles of %zu triples, %zu of pairs", tokens, tiles, triples, pair_tiles);
          // 32 rows: half a byte a triple, a bit a sign; half a byte a pair.
          size_t index_bytes = triples * 16, sign_bytes = triples * 4, pair_bytes = 16 * 16;
          const uint8_t *index = sealed(guarded(tiles * index_bytes, 32, 0x57));
          const uint8_t *signs = sealed(guarded(tiles * sign_bytes, 32, 0x57));
          const uint8_t *pairs = sealed(guarded(pair_tiles * pair_bytes, 32, 0x57));
          size_t table_bytes = tiles * triples * 32 + pair_tiles * 16 * 32;
          const uint8_t *tables = sealed(guarded(tokens * table_bytes, 32, 1));
          int32_t *sums = guarded(4 * tokens * 32, 32, 0), *pair_sums = guarded(4 * tokens * 32, 32, 0);
          tk_tl2_avx2(index, index_bytes, signs, sign_bytes, tiles, triples, tables, pairs, pair_bytes, pair_tiles,
                      tables + tiles * triples * 32, table_bytes, tokens, sums);
          size_t half = table_bytes / 2;
          const uint8_t *bytes = sealed(guarded(tokens * half, 32, 1));
          tk_tl2_0_avx2(index, index_bytes, signs, sign_bytes, tiles, triples, bytes, pairs, pair_bytes, pair_tiles,
                        bytes + tiles * triples * 16, half, tokens, sums, pair_sums);
          calls++;
          release();
        }
}
#endif

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
