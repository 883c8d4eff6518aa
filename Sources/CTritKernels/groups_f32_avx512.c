// 2-bit weights with group scales and float32 activations on zmm.
#if defined(__x86_64__)
#include <immintrin.h>

#include "tk_groups.h"
#include "tk_i2s.h"

#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET
#define TK_ENTRY tk_group_f32_avx512
#define TK_LANES 16
#define TK_PARTS 2
#define TK_WIDE 12
#define TK_CHAINS 4

typedef __m512 vec;
typedef __m512i line;

TK_INLINE vec zero(void) { return _mm512_setzero_ps(); }
TK_INLINE line load_line(const uint8_t *at) { return _mm512_load_si512(at); }
TK_INLINE vec broadcast(const float *at) { return _mm512_set1_ps(*at); }
TK_INLINE vec fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
TK_INLINE vec add(vec a, vec b) { return _mm512_add_ps(a, b); }

/// The trits whose codes stand `shift` bits up: vpermilps reads the lowest two bits of each lane.
TK_INLINE vec digit(line codes, const int shift) {
  const __m512 values = _mm512_set4_ps(0, 1, 0, -1);
  return _mm512_permutevar_ps(values, _mm512_srli_epi32(codes, (unsigned)shift));
}

TK_INLINE vec scale_line(const tk_group_product *p, const uint8_t *at, size_t lane) {
  if (p->half_scales)
    return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(at + 2 * lane)));
  return _mm512_load_ps(at + 4 * lane);
}

TK_INLINE void store(float *y, size_t count, vec value) {
  __mmask16 mask = count >= 16 ? 0xFFFF : (__mmask16)((1u << count) - 1);
  _mm512_mask_storeu_ps(y, mask, value);
}

// Few tokens, by tables: vpermps takes four bits of each lane, two codes, and finds what the pair
// adds up to. A shift, a permutation and an addition for 32 weights and a token, where digits need
// them for 16. Two panels go together: they share what is read of the tables, 32 times the bytes of
// their weights, from L2. Reading so much beside them, the hardware does not run far ahead of the
// weights; lines are asked for 1 KiB ahead (Zen 4: 96 Gop/s from memory where 256 bytes give 71,
// and half or twice as far gives the same).
#define TK_TOGETHER 2
#define TK_TABLES_AHEAD 1024

TK_INLINE void pairs(const tk_group_product *p, size_t panel, const int tokens, const int count) {
  vec total[TK_FEW_TOKENS][2 * TK_TOGETHER];
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < 2 * count; g++) total[t][g] = zero();
  const uint8_t *w = p->panels + panel * p->panel_bytes;
  size_t step = 0;
  for (size_t group = 0; group < p->groups; group++) {
    vec acc[TK_FEW_TOKENS][2 * TK_TOGETHER];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
      for (int g = 0; g < 2 * count; g++) acc[t][g] = zero();
    size_t end = step + p->group_steps < p->steps ? step + p->group_steps : p->steps;
    for (; step < end; step++, w += 128) {
      line codes[2 * TK_TOGETHER];
#pragma clang loop unroll(full)
      for (int g = 0; g < 2 * count; g++) {
        const uint8_t *at = w + (size_t)(g / 2) * p->panel_bytes + 64 * (g % 2);
        codes[g] = load_line(at);
        __builtin_prefetch(at + TK_TABLES_AHEAD);
      }
      const float *table = p->float_tiles + step * (TK_PAIR_BYTES / 4);
#pragma clang loop unroll(full)
      for (int n = 0; n < 8; n++) {
        line index[2 * TK_TOGETHER];
#pragma clang loop unroll(full)
        for (int g = 0; g < 2 * count; g++)
          index[g] = _mm512_srli_epi32(codes[g], 4 * (unsigned)n);
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
          vec sums = _mm512_load_ps(table + (size_t)t * p->steps * (TK_PAIR_BYTES / 4) + 16 * n);
#pragma clang loop unroll(full)
          for (int g = 0; g < 2 * count; g++)
            acc[t][g] = add(acc[t][g], _mm512_permutexvar_ps(index[g], sums));
        }
      }
    }
#pragma clang loop unroll(full)
    for (int g = 0; g < 2 * count; g++) {
      vec scale = scale_line(p, w + (size_t)(g / 2) * p->panel_bytes, 16 * (size_t)(g % 2));
#pragma clang loop unroll(full)
      for (int t = 0; t < tokens; t++) total[t][g] = fma(acc[t][g], scale, total[t][g]);
    }
    w += p->half_scales ? 64 : 128;
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < tokens; t++)
#pragma clang loop unroll(full)
    for (int g = 0; g < 2 * count; g++) {
      size_t row = panel * TK_PANEL_ROWS + 16 * (size_t)g;
      if (row < p->rows) store(p->y + (size_t)t * p->y_stride + row, p->rows - row, total[t][g]);
    }
}

#define TK_PAIRS(n)                                                                        \
  static TK_TARGET __attribute__((noinline)) void pairs##n(const tk_group_product *p,          \
                                                           size_t panels) {                    \
    size_t panel = 0;                                                                          \
    for (; panel + TK_TOGETHER <= panels; panel += TK_TOGETHER) pairs(p, panel, n, TK_TOGETHER); \
    for (; panel < panels; panel++) pairs(p, panel, n, 1);                                     \
  }
TK_PAIRS(1)
TK_PAIRS(2)
TK_PAIRS(3)

static TK_TARGET void few_tokens(const tk_group_product *p, size_t panels) {
  if (p->tokens == 1) pairs1(p, panels);
  if (p->tokens == 2) pairs2(p, panels);
  if (p->tokens == 3) pairs3(p, panels);
}
#define TK_TABLES few_tokens

#include "groups_f32_body.h"
#endif
