// TL1 and TL2 on 512-bit registers, included by lookup_avx512.c and lookup_avx512vbmi.c, which
// define
//   TK_TARGET      the function attribute,
//   TK_TL1, TK_TL2 the functions' names,
//   TK_VBMI        1 where vpermb and vpmultishiftqb exist.
// vpermw looks 32 rows' int16 sums up in a table in one register, so that lossless look-up needs
// neither two byte tables nor a separate negation. It reads 5 bits of each word: nibbles need no
// mask (TL1's table stands in both halves), and TL2's sign is the fifth. On Intel it is two
// operations, vpermb one: for more than one token indices are turned into those of the two bytes of
// a word, two operations more for all tokens.
//
// Why no hybrid with vpdpbusd: it pays only where shuffles have ports of their own (Zen 5). On Ice
// Lake both use the same two: vpdpbusd makes 64 products an operation, a look-up of triples and its
// addition 96 in two (vpermb) or three (vpermw). Measured in registers, products a cycle: dot
// products alone 116; with 1/4, 1/3 and 1/2 look-ups by vpermb 105, 105, 98, by vpermw 94, 88, 76;
// look-ups alone 87 and 62.
#include <immintrin.h>

#include "tk_lookup_panels.h"
#include "tk_stream.h"

#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_UNROLL _Pragma("clang loop unroll(full)")

/// Lines whose sums are taken in int16: 64 groups, of at most 3 * 128 each; their tables for a tile
/// of tokens fit L1.
#define TK_PART_LINES 16

/// What a shuffle takes as indices: the words' nibble `n`, of four or (TL2, with the sign) five
/// bits, which stands at bit `shift`; vpermw of one token, else vpermb where there is one.
TK_INLINE __m512i index_of(__m512i words, const int shift, const int tokens) {
  if (!TK_VBMI || tokens == 1) return shift ? _mm512_srli_epi16(words, shift) : words;
#if TK_VBMI
  // Bytes 2 r and 2 r + 1 take the 8 bits from one below the index on: twice the index, and a bit
  // more.
  const __m512i from = _mm512_set1_epi64(
      shift ? 0x3030202010100000 + 0x0101010101010101 * (shift - 1) : 0x2F2F1F1F0F0F3F3F);
  return _mm512_ternarylogic_epi32(
      _mm512_multishift_epi64_epi8(from, words), _mm512_set1_epi8(1), _mm512_set1_epi16(0x0100),
      0xBA);
#endif
}

TK_INLINE __m512i shuffle(__m512i index, __m512i table, const int tokens) {
#if TK_VBMI
  if (tokens > 1) return _mm512_permutexvar_epi8(index, table);
#endif
  (void)tokens;
  return _mm512_permutexvar_epi16(index, table);
}

/// Adds the look-ups of one nibble of 64 rows to the sums of all tokens. Tables are read once for
/// both halves.
TK_INLINE const int16_t *look_up(__m512i low, __m512i high, const int16_t *tables, const int triples,
                                 const int tokens, __m512i *acc0, __m512i *acc1) {
  TK_UNROLL for (int t = 0; t < tokens; t++) {
    __m512i table = triples ? _mm512_load_si512(tables + 32 * t)
                            : _mm512_broadcast_i64x4(
                                  _mm256_load_si256((const __m256i *)(tables + 16 * t)));
    acc0[t] = _mm512_add_epi16(acc0[t], shuffle(low, table, tokens));
    acc1[t] = _mm512_add_epi16(acc1[t], shuffle(high, table, tokens));
  }
  return tables + (triples ? 32 : 16) * tokens;
}

/// A line of TL1: four nibbles a word.
TK_INLINE const int16_t *pair_line(const uint8_t *w, const int16_t *tables, const int tokens,
                                   __m512i *acc0, __m512i *acc1) {
  __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
  TK_UNROLL for (int n = 0; n < 4; n++) tables = look_up(
      index_of(a, 4 * n, tokens), index_of(b, 4 * n, tokens), tables, 0, tokens, acc0, acc1);
  return tables;
}

/// Two nibbles of a word with their signs put above them, from signs that stand `k` off.
TK_INLINE __m512i with_signs(__m512i nibbles, __m512i signs, const int k) {
  const __m512i mask = _mm512_set1_epi16(0x0F0F);
  __m512i s = k == 0 ? signs
                     : k < 4 ? _mm512_srli_epi16(signs, k < 4 ? k : 0)
                             : _mm512_slli_epi16(signs, k < 4 ? 0 : k - 3);
  return _mm512_ternarylogic_epi32(mask, nibbles, s, 0xCA);
}

/// Line `i` of a run of TL2, with the run's signs.
TK_INLINE const int16_t *triple_line(const uint8_t *w, const __m512i *signs, const int16_t *tables,
                                     const int i, const int tokens, __m512i *acc0, __m512i *acc1) {
  __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
  __m512i even0 = with_signs(a, signs[0], 2 * i), even1 = with_signs(b, signs[1], 2 * i);
  __m512i odd0 = with_signs(_mm512_srli_epi16(a, 4), signs[0], 2 * i + 1);
  __m512i odd1 = with_signs(_mm512_srli_epi16(b, 4), signs[1], 2 * i + 1);
  TK_UNROLL for (int shift = 0; shift < 16; shift += 8) {
    tables = look_up(index_of(even0, shift, tokens), index_of(even1, shift, tokens), tables, 1,
                     tokens, acc0, acc1);
    tables = look_up(index_of(odd0, shift, tokens), index_of(odd1, shift, tokens), tables, 1,
                     tokens, acc0, acc1);
  }
  return tables;
}

/// Adds 32 int16 sums to int32 sums that stand where the outputs will; the last part scales them.
TK_INLINE void put(const tk_lookup_product *p, size_t row, size_t token, __m512i sums, int is_first,
                   int is_last) {
  float *y = p->y ? p->y + token * p->y_stride + row : 0;
  int32_t *at = p->y ? (int32_t *)(void *)y : p->accumulators + token * p->y_stride + row;
  TK_UNROLL for (size_t half = 0; half < 32; half += 16) {
    if (row + half >= p->rows) return;
    size_t left = p->rows - row - half;
    __mmask16 mask = left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
    __m512i v = _mm512_cvtepi16_epi32(
        half ? _mm512_extracti64x4_epi64(sums, 1) : _mm512_castsi512_si256(sums));
    if (!is_first) v = _mm512_add_epi32(v, _mm512_maskz_loadu_epi32(mask, at + half));
    if (is_last && y) {
      __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(p->row_scales + row + half),
                                   _mm512_set1_ps(p->token_scales[token]));
      _mm512_mask_storeu_ps(y + half, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(v), scale));
    } else {
      _mm512_mask_storeu_epi32(at + half, mask, v);
    }
  }
}

/// Lines [first, first + lines) of one panel with one tile of tokens. For several tokens `ahead` is
/// what comes from memory next.
TK_INLINE void part(const tk_lookup_product *p, size_t panel, size_t first, const uint8_t *ahead,
                    const int16_t *tables, size_t token, const int triples, const int tokens) {
  tk_lookup_kind kind = triples ? TK_LOOKUP_TRIPLES : TK_LOOKUP_PAIRS;
  size_t lines = p->lines - first < TK_PART_LINES ? p->lines - first : TK_PART_LINES;
  size_t line = 0;
  const uint8_t *w = p->panels + panel * tk_lookup_panel_bytes(kind, p->lines) +
                     tk_lookup_panel_bytes(kind, first);
  const uint8_t *end = p->panels + (p->rows + TK_LOOKUP_ROWS - 1) / TK_LOOKUP_ROWS *
                                       tk_lookup_panel_bytes(kind, p->lines);
  __m512i acc0[TK_LOOKUP_TOKENS], acc1[TK_LOOKUP_TOKENS];
  TK_UNROLL for (int t = 0; t < tokens; t++) acc0[t] = acc1[t] = _mm512_setzero_si512();
  // One token: the weights are one stream. More: the next part's lines, while the tables stay.
#define TK_AHEAD                                                      \
  if (tokens == 1) {                                                  \
    tk_prefetch(p->panels, w, end);                             \
  } else {                                                            \
    _mm_prefetch((const char *)ahead, _MM_HINT_T0);                   \
    _mm_prefetch((const char *)ahead + 64, _MM_HINT_T0);              \
    ahead += 128;                                                     \
  }                                                                   \
  w += 128;
  if (triples) {
    for (; line + 4 <= lines; line += 4) {
      const __m512i signs[2] = {_mm512_load_si512(w), _mm512_load_si512(w + 64)};
      TK_AHEAD
      TK_UNROLL for (int i = 0; i < 4; i++) {
        tables = triple_line(w, signs, tables, i, tokens, acc0, acc1);
        TK_AHEAD
      }
    }
    if (line < lines) {
      const __m512i signs[2] = {_mm512_load_si512(w), _mm512_load_si512(w + 64)};
      tables = triple_line(w + 128, signs, tables, 0, tokens, acc0, acc1);
      if (line + 1 < lines) tables = triple_line(w + 256, signs, tables, 1, tokens, acc0, acc1);
      if (line + 2 < lines) tables = triple_line(w + 384, signs, tables, 2, tokens, acc0, acc1);
    }
  } else {
    for (; line < lines; line++) {
      tables = pair_line(w, tables, tokens, acc0, acc1);
      TK_AHEAD
    }
  }
#undef TK_AHEAD
  size_t row = panel * TK_LOOKUP_ROWS;
  int is_first = first == 0, is_last = first + lines == p->lines;
  TK_UNROLL for (int t = 0; t < tokens; t++) {
    put(p, row, token + (size_t)t, acc0[t], is_first, is_last);
    put(p, row + 32, token + (size_t)t, acc1[t], is_first, is_last);
  }
}

typedef void (*part_function)(const tk_lookup_product *, size_t, size_t, const uint8_t *,
                              const int16_t *, size_t);
#define TK_PART(name, triples, tokens)                                                       \
  static TK_TARGET __attribute__((noinline)) void name##tokens(                              \
      const tk_lookup_product *p, size_t panel, size_t first, const uint8_t *ahead,          \
      const int16_t *tables, size_t token) {                                                 \
    part(p, panel, first, ahead, tables, token, triples, tokens);                            \
  }
#define TK_PARTS(name, triples)                                                              \
  TK_PART(name, triples, 1)                                                                  \
  TK_PART(name, triples, 2)                                                                  \
  TK_PART(name, triples, 3)                                                                  \
  TK_PART(name, triples, 4)                                                                  \
  TK_PART(name, triples, 5)                                                                  \
  TK_PART(name, triples, 6)                                                                  \
  TK_PART(name, triples, 7)                                                                  \
  TK_PART(name, triples, 8)                                                                  \
  static const part_function name##_parts[TK_LOOKUP_TOKENS] = {                                   \
      name##1, name##2, name##3, name##4, name##5, name##6, name##7, name##8};
TK_PARTS(pair, 0)
TK_PARTS(triple, 1)

/// One token: panel by panel, so that weights are one stream. More: part by part of the columns, so
/// that a part's tables stay in L1 for all rows.
TK_INLINE void multiply(const tk_lookup_product *p, tk_lookup_kind kind, const part_function *parts) {
  size_t panels = (p->rows + TK_LOOKUP_ROWS - 1) / TK_LOOKUP_ROWS;
  size_t tiles = (p->tokens + TK_LOOKUP_TOKENS - 1) / TK_LOOKUP_TOKENS;
  size_t entries = kind == TK_LOOKUP_TRIPLES ? 32 : 16;
  size_t bytes = tk_lookup_panel_bytes(kind, p->lines);
  if (p->tokens == 1) {
    for (size_t panel = 0; panel < panels; panel++)
      for (size_t line = 0; line < p->lines; line += TK_PART_LINES) {
        parts[0](p, panel, line, NULL, p->tables + line * 4 * entries, 0);
      }
    return;
  }
  for (size_t tile = 0; tile < tiles; tile++) {
    size_t token = tk_lookup_tile_start(p->tokens, tile);
    size_t count = tk_lookup_tile_start(p->tokens, tile + 1) - token;
    const int16_t *tables = p->tables + token * p->lines * 4 * entries;
    for (size_t line = 0; line < p->lines; line += TK_PART_LINES)
      for (size_t panel = 0; panel < panels; panel++) {
        const uint8_t *next = p->panels + (panel + 1) * bytes + tk_lookup_panel_bytes(kind, line);
        parts[count - 1](p, panel, line, next, tables + line * 4 * count * entries, token);
      }
  }
}

TK_TARGET void TK_TL1(const tk_lookup_product *p) { multiply(p, TK_LOOKUP_PAIRS, pair_parts); }
TK_TARGET void TK_TL2(const tk_lookup_product *p) { multiply(p, TK_LOOKUP_TRIPLES, triple_parts); }
