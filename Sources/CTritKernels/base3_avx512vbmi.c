// 1.6-bit weights by vpermb and vpdpbusd. A byte's four lower digits are looked up as a byte of
// 2-bit codes (vpermb takes the low 6 bits of the index); the fifth stands in bits 6-7 already, and
// where both are set, two more look-ups under a mask replace code and digit. 14 operations for 320
// weights.
#if defined(__x86_64__)
#define TK_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))
#include "panel_store_body.h"
#include "tk_base3.h"
#include "tk_gemm.h"
#include "tk_stream.h"

void tk_base3_codes_vbmi(uint8_t codes[243]) {
  for (unsigned digit = 0; digit < 3; digit++)
    for (unsigned n = 0; n < 81; n++)
      codes[81 * digit + n] = (uint8_t)(n < 64 ? 64 * digit + n : 192 + 17 * digit + (n - 64));
}

typedef struct decoder {
  __m512i low, special, fifth, top;
} decoder;

/// The tables: 2-bit codes of the numbers 0-63, of the specials, and the specials' fifth digit
/// times 64.
TK_INLINE decoder make_decoder(void) {
  uint8_t low[64] __attribute__((aligned(64))), special[64] __attribute__((aligned(64))),
      fifth[64] __attribute__((aligned(64)));
  for (unsigned i = 0; i < 64; i++) {
    unsigned n = i, s = 64 + i % 17;
    low[i] = (uint8_t)(n % 3 | n / 3 % 3 << 2 | n / 9 % 3 << 4 | n / 27 << 6);
    special[i] = (uint8_t)(s % 3 | s / 3 % 3 << 2 | s / 9 % 3 << 4 | s / 27 << 6);
    fifth[i] = (uint8_t)(i / 17 % 4 << 6);
  }
  return (decoder){_mm512_load_si512(low), _mm512_load_si512(special), _mm512_load_si512(fifth),
                   _mm512_set1_epi8((char)0xC0)};
}

/// The 2-bit codes of a line's four lower digits; the fifth comes out in bits 6-7 of `fifth`.
TK_INLINE __m512i decode(const decoder *d, __m512i line, __m512i *fifth) {
  __mmask64 is_special = _mm512_cmpge_epu8_mask(line, d->top);
  *fifth = _mm512_mask_permutexvar_epi8(
      _mm512_and_si512(line, d->top), is_special, line, d->fifth);
  return _mm512_mask_permutexvar_epi8(
      _mm512_permutexvar_epi8(line, d->low), is_special, line, d->special);
}

/// `groups` times 16 rows of a panel from row 16 * `group` on, 1 to 3 tokens, decoded in registers.
/// As in the 2-bit kernel, fields are masked where they stand; the fifth digit shares the scale of
/// the fourth.
TK_INLINE void few(const tk_panel_product *p, size_t panel, size_t group, const int groups,
                   const int tokens) {
  const decoder d = make_decoder();
  const __m512i m0 = _mm512_set1_epi8(0x03), m1 = _mm512_set1_epi8(0x0C),
                m2 = _mm512_set1_epi8(0x30), m3 = d.top;
  __m512i acc[3][2][4];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++)
#pragma clang loop unroll(full)
      for (int f = 0; f < 4; f++) acc[t][g][f] = _mm512_setzero_si512();
  size_t lines = tk_base3_lines(p->steps), whole = p->steps / 5 * 4;
  const uint8_t *w = p->panels + panel * lines * 128 + group * 64;
  const int8_t *x = p->values;
#define TK_FIELD(f)                                                                          \
  _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                      \
    __m512i q = _mm512_set1_epi32(*(const int32_t *)(x + (size_t)t * p->stride + 4 * f));    \
    _Pragma("clang loop unroll(full)") for (int g = 0; g < groups; g++) acc[t][g][f] =       \
        _mm512_dpbusd_epi32(acc[t][g][f], _mm512_and_si512(codes[g], m##f), q);              \
  }
#define TK_LINE                                                                              \
  if (group == 0) tk_prefetch(p->panels, w, p->panels_end);                            \
  __m512i codes[2], fifth[2];                                                                \
  _Pragma("clang loop unroll(full)") for (int g = 0; g < groups; g++) codes[g] =             \
      decode(&d, _mm512_load_si512(w + 64 * g), &fifth[g]);                                  \
  TK_FIELD(0) TK_FIELD(1) TK_FIELD(2) TK_FIELD(3)
  for (size_t line = 0; line < whole; line += 4, x += 64) {
    const int8_t *high = x + 64;
    for (int i = 0; i < 4; i++, w += 128, x += 16, high += 4) {
      TK_LINE
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) {
        __m512i q = _mm512_set1_epi32(*(const int32_t *)(high + (size_t)t * p->stride));
#pragma clang loop unroll(full)
        for (int g = 0; g < groups; g++)
          acc[t][g][3] = _mm512_dpbusd_epi32(acc[t][g][3], fifth[g], q);
      }
    }
    x -= 48;
  }
  for (size_t line = whole; line < lines; line++, w += 128, x += 16) {
    TK_LINE
  }
#undef TK_LINE
#undef TK_FIELD
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) {
      __m512i low = _mm512_add_epi32(acc[t][g][0], _mm512_srai_epi32(acc[t][g][1], 2));
      __m512i high = _mm512_add_epi32(
          _mm512_srai_epi32(acc[t][g][2], 4), _mm512_srai_epi32(acc[t][g][3], 6));
      size_t row = panel * TK_PANEL_ROWS + (group + (size_t)g) * 16;
      store(p, row, (size_t)t, _mm512_add_epi32(low, high), rows_mask(p->rows, row));
    }
}

static TK_TARGET __attribute__((noinline)) void few1(const tk_panel_product *p, size_t panel) {
  few(p, panel, 0, 2, 1);
}
static TK_TARGET __attribute__((noinline)) void few2(const tk_panel_product *p, size_t panel) {
  few(p, panel, 0, 2, 2);
}
/// Three tokens need too many accumulators for both groups of rows at once; the second pass reads
/// L1 or L2.
static TK_TARGET __attribute__((noinline)) void few3(const tk_panel_product *p, size_t panel) {
  few(p, panel, 0, 1, 3);
  few(p, panel, 1, 1, 3);
}

/// Expands `steps` groups of 16 columns, whole blocks but for the last, to as many steps of a 2-bit
/// panel.
TK_INLINE void expand_to_codes(const uint8_t *w, size_t steps, uint8_t *out) {
  const decoder d = make_decoder();
  size_t blocks = steps / 5, tail = steps % 5;
  for (size_t block = 0; block < blocks; block++, w += 512, out += 640) {
    for (size_t half = 0; half < 128; half += 64) {
      __m512i last = _mm512_setzero_si512(), fifth;
#pragma clang loop unroll(full)
      for (unsigned i = 0; i < 4; i++) {
        __m512i line = _mm512_load_si512(w + 128 * i + half);
        _mm512_store_si512(out + 128 * i + half, decode(&d, line, &fifth));
        last = _mm512_or_si512(last, _mm512_srli_epi16(fifth, 6 - 2 * i));
      }
      _mm512_store_si512(out + 512 + half, last);
    }
  }
  for (size_t i = 0; i < 2 * tail; i++, w += 64, out += 64) {
    __m512i fifth;
    _mm512_store_si512(out, decode(&d, _mm512_load_si512(w), &fifth));
  }
}

static inline const uint8_t *place(const tk_panel_product *p, size_t panel, size_t step) {
  return p->panels + (panel * tk_base3_lines(p->steps) + tk_base3_lines(step)) * 128;
}

/// Expands to bytes, by way of 2-bit steps in L1.
static TK_TARGET void expand(const tk_panel_product *p, size_t panel, size_t step, size_t steps,
                             uint8_t *out) {
  enum { MOST = 40 };
  uint8_t codes[MOST * 128] __attribute__((aligned(64)));
  const uint8_t *w = place(p, panel, step);
  for (size_t start = 0; start < steps; start += MOST) {
    size_t count = steps - start < MOST ? steps - start : MOST;
    expand_to_codes(w + start / 5 * 512, count, codes);
    tk_i2s_expand_avx512(codes, count, out + start * 512);
  }
}

static tk_run source(const tk_panel_product *p, size_t panel, size_t panels, size_t step,
                     size_t steps) {
  const uint8_t *first = place(p, panel, step);
  return (tk_run){first, panels, tk_base3_lines(p->steps) * 128,
                  (size_t)(place(p, panel, step + steps) - first) / 64};
}

TK_TARGET void tk_base3_avx512vbmi(const tk_panel_product *p) {
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  if (p->tokens > 8) {
    tk_gemm_avx512vnni(p, &(tk_expander){5, expand, source});
    return;
  }
  // Two tokens a pass, the last one, two or three: a panel's later passes find it in the caches,
  // which costs less than to expand it for so few.
  for (size_t panel = 0; panel < panels; panel++) {
    tk_panel_product q = *p;
    while (q.tokens > 3) {
      few2(&q, panel);
      q.tokens -= 2;
      q.values += 2 * q.stride;
      q.sums += 2;
      q.token_scales += 2;
      if (q.y) q.y += 2 * q.y_stride;
      if (q.accumulators) q.accumulators += 2 * q.y_stride;
    }
    if (q.tokens == 1) few1(&q, panel);
    if (q.tokens == 2) few2(&q, panel);
    if (q.tokens == 3) few3(&q, panel);
  }
}
#endif
