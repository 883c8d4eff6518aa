// Leaves of floats: norms, activations, products of rows, output heads.

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
