// The attention leaves in vector C, included once per instruction set with TK_ATTENTION_TABLE
// defined (the name of the table to fill). 16 floats a vector: one zmm, two ymm, or four xmm.
#include <string.h>

#include "tk_attention.h"

#pragma clang fp contract(fast)
// Wide vectors cross no call: every function that takes or gives one is inlined.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float tk_v16 __attribute__((vector_size(64)));
typedef float tk_v4 __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) tk_v16 tk_load16(const float *x) {
  tk_v16 v;
  memcpy(&v, x, 64);
  return v;
}

/// In every quarter: sums of neighbours of a, then of b.
#define TK_PAIRS(a, b)                                                                              \
  (__builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +       \
   __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31))

/// The four whole sums of four vectors.
static inline __attribute__((always_inline)) tk_v4 tk_sum4(tk_v16 a, tk_v16 b, tk_v16 c, tk_v16 d) {
  tk_v16 ab = TK_PAIRS(a, b);
  tk_v16 cd = TK_PAIRS(c, d);
  tk_v16 all = TK_PAIRS(ab, cd);
  return (__builtin_shufflevector(all, all, 0, 1, 2, 3) +
          __builtin_shufflevector(all, all, 4, 5, 6, 7)) +
         (__builtin_shufflevector(all, all, 8, 9, 10, 11) +
          __builtin_shufflevector(all, all, 12, 13, 14, 15));
}

static void scores(const float *query, const float *keys, size_t stride, size_t count, size_t d,
                   float scale, float *out) {
  size_t whole = d & ~(size_t)15;
  for (size_t p = 0; p < count; p += 4) {
    // A short last block repeats its last row, so that every row is summed in the same way.
    size_t last = count - 1;
    const float *k0 = keys + p * stride;
    const float *k1 = keys + (p + 1 < last ? p + 1 : last) * stride;
    const float *k2 = keys + (p + 2 < last ? p + 2 : last) * stride;
    const float *k3 = keys + (p + 3 < last ? p + 3 : last) * stride;
    tk_v16 a = {0}, b = {0}, c = {0}, e = {0};
    for (size_t i = 0; i < whole; i += 16) {
      tk_v16 q = tk_load16(query + i);
      a += q * tk_load16(k0 + i);
      b += q * tk_load16(k1 + i);
      c += q * tk_load16(k2 + i);
      e += q * tk_load16(k3 + i);
    }
    tk_v4 sum = tk_sum4(a, b, c, e);
    for (size_t i = whole; i < d; i++) {
      tk_v4 k = {k0[i], k1[i], k2[i], k3[i]};
      sum += query[i] * k;
    }
    sum *= scale;
    if (p + 4 <= count) {
      memcpy(out + p, &sum, 16);
    } else {
      memcpy(out + p, &sum, 4 * (count - p));
    }
  }
}

/// `vectors` vectors of the output at once, over all rows.
static inline __attribute__((always_inline)) void tk_accumulate(
    const float *weights, const float *values, size_t stride, size_t count, float decay, float *out,
    int vectors) {
  tk_v16 sum[8];
  for (int v = 0; v < vectors; v++) sum[v] = tk_load16(out + 16 * v) * decay;
  for (size_t p = 0; p < count; p++) {
    float w = weights[p];
    const float *row = values + p * stride;
    for (int v = 0; v < vectors; v++) sum[v] += w * tk_load16(row + 16 * v);
  }
  for (int v = 0; v < vectors; v++) memcpy(out + 16 * v, &sum[v], 64);
}

static void accumulate(const float *weights, const float *values, size_t stride, size_t count,
                       size_t d, float decay, float *out) {
  size_t i = 0;
  for (; i + 128 <= d; i += 128) {
    tk_accumulate(weights, values + i, stride, count, decay, out + i, 8);
  }
  for (; i + 64 <= d; i += 64) {
    tk_accumulate(weights, values + i, stride, count, decay, out + i, 4);
  }
  for (; i + 16 <= d; i += 16) {
    tk_accumulate(weights, values + i, stride, count, decay, out + i, 1);
  }
  for (; i < d; i++) {
    float sum = out[i] * decay;
    for (size_t p = 0; p < count; p++) sum += weights[p] * values[p * stride + i];
    out[i] = sum;
  }
}

const tk_attention_ops TK_ATTENTION_TABLE = {scores, accumulate};
