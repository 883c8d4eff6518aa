// Products of panels whose scales stand for groups of columns: guard.c includes it. Results are compared with a plain
// loop in double precision.

typedef void group_leaf(const tk_group_product *);

typedef struct {
  bench b;
  size_t group_steps, groups;
  const float *scales;
  const float *token_scales;
  const float *floats;
  tk_group_product product;
} group_bench;

/// What token `t` and row `row` add up to, and how large the terms are.
static double group_sum(const group_bench *g, size_t t, size_t row, int is_float, double *size) {
  double sum = 0;
  *size = 0;
  for (size_t k = 0; k < g->b.columns; k++) {
    double x = is_float ? g->floats[t * g->b.columns + k] : g->b.x[t * g->b.stride + k] * g->token_scales[t];
    double term = g->b.w[row * g->b.columns + k] * (double)g->scales[row * g->groups + k / 16 / g->group_steps] * x;
    sum += term;
    *size += fabs(term);
  }
  return sum;
}

static void run_groups(group_bench *g, const char *name, group_leaf *leaf, int is_float) {
  size_t rows = g->b.rows, tokens = g->b.tokens;
  CASE("%s, %zu x %zu, %zu tokens, %zu steps a group", name, rows, g->b.columns, tokens, g->group_steps);
  memset(g->product.y, 0xEE, 4 * ((tokens - 1) * g->product.y_stride + rows));
  leaf(&g->product);
  for (size_t t = 0; t < tokens; t++)
    for (size_t row = 0; row < rows; row++) {
      double size, sum = group_sum(g, t, row, is_float, &size);
      // Roundings of a float32 sum of so many terms.
      double bound = (double)(g->b.columns + 8) * 6e-8 * size + 1e-30;
      if (!(fabs(g->product.y[t * g->product.y_stride + row] - sum) <= bound))
        fail("another sum than that of the plain loop");
    }
}

static void group_products(size_t rows, size_t columns, size_t tokens, size_t group_steps, int half) {
  uint32_t cpu = tk_cpu_features();
  (void)cpu;
  CASE("packing groups, %zu x %zu, %zu tokens", rows, columns, tokens);
  group_bench g = {.b = make_bench(rows, columns, tokens, TK_PANEL_ROWS, 1)};
  size_t steps = g.b.steps, panels = (rows + 31) / 32, tiles = (tokens + TK_TILE_TOKENS - 1) / TK_TILE_TOKENS;
  g.group_steps = group_steps == 0 || group_steps > steps ? steps : group_steps;
  g.groups = (steps + g.group_steps - 1) / g.group_steps;
  float *scales = floats(rows * g.groups), *token_scales = floats(tokens);
  // 1/256ths of a thousand are exact in float16.
  g.scales = sealed(scales);
  g.token_scales = sealed(token_scales);
  g.floats = sealed(floats(tokens * columns));
  size_t panel_bytes = steps * 128 + g.groups * (half ? 64 : 128);
  uint8_t *packed = guarded(panels * panel_bytes, 64, 0);
  tk_group_pack(g.b.w, scales, rows, columns, g.group_steps, (size_t)half, packed);
  int32_t *sums = guarded(4 * tokens * g.groups, 4, 0);
  tk_group_sums(g.b.x, g.b.stride, 16 * g.group_steps, g.groups, 0, tokens, sums);
  calls += 2;
  g.product = (tk_group_product){
      .panels = sealed(packed), .panels_end = packed + panels * panel_bytes, .panel_bytes = panel_bytes,
      .steps = steps, .group_steps = g.group_steps, .groups = g.groups, .half_scales = (size_t)half, .rows = rows,
      .tokens = tokens, .values = g.b.x, .stride = g.b.stride, .group_sums = sealed(sums),
      .token_scales = token_scales, .columns = columns,
      .y = guarded(4 * ((tokens - 1) * (rows + 3) + rows), 4, 0), .y_stride = rows + 3};
#if defined(__x86_64__)
  if (cpu & TK_CPU_AVX2) run_groups(&g, "groups/avx2", tk_group_avx2, 0);
  if (cpu & TK_CPU_AVX_VNNI) run_groups(&g, "groups/avxvnni", tk_group_avxvnni, 0);
  if (cpu & TK_CPU_AVX512_VNNI) {
    if (tokens > TK_FEW_TOKENS) g.product.tiles = tiles_of(&g.b, 0);
    run_groups(&g, "groups/avx512vnni", tk_group_avx512vnni, 0);
    g.product.tiles = NULL;
  }
#endif
  // Float activations: in place for few tokens, else in tiles.
  g.product.values = NULL;
  g.product.group_sums = NULL;
  g.product.token_scales = NULL;
  g.product.floats = g.floats;
  g.product.stride = columns;
  if (tokens > TK_FEW_TOKENS) {
    float *out = guarded(4 * tiles * columns * TK_TILE_TOKENS, 64, 0);
    tk_group_float_tiles(g.floats, columns, tokens, columns, 0, tiles, out);
    calls++;
    g.product.float_tiles = sealed(out);
  }
#if defined(__x86_64__)
  if (cpu & TK_CPU_AVX2) run_groups(&g, "group floats/avx2", tk_group_f32_avx2, 1);
  if (cpu & TK_CPU_AVX512) {
    run_groups(&g, "group floats/avx512", tk_group_f32_avx512, 1);
    if (tokens <= TK_FEW_TOKENS) {
      float *out = guarded(tokens * steps * TK_PAIR_BYTES, 64, 0);
      // In two parts, as threads build them.
      tk_group_float_tables(g.floats, columns, tokens, columns, 0, steps / 2, out);
      tk_group_float_tables(g.floats, columns, tokens, columns, steps / 2, steps, out);
      calls += 2;
      g.product.float_tiles = sealed(out);
      run_groups(&g, "group floats with tables/avx512", tk_group_f32_avx512, 1);
    }
  }
#endif
  end_bench(&g.b);
}
