// 1.6-bit weights on AVX2. A byte is the number n = d0 + 3 d1 + 9 d2 + 27 d3 + 81 d4: min(n, n -
// 81) twice leaves n mod 81 (below zero wraps round to large), the same with 27 leaves three digits
// for two byte shuffles, and the differences give the other two. About 20 operations for 160
// weights, then the 2-bit kernel.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx2,fma")))
#define TK_VNNI 0
#include "i2s_ymm_body.h"
#include "tk_base3.h"
#include "tk_peak.h"

/// Steps of 16 columns that are expanded at a time, for one token and for more: 5 and 20 KB.
enum { TK_CHUNK_ONE = 40, TK_CHUNK_MANY = 160 };

void tk_base3_codes_avx2(uint8_t codes[243]) {
  for (unsigned n = 0; n < 243; n++) codes[n] = (uint8_t)n;
}

/// n mod `base` for n below 3 * base.
TK_INLINE __m256i modulo(__m256i n, __m256i base) {
  n = _mm256_min_epu8(n, _mm256_sub_epi8(n, base));
  return _mm256_min_epu8(n, _mm256_sub_epi8(n, base));
}

/// The 2-bit codes of the four lower digits; the fifth comes out in bits 0-1 of `fifth`.
TK_INLINE __m256i decode(__m256i n, __m256i *fifth) {
  // Codes of three digits, for numbers below 16 and above, and 64 d3 for the low nibble of 27 d3.
  const __m256i low = _mm256_setr_epi8(
      0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x10, 0x11, 0x12, 0x14, 0x15, 0x16, 0x18,
      0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x10, 0x11, 0x12, 0x14, 0x15, 0x16, 0x18);
  const __m256i high = _mm256_setr_epi8(
      0x19, 0x1A, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x28, 0x29, 0x2A, 0, 0, 0, 0, 0,
      0x19, 0x1A, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x28, 0x29, 0x2A, 0, 0, 0, 0, 0);
  const __m256i fourth = _mm256_setr_epi8(
      0, 0, 0, 0, 0, 0, (char)0x80, 0, 0, 0, 0, 0x40, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, (char)0x80, 0, 0, 0, 0, 0x40, 0, 0, 0, 0);
  __m256i four = modulo(n, _mm256_set1_epi8(81));
  // 81 and 162 end in 01 and 10.
  *fifth = _mm256_and_si256(_mm256_sub_epi8(n, four), _mm256_set1_epi8(3));
  __m256i three = modulo(four, _mm256_set1_epi8(27));
  __m256i codes = _mm256_shuffle_epi8(fourth, _mm256_sub_epi8(four, three));
  // A shuffle gives 0 where bit 7 of the index is set: of 16 and more plus 112, and of less minus
  // 16.
  codes = _mm256_or_si256(
      codes, _mm256_shuffle_epi8(low, _mm256_add_epi8(three, _mm256_set1_epi8(112))));
  return _mm256_or_si256(
      codes, _mm256_shuffle_epi8(high, _mm256_sub_epi8(three, _mm256_set1_epi8(16))));
}

/// Expands `steps` groups of 16 columns, whole blocks but for the last, to as many steps of a 2-bit
/// panel.
static TK_TARGET __attribute__((noinline)) void expand(const uint8_t *w, size_t steps, uint8_t *out) {
  size_t blocks = steps / 5, tail = steps % 5;
  size_t ahead = tk_stream_ahead ? tk_stream_ahead : TK_STREAM_FAR;
  for (size_t block = 0; block < blocks; block++, w += 512, out += 640) {
    for (size_t part = 0; part < 128; part += 32) {
      __m256i last = _mm256_setzero_si256(), fifth;
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) {
        if (part % 64 == 0) _mm_prefetch((const char *)w + ahead + 128 * i + part, _MM_HINT_T0);
        __m256i line = _mm256_load_si256((const __m256i *)(w + 128 * i + part));
        _mm256_store_si256((__m256i *)(out + 128 * i + part), decode(line, &fifth));
        last = _mm256_or_si256(last, _mm256_slli_epi16(fifth, 2 * i));
      }
      _mm256_store_si256((__m256i *)(out + 512 + part), last);
    }
  }
  for (size_t i = 0; i < 4 * tail; i++, w += 32, out += 32) {
    __m256i fifth;
    _mm256_store_si256((__m256i *)out, decode(_mm256_load_si256((const __m256i *)w), &fifth));
  }
}

TK_TARGET void tk_base3_avx2(const tk_panel_product *p) {
  uint8_t expanded[TK_CHUNK_MANY * 128] __attribute__((aligned(64)));
  size_t chunk = p->tokens == 1 ? TK_CHUNK_ONE : TK_CHUNK_MANY;
  size_t panels = (p->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  size_t lines = tk_base3_lines(p->steps);
  for (size_t panel = 0; panel < panels; panel++) {
    const uint8_t *w = p->panels + panel * lines * 128;
    for (size_t start = 0; start < p->steps; start += chunk) {
      size_t steps = p->steps - start < chunk ? p->steps - start : chunk;
      expand(w + start / 5 * 512, steps, expanded);
      const stretch part = {expanded, steps, start * 16, start > 0, start + steps < p->steps};
      stretch_tokens(p, panel, &part);
    }
  }
}
#endif
