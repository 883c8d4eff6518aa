// Leaves of integer products: panels, columns, bytes, lookup tables.

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
