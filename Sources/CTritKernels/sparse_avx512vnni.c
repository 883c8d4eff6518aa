// Sparse products by vpdpbusd on zmm. Where hardly a column or row is left out, both layouts are
// expanded to bytes and take the tiles of gemm_avx512vnni.c.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#include "panel_store_body.h"
#include "tk_gemm.h"
#include "tk_sparse.h"

/// The 2-bit fields of a line where they stand.
#define TK_MASKS                                                                 \
  const __m512i masks[4] = {_mm512_set1_epi8(0x03), _mm512_set1_epi8(0x0C),      \
                            _mm512_set1_epi8(0x30), _mm512_set1_epi8((char)0xC0)}

TK_TARGET void tk_sparse_list_avx512(const int8_t *values, size_t columns, int32_t *list) {
  int32_t *places = list + 4;
  int8_t *kept = (int8_t *)(list + tk_list_values(columns));
  size_t count = 0;
  __m512i place = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (size_t k = 0; k < columns; k += 16) {
    __m128i bytes = _mm_load_si128((const __m128i *)(const void *)(values + k));
    __mmask16 some = _mm_test_epi8_mask(bytes, bytes);
    // All sixteen are written; what comes next overwrites what is too much.
    __m512i wide = _mm512_maskz_compress_epi32(some, _mm512_cvtepi8_epi32(bytes));
    _mm512_storeu_si512(places + count, _mm512_maskz_compress_epi32(some, place));
    _mm_storeu_si128((__m128i *)(void *)(kept + count), _mm512_cvtepi32_epi8(wide));
    count += (size_t)__builtin_popcount(some);
    place = _mm512_add_epi32(place, _mm512_set1_epi32(16));
  }
  for (; count % 4 != 0; count++) {
    places[count] = 0;
    kept[count] = 0;
  }
  list[0] = (int32_t)count;
}

/// Four columns' lines, interleaved: out[b] holds, dword by dword, bytes 4b..4b+3 of each 16 of
/// every line.
TK_INLINE void interleave(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d,
                          __m512i out[4]) {
  __m512i va = _mm512_load_si512(a), vb = _mm512_load_si512(b), vc = _mm512_load_si512(c),
          vd = _mm512_load_si512(d);
  __m512i ab0 = _mm512_unpacklo_epi8(va, vb), ab1 = _mm512_unpackhi_epi8(va, vb);
  __m512i cd0 = _mm512_unpacklo_epi8(vc, vd), cd1 = _mm512_unpackhi_epi8(vc, vd);
  out[0] = _mm512_unpacklo_epi16(ab0, cd0);
  out[1] = _mm512_unpackhi_epi16(ab0, cd0);
  out[2] = _mm512_unpacklo_epi16(ab1, cd1);
  out[3] = _mm512_unpackhi_epi16(ab1, cd1);
}

/// One block of columns with one token's list: 256 sums in registers. 40 operations for 4 columns,
/// where the dense kernel takes 32.
static TK_TARGET __attribute__((noinline)) void listed(const tk_panel_product *p, size_t block,
                                                       size_t token) {
  TK_MASKS;
  const uint8_t *w = p->panels + block * p->steps * 16 * 64;
  const int32_t *list = p->tiles + token * tk_list_stride(p->steps * 16);
  const int32_t *place = list + 4, *values = list + tk_list_values(p->steps * 16);
  __m512i acc[4][4];
#pragma clang loop unroll(full)
  for (int b = 0; b < 4; b++)
#pragma clang loop unroll(full)
    for (int f = 0; f < 4; f++) acc[b][f] = _mm512_setzero_si512();
  // Lines lie apart, so no hardware prefetcher finds them: without asking 48 ahead this takes twice
  // as long.
  size_t count = (size_t)list[0], ahead = 48;
  for (size_t i = 0; i < count; i += 4) {
    const int32_t *next = place + (i + ahead < count ? i + ahead : i);
#pragma clang loop unroll(full)
    for (int k = 0; k < 4; k++) __builtin_prefetch(w + (size_t)next[k] * 64);
    __m512i codes[4];
    interleave(w + (size_t)place[i] * 64, w + (size_t)place[i + 1] * 64,
               w + (size_t)place[i + 2] * 64, w + (size_t)place[i + 3] * 64, codes);
    __m512i q = _mm512_set1_epi32(values[i / 4]);
#pragma clang loop unroll(full)
    for (int b = 0; b < 4; b++)
#pragma clang loop unroll(full)
      for (int f = 0; f < 4; f++)
        acc[b][f] = _mm512_dpbusd_epi32(acc[b][f], _mm512_and_si512(codes[b], masks[f]), q);
  }
#pragma clang loop unroll(full)
  for (int f = 0; f < 4; f++)
#pragma clang loop unroll(full)
    for (int b = 0; b < 4; b++) {
      size_t row = block * TK_COLUMN_ROWS + (size_t)(64 * f + 16 * b);
      store(p, row, token, _mm512_srai_epi32(acc[b][f], 2 * f), rows_mask(p->rows, row));
    }
}

/// `steps` column steps of one panel of 32 rows, a byte a code: the half of one field of its
/// block's lines.
static TK_TARGET void expand_columns(const tk_panel_product *p, size_t panel, size_t step,
                                     size_t steps, uint8_t *out) {
  const __m512i mask = _mm512_set1_epi8(0x03);
  size_t place = panel % (TK_COLUMN_ROWS / TK_PANEL_ROWS);
  __m128i shift = _mm_cvtsi64_si128((long long)(place / 2 * 2));
  const uint8_t *w = p->panels +
                     (panel / (TK_COLUMN_ROWS / TK_PANEL_ROWS) * p->steps + step) * 16 * 64;
  for (size_t quad = 0; quad < 4 * steps; quad++, w += 256, out += 128) {
    __m512i codes[4];
    interleave(w, w + 64, w + 128, w + 192, codes);
    for (size_t half = 0; half < 2; half++) {
      __m512i line = place % 2 ? codes[2 + half] : codes[half];
      _mm512_store_si512(out + 64 * half, _mm512_and_si512(_mm512_srl_epi16(line, shift), mask));
    }
  }
}

static tk_run column_source(const tk_panel_product *p, size_t panel, size_t panels, size_t step,
                            size_t steps) {
  (void)panels;
  size_t block = panel / (TK_COLUMN_ROWS / TK_PANEL_ROWS);
  return (tk_run){p->panels + (block * p->steps + step) * 16 * 64, 1, 0, steps * 16};
}

/// Whether a token's columns are better read one by one than all tokens' together.
static inline int is_sparse(const tk_panel_product *p) {
  if (p->tokens <= TK_SPARSE_TOKENS) return 1;
  size_t columns = p->steps * 16, count = 0;
  for (size_t token = 0; token < p->tokens; token++)
    count += (size_t)p->tiles[token * tk_list_stride(columns)];
  return count * 100 <= p->tokens * columns * TK_SPARSE_COLUMN_PERCENT;
}

TK_TARGET void tk_sparse_columns_avx512vnni(const tk_panel_product *p) {
  if (!is_sparse(p)) {
    tk_panel_product dense = *p;
    dense.tiles += p->tokens * tk_list_stride(p->steps * 16);
    tk_gemm_avx512vnni(&dense, &(tk_expander){1, expand_columns, column_source});
    return;
  }
  // A block of columns stays in L2 while all tokens pass.
  for (size_t block = 0; block * TK_COLUMN_ROWS < p->rows; block++)
    for (size_t token = 0; token < p->tokens; token++) listed(p, block, token);
}

/// The sums of four rows with one token. `next`, if not null, are the rows that come after them:
/// their lines are asked for one by one.
TK_INLINE void four_rows(const tk_panel_product *p, const uint8_t *const w[4],
                         const uint8_t *const *next, const int8_t *x, int32_t sums[4]) {
  TK_MASKS;
  size_t lines = tk_row_lines(p->steps * 16), runs = p->stride / 64;
  __m512i acc[4][4];
#pragma clang loop unroll(full)
  for (int r = 0; r < 4; r++)
#pragma clang loop unroll(full)
    for (int f = 0; f < 4; f++) acc[r][f] = _mm512_setzero_si512();
  for (size_t line = 0; line < lines; line++) {
    __m512i q[4], codes[4];
#pragma clang loop unroll(full)
    for (size_t f = 0; f < 4; f++)
      // Activations end after whole runs of 64, weights after whole lines of 256.
      q[f] = 4 * line + f < runs ? _mm512_load_si512(x + (4 * line + f) * 64)
                                 : _mm512_setzero_si512();
#pragma clang loop unroll(full)
    for (int r = 0; r < 4; r++) {
      if (next) __builtin_prefetch(next[r] + line * 64);
      codes[r] = _mm512_load_si512(w[r] + line * 64);
#pragma clang loop unroll(full)
      for (int f = 0; f < 4; f++)
        acc[r][f] = _mm512_dpbusd_epi32(acc[r][f], _mm512_and_si512(codes[r], masks[f]), q[f]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < 4; r++) {
    __m512i low = _mm512_add_epi32(acc[r][0], _mm512_srai_epi32(acc[r][1], 2));
    __m512i high =
        _mm512_add_epi32(_mm512_srai_epi32(acc[r][2], 4), _mm512_srai_epi32(acc[r][3], 6));
    sums[r] = _mm512_reduce_add_epi32(_mm512_add_epi32(low, high));
  }
}

/// Lists the rows of first..<first + count that `token` wants; the other outputs become 0.
TK_INLINE size_t wanted(const tk_panel_product *p, size_t token, size_t first, size_t count,
                        int32_t *list) {
  size_t found = 0;
  __m512i place = _mm512_add_epi32(
      _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
      _mm512_set1_epi32((int)first));
  for (size_t row = first; row < first + count; row += 16) {
    __mmask16 want = rows_mask(first + count, row);
    if (p->gate) {
      __m512 gate = _mm512_maskz_loadu_ps(want, p->gate + token * p->gate_stride + row);
      __mmask16 all = want;
      // Not "above zero": what is no number has to show.
      want = _mm512_mask_cmp_ps_mask(all, gate, _mm512_setzero_ps(), _CMP_NLE_UQ);
      if (p->y)
        _mm512_mask_storeu_ps(p->y + token * p->y_stride + row, all & (__mmask16)~want,
                              _mm512_setzero_ps());
    }
    _mm512_storeu_si512(list + found, _mm512_maskz_compress_epi32(want, place));
    found += (size_t)__builtin_popcount(want);
    place = _mm512_add_epi32(place, _mm512_set1_epi32(16));
  }
  return found;
}

/// The wanted rows of a run with one token; from memory, or from a cache.
TK_INLINE void some_rows(const tk_panel_product *p, size_t token, const int32_t *list, size_t count,
                         const int from_memory) {
  size_t bytes = tk_row_lines(p->steps * 16) * 64;
  for (size_t i = 0; i < count; i += 4) {
    const uint8_t *w[4], *next[4];
    for (size_t r = 0; r < 4; r++) {
      // Past the end the last row is computed again.
      size_t at = i + r < count ? i + r : count - 1, after = at + 4 < count ? at + 4 : count - 1;
      w[r] = p->panels + (size_t)list[at] * bytes;
      next[r] = p->panels + (size_t)list[after] * bytes;
    }
    int32_t sums[4];
    four_rows(p, w, from_memory ? next : 0, p->values + token * p->stride, sums);
    for (size_t r = 0; r < 4 && i + r < count; r++)
      tk_store_sum(p, token, (size_t)list[i + r], sums[r]);
  }
}

/// Tokens one by one with the rows that each wants, a run of rows at a time: one that the caches
/// hold where there is more than one token.
static TK_TARGET __attribute__((noinline)) void wanted_rows(const tk_panel_product *p) {
  enum { MOST = 2048 };
  int32_t list[MOST + 16];
  size_t run = p->tokens == 1 ? MOST : 128;
  for (size_t first = 0; first < p->rows; first += run) {
    size_t count = p->rows - first < run ? p->rows - first : run;
    for (size_t token = 0; token < p->tokens; token++) {
      size_t found = wanted(p, token, first, count, list);
      if (token == 0)
        some_rows(p, token, list, found, 1);
      else
        some_rows(p, token, list, found, 0);
    }
  }
}

/// Whether wanted rows are better read one by one than all rows together.
static TK_TARGET int wants_few(const tk_panel_product *p) {
  if (p->tokens <= TK_SPARSE_TOKENS) return 1;
  if (!p->gate) return 0;
  size_t count = 0;
  for (size_t token = 0; token < p->tokens; token++)
    for (size_t row = 0; row < p->rows; row += 16) {
      __mmask16 mask = rows_mask(p->rows, row);
      __m512 gate = _mm512_maskz_loadu_ps(mask, p->gate + token * p->gate_stride + row);
      count += (size_t)__builtin_popcount(
          _mm512_mask_cmp_ps_mask(mask, gate, _mm512_setzero_ps(), _CMP_NLE_UQ));
    }
  return count * 100 <= p->tokens * p->rows * TK_SPARSE_ROW_PERCENT;
}

/// Sixteen lines, turned: afterwards v[d] holds dword d of each.
TK_INLINE void turn(__m512i v[16]) {
  __m512i t[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 4) {
    __m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]), b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    __m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]),
            d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);
    t[i] = _mm512_unpacklo_epi64(a, c);
    t[i + 1] = _mm512_unpackhi_epi64(a, c);
    t[i + 2] = _mm512_unpacklo_epi64(b, d);
    t[i + 3] = _mm512_unpackhi_epi64(b, d);
  }
  // 128-bit lane l of t[4 g + k] holds dword 4 l + k of lines 4 g to 4 g + 3.
#pragma clang loop unroll(full)
  for (int k = 0; k < 4; k++) {
    __m512i a = _mm512_shuffle_i32x4(t[k], t[4 + k], 0x44),
            b = _mm512_shuffle_i32x4(t[k], t[4 + k], 0xEE);
    __m512i c = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0x44),
            d = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0xEE);
    v[k] = _mm512_shuffle_i32x4(a, c, 0x88);
    v[4 + k] = _mm512_shuffle_i32x4(a, c, 0xDD);
    v[8 + k] = _mm512_shuffle_i32x4(b, d, 0x88);
    v[12 + k] = _mm512_shuffle_i32x4(b, d, 0xDD);
  }
}

/// `steps` column steps, from a whole line on, of one panel of 32 rows, a byte a code.
static TK_TARGET void expand_rows(const tk_panel_product *p, size_t panel, size_t step, size_t steps,
                                  uint8_t *out) {
  const __m512i mask = _mm512_set1_epi8(0x03);
  size_t bytes = tk_row_lines(p->steps * 16) * 64, quads = 4 * steps;
  for (size_t half = 0; half < 128; half += 64) {
    const uint8_t *w = p->panels + (panel * TK_PANEL_ROWS + half / 4) * bytes + step * 4;
    for (size_t start = 0; start < quads; start += 64, w += 64) {
      __m512i v[16];
#pragma clang loop unroll(full)
      for (size_t row = 0; row < 16; row++) v[row] = _mm512_load_si512(w + row * bytes);
      turn(v);
      // A dword holds four columns of each field, 64 columns from one to the next.
#pragma clang loop unroll(full)
      for (size_t f = 0; f < 4; f++) {
#pragma clang loop unroll(full)
        for (size_t dword = 0; dword < 16; dword++)
          if (start + 16 * f + dword < quads)
            _mm512_store_si512(
                out + (start + 16 * f + dword) * 128 + half,
                _mm512_and_si512(_mm512_srli_epi16(v[dword], (unsigned)(2 * f)), mask));
      }
    }
  }
}

static tk_run row_source(const tk_panel_product *p, size_t panel, size_t panels, size_t step,
                         size_t steps) {
  size_t bytes = tk_row_lines(p->steps * 16) * 64;
  return (tk_run){p->panels + panel * TK_PANEL_ROWS * bytes + step * 4, panels * TK_PANEL_ROWS,
                  bytes, (steps + 15) / 16};
}

TK_TARGET void tk_sparse_rows_avx512vnni(const tk_panel_product *p) {
  if (wants_few(p))
    wanted_rows(p);
  else
    tk_gemm_avx512vnni(p, &(tk_expander){TK_ROW_COLUMNS / 16, expand_rows, row_source});
}
#endif
