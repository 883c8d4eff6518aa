// The tile leaves in vector C, included once per instruction set with TK_TILE_TABLE defined (the
// name of the table to fill) and
//   TK_TILE_ROWS     query rows that share what is read of keys or values,
//   TK_TILE_VECTORS  vectors of 16 floats of each of those rows that are summed at once:
// rows times vectors accumulators stay in registers. TK_LOAD_F16(p) widens 16 halves where the set
// can.
#include <string.h>

#include "tk_attention_tile.h"

#pragma clang fp contract(fast)
// Wide vectors cross no call: every function that takes or gives one is inlined.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float tk_v16 __attribute__((vector_size(64)));
typedef int32_t tk_i16 __attribute__((vector_size(64)));
typedef uint32_t tk_u16 __attribute__((vector_size(64)));
typedef uint16_t tk_h16 __attribute__((vector_size(32)));
typedef int8_t tk_b16 __attribute__((vector_size(16)));

#define TK_INLINE static inline __attribute__((always_inline))
#define TK_UNROLL _Pragma("clang loop unroll(full)")

static const size_t tk_element_bytes[4] = {4, 2, 2, 1};

#ifndef TK_LOAD_F16
/// Exponent and mantissa moved to their float places, the exponent's bias mended by a multiply,
/// which also does subnormals; infinity and NaN keep an exponent of all ones.
TK_INLINE tk_v16 tk_load_f16(const void *p) {
  tk_h16 h;
  memcpy(&h, p, 32);
  tk_u16 wide = __builtin_convertvector(h, tk_u16);
  tk_v16 scaled = (tk_v16)((wide & 0x7FFF) << 13) * 0x1p112f;
  tk_u16 special = (tk_u16)((wide & 0x7C00) == 0x7C00) & 0x7F800000u;
  return (tk_v16)((tk_u16)scaled | special | (wide & 0x8000) << 16);
}
#define TK_LOAD_F16(p) tk_load_f16(p)
#endif

/// 16 elements of `kind` from element `index` on.
TK_INLINE tk_v16 tk_load(const char *p, size_t index, const int kind) {
  if (kind == TK_KV_F32) {
    tk_v16 v;
    memcpy(&v, p + 4 * index, 64);
    return v;
  }
  if (kind == TK_KV_F16) return TK_LOAD_F16(p + 2 * index);
  if (kind == TK_KV_BF16) {
    tk_h16 h;
    memcpy(&h, p + 2 * index, 32);
    return (tk_v16)(__builtin_convertvector(h, tk_u16) << 16);
  }
  tk_b16 b;
  memcpy(&b, p + index, 16);
  return __builtin_convertvector(b, tk_v16);
}

TK_INLINE float tk_load1(const char *p, size_t index, const int kind) {
  if (kind == TK_KV_F32) {
    float x;
    memcpy(&x, p + 4 * index, 4);
    return x;
  }
  if (kind == TK_KV_I8) return (float)((const int8_t *)p)[index];
  uint16_t h[16] = {((const uint16_t *)p)[index]};
  return tk_load((const char *)h, 0, kind)[0];
}

/// Lines that are fetched while something else is computed: those of a tile of keys or values, its
/// pages in turn where it has several, since the hardware follows a stream in each page
/// (tk_stream.h).
typedef struct tk_ahead {
  const char *at, *end;
  size_t step, back;
} tk_ahead;

static tk_ahead tk_ahead_of(const char *base, size_t bytes) {
  if (bytes > 4096 && bytes % 4096 == 0) return (tk_ahead){base, base + bytes, 4096, bytes - 64};
  return (tk_ahead){base, base + bytes, 64, bytes};
}

TK_INLINE void tk_fetch(tk_ahead *next, size_t lines) {
  for (size_t line = 0; line < lines; line++) {
    __builtin_prefetch(next->at);
    next->at += next->step;
    if (next->at >= next->end) next->at -= next->back;
  }
}

/// c[r][j] = Σ_k a[r][k] · b[k][j] in order of k, added to c where `add`; ROWS rows, 16 · VECTORS
/// columns. `next`, if any, is fetched along: 64 elements a step of k.
TK_INLINE void tk_block(const float *a, size_t a_stride, const char *b, size_t b_stride, size_t depth,
                        float *c, size_t c_stride, int add, tk_ahead *next, const int kind,
                        const int rows, const int vectors) {
  tk_v16 sum[TK_TILE_ROWS][TK_TILE_VECTORS];
  TK_UNROLL for (int r = 0; r < rows; r++) {
    TK_UNROLL for (int v = 0; v < vectors; v++) {
      if (add) memcpy(&sum[r][v], c + (size_t)r * c_stride + 16 * v, 64);
      else sum[r][v] = (tk_v16){0};
    }
  }
  size_t bytes = tk_element_bytes[kind];
  tk_ahead ahead = {0};
  if (next) ahead = *next;
  for (size_t k = 0; k < depth; k++) {
    if (next) tk_fetch(&ahead, bytes);
    tk_v16 row[TK_TILE_VECTORS];
    TK_UNROLL for (int v = 0; v < vectors; v++) row[v] = tk_load(b, k * b_stride + 16 * (size_t)v, kind);
    TK_UNROLL for (int r = 0; r < rows; r++) {
      float x = a[(size_t)r * a_stride + k];
      TK_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] += x * row[v];
    }
  }
  TK_UNROLL for (int r = 0; r < rows; r++) {
    TK_UNROLL for (int v = 0; v < vectors; v++) {
      memcpy(c + (size_t)r * c_stride + 16 * v, &sum[r][v], 64);
    }
  }
  if (next) *next = ahead;
}

/// All columns of `rows` rows.
TK_INLINE void tk_rows(const float *a, size_t a_stride, const char *b, size_t b_stride, size_t depth,
                       size_t columns, float *c, size_t c_stride, int add, tk_ahead *next,
                       const int kind, const int rows) {
  size_t bytes = tk_element_bytes[kind];
  size_t j = 0;
  for (; j + 16 * TK_TILE_VECTORS <= columns; j += 16 * TK_TILE_VECTORS) {
    tk_block(a, a_stride, b + j * bytes, b_stride, depth, c + j, c_stride, add, next, kind, rows,
             TK_TILE_VECTORS);
  }
  for (; j + 16 <= columns; j += 16) {
    tk_block(a, a_stride, b + j * bytes, b_stride, depth, c + j, c_stride, add, NULL, kind, rows, 1);
  }
  for (; j < columns; j++) {
    for (int r = 0; r < rows; r++) {
      float sum = add ? c[(size_t)r * c_stride + j] : 0;
      for (size_t k = 0; k < depth; k++) {
        sum += a[(size_t)r * a_stride + k] * tk_load1(b, k * b_stride + j, kind);
      }
      c[(size_t)r * c_stride + j] = sum;
    }
  }
}

/// One to TK_TILE_ROWS rows of a product, `kind` known.
#define TK_PRODUCT(name, kind)                                                                     \
  static __attribute__((noinline)) void name(                                                      \
      size_t rows, const float *a, size_t a_stride, const char *b, size_t b_stride, size_t depth,  \
      size_t columns, float *c, size_t c_stride, int add, tk_ahead *next) {                        \
    switch (rows) {                                                                                \
      TK_ROW_CASE(1, kind)                                                                         \
      TK_ROW_CASE(2, kind)                                                                         \
      TK_MORE_ROWS(kind)                                                                           \
    }                                                                                              \
  }
#define TK_ROW_CASE(n, kind)                                                                 \
  case n:                                                                                    \
    tk_rows(a, a_stride, b, b_stride, depth, columns, c, c_stride, add, next, kind, n);      \
    break;
#if TK_TILE_ROWS == 6
#define TK_MORE_ROWS(kind) \
  TK_ROW_CASE(3, kind) TK_ROW_CASE(4, kind) TK_ROW_CASE(5, kind) TK_ROW_CASE(6, kind)
#else
#define TK_MORE_ROWS(kind)
#endif
TK_PRODUCT(product_f32, TK_KV_F32)
TK_PRODUCT(product_f16, TK_KV_F16)
TK_PRODUCT(product_bf16, TK_KV_BF16)
TK_PRODUCT(product_i8, TK_KV_I8)

typedef void (*tk_product_function)(size_t, const float *, size_t, const char *, size_t, size_t, size_t,
                                    float *, size_t, int, tk_ahead *);
static const tk_product_function tk_products[4] = {
    product_f32, product_f16, product_bf16, product_i8,
};

static size_t tk_tile_bytes(const tk_attention_tile *t) {
  return TK_TILE_POSITIONS * t->d * tk_element_bytes[t->kind];
}

static void scores(const tk_attention_tile *t) {
  tk_ahead next = tk_ahead_of(t->values, tk_tile_bytes(t));
  for (size_t r = 0; r < t->rows; r += TK_TILE_ROWS) {
    size_t rows = t->rows - r < TK_TILE_ROWS ? t->rows - r : TK_TILE_ROWS;
    tk_products[t->kind](rows, t->queries + r * t->d, t->d, t->keys, TK_TILE_POSITIONS, t->d,
                         TK_TILE_POSITIONS, t->scores + r * TK_TILE_POSITIONS, TK_TILE_POSITIONS, 0,
                         t->prefetch && r == 0 ? &next : NULL);
  }
  if (t->key_scales) {
    for (size_t r = 0; r < t->rows; r++) {
      float *row = t->scores + r * TK_TILE_POSITIONS;
      for (size_t p = 0; p < TK_TILE_POSITIONS; p++) row[p] *= t->key_scales[p];
    }
  }
}

TK_INLINE tk_v16 tk_select(tk_i16 mask, tk_v16 yes, tk_v16 no) {
  return (tk_v16)(((tk_i16)yes & mask) | ((tk_i16)no & ~mask));
}

/// e^x for x ≤ 0, 0 below -87, within about 2 ulp: 2^n · p(r), n = rint(x / ln 2).
TK_INLINE tk_v16 tk_exp16(tk_v16 x) {
  tk_i16 small = x < -87.0f;
  tk_v16 clamped = tk_select(small, (tk_v16){0} - 87.0f, x);
  tk_v16 shifted = clamped * 1.44269504088896f + 12582912.0f;
  tk_i16 n = (tk_i16)shifted - 0x4B400000;
  tk_v16 f = shifted - 12582912.0f;
  tk_v16 r = clamped - f * 0.693359375f;
  r = r + f * 2.12194440e-4f;
  tk_v16 p = (tk_v16){0} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  tk_v16 y = p * (tk_v16)((n + 127) << 23);
  return tk_select(small, (tk_v16){0}, y);
}

static float tk_exp1(float x) { return tk_exp16((tk_v16){0} + x)[0]; }

/// Sum of 16 lanes, halves first.
TK_INLINE float tk_sum16(tk_v16 v) {
  v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return v[0] + v[1];
}

TK_INLINE float tk_max16(tk_v16 v) {
  tk_v16 o = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v = tk_select(o > v, o, v);
  o = __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  v = tk_select(o > v, o, v);
  o = __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  v = tk_select(o > v, o, v);
  return v[0] > v[1] ? v[0] : v[1];
}

static void tk_scale_row(float *row, size_t d, float factor) {
  size_t i = 0;
  for (; i + 16 <= d; i += 16) {
    tk_v16 v;
    memcpy(&v, row + i, 64);
    v *= factor;
    memcpy(row + i, &v, 64);
  }
  for (; i < d; i++) row[i] *= factor;
}

/// Turns the scores [first, end) of row `r` into weights, moves its maximum and sum, and shrinks
/// what it has summed so far if the maximum rose.
TK_INLINE void tk_weights(const tk_attention_tile *t, size_t r, int first, int end) {
  const tk_i16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const tk_v16 lowest = (tk_v16){0} - __builtin_inff();
  float *row = t->scores + r * TK_TILE_POSITIONS;
  tk_v16 s[4];
  tk_v16 most = lowest;
  TK_UNROLL for (int v = 0; v < 4; v++) {
    memcpy(&s[v], row + 16 * v, 64);
    tk_i16 lane = lanes + 16 * v;
    s[v] = tk_select((lane >= first) & (lane < end), s[v], lowest);
    most = tk_select(s[v] > most, s[v], most);  // NaN is left out
  }
  float before = t->maxima[r];
  float greatest = tk_max16(most);
  greatest = greatest > before ? greatest : before;
  // Nothing but -inf so far has no weight: exp(-inf - 0) is 0, exp(-inf + inf) would be NaN.
  float shift = greatest == -__builtin_inff() ? 0 : greatest;
  tk_v16 total = (tk_v16){0};
  TK_UNROLL for (int v = 0; v < 4; v++) {
    s[v] = tk_exp16(s[v] - shift);
    total += s[v];
  }
  if (greatest != before) {
    float decay = tk_exp1(before - greatest);
    t->maxima[r] = greatest;
    t->sums[r] *= decay;
    tk_scale_row(t->output + r * t->d, t->d, decay);
  }
  t->sums[r] += tk_sum16(total);
  TK_UNROLL for (int v = 0; v < 4; v++) {
    if (t->value_scales) {
      tk_v16 scale;
      memcpy(&scale, t->value_scales + 16 * v, 64);
      s[v] *= scale;
    }
    memcpy(row + 16 * v, &s[v], 64);
  }
}

/// Adds the values at positions [from, to) to `rows` rows from `r` on.
TK_INLINE void tk_values(const tk_attention_tile *t, size_t r, size_t rows, int from, int to,
                         tk_ahead *next) {
  if (from >= to) return;
  size_t at = (size_t)from;
  tk_products[t->kind](rows, t->scores + r * TK_TILE_POSITIONS + at, TK_TILE_POSITIONS,
                       (const char *)t->values + at * t->d * tk_element_bytes[t->kind], t->d,
                       (size_t)(to - from), t->d, t->output + r * t->d, t->d, 1, next);
}

static void add(const tk_attention_tile *t) {
  int first[TK_TILE_ROWS], end[TK_TILE_ROWS];
  scores(t);
  tk_ahead next = tk_ahead_of((const char *)t->keys + tk_tile_bytes(t), tk_tile_bytes(t));
  for (size_t r = 0; r < t->rows; r += TK_TILE_ROWS) {
    size_t rows = t->rows - r < TK_TILE_ROWS ? t->rows - r : TK_TILE_ROWS;
    int from = 0, to = TK_TILE_POSITIONS;
    for (size_t i = 0; i < rows; i++) {
      int64_t position = t->position + (int64_t)((r + i) / t->group);
      int64_t start = t->window > 0 ? position - t->window + 1 : 0;
      int64_t stop = position + 1;
      first[i] = (int)(start < 0 ? 0 : start > TK_TILE_POSITIONS ? TK_TILE_POSITIONS : start);
      end[i] = (int)(stop < 0 ? 0 : stop > TK_TILE_POSITIONS ? TK_TILE_POSITIONS : stop);
      from = first[i] > from ? first[i] : from;
      to = end[i] < to ? end[i] : to;
      if (first[i] < end[i]) tk_weights(t, r + i, first[i], end[i]);
    }
    // What all rows see together; before and after it each row alone, so that nobody touches a
    // value that it does not see (0 · inf is NaN) and each takes its positions in order.
    if (from < to) {
      for (size_t i = 0; i < rows; i++) tk_values(t, r + i, 1, first[i], from, NULL);
      tk_values(t, r, rows, from, to, t->prefetch && r == 0 ? &next : NULL);
      for (size_t i = 0; i < rows; i++) tk_values(t, r + i, 1, to, end[i], NULL);
    } else {
      for (size_t i = 0; i < rows; i++) tk_values(t, r + i, 1, first[i], end[i], NULL);
    }
  }
}

static void merge(size_t rows, size_t d, float *maxima, float *sums, float *output,
                  const float *other_maxima, const float *other_sums, const float *other_output) {
  for (size_t r = 0; r < rows; r++) {
    float *out = output + r * d;
    const float *other = other_output + r * d;
    if (other_sums[r] == 0) continue;
    if (sums[r] == 0) {
      maxima[r] = other_maxima[r];
      sums[r] = other_sums[r];
      memcpy(out, other, d * sizeof(float));
      continue;
    }
    float greatest = other_maxima[r] > maxima[r] ? other_maxima[r] : maxima[r];
    // Equal maxima need no factor, and -inf on both sides (NaN among the scores) has none.
    float own = maxima[r] == greatest ? 1 : tk_exp1(maxima[r] - greatest);
    float its = other_maxima[r] == greatest ? 1 : tk_exp1(other_maxima[r] - greatest);
    maxima[r] = greatest;
    sums[r] = sums[r] * own + other_sums[r] * its;
    size_t i = 0;
    for (; i + 16 <= d; i += 16) {
      tk_v16 x, y;
      memcpy(&x, out + i, 64);
      memcpy(&y, other + i, 64);
      x = x * own + y * its;
      memcpy(out + i, &x, 64);
    }
    for (; i < d; i++) out[i] = out[i] * own + other[i] * its;
  }
}

#define TK_WIDEN(kind)                                     \
  {                                                        \
    size_t i = 0;                                          \
    for (; i + 16 <= n; i += 16) {                         \
      tk_v16 v = tk_load(x, i, kind);                      \
      memcpy(out + i, &v, 64);                             \
    }                                                      \
    for (; i < n; i++) out[i] = tk_load1(x, i, kind);      \
    break;                                                 \
  }

static void widen(const void *x, int kind, size_t n, float *out) {
  switch (kind) {
    case TK_KV_F32: memcpy(out, x, 4 * n); break;
    case TK_KV_F16: TK_WIDEN(TK_KV_F16)
    case TK_KV_BF16: TK_WIDEN(TK_KV_BF16)
    default: TK_WIDEN(TK_KV_I8)
  }
}

const tk_attention_tile_ops TK_TILE_TABLE = {add, scores, merge, widen};
