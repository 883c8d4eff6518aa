// Leaves of attention: one token, and tiles of many.

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
