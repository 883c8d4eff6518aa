// Register tiles of 2-bit steps on zmm, shared by the leaves with one scale a row and with one a
// group; included behind panel_store_body.h.
/// Adds `steps` steps of a 2-bit panel at `w`, times the activation tile at `x`, to 32 rows x
/// `tokens` sums: 2 * tokens accumulators, which live in registers meanwhile. Unpacking and
/// broadcasts take few of the slots that vpdpbusd leaves. `ahead` is what comes from memory next:
/// it is fetched into L2 step by step.
TK_INLINE void tile(const uint8_t *w, size_t steps, const uint8_t *ahead, const int32_t *x,
                    const int tokens, __m512i *acc0, __m512i *acc1) {
  const __m512i m = _mm512_set1_epi8(0x03);
  for (size_t step = 0; step < steps; step++, w += 128, ahead += 128, x += 4 * TK_TILE_TOKENS) {
    _mm_prefetch((const char *)ahead, _MM_HINT_T1);
    _mm_prefetch((const char *)ahead + 64, _MM_HINT_T1);
    __m512i a = _mm512_load_si512(w), b = _mm512_load_si512(w + 64);
#define TK_FIELD(f)                                                                      \
  {                                                                                      \
    __m512i ca = _mm512_and_si512(f ? _mm512_srli_epi16(a, 2 * f) : a, m);               \
    __m512i cb = _mm512_and_si512(f ? _mm512_srli_epi16(b, 2 * f) : b, m);               \
    _Pragma("clang loop unroll(full)") for (int t = 0; t < tokens; t++) {                \
      __m512i q = _mm512_set1_epi32(x[f * TK_TILE_TOKENS + t]);                          \
      acc0[t] = _mm512_dpbusd_epi32(acc0[t], ca, q);                                     \
      acc1[t] = _mm512_dpbusd_epi32(acc1[t], cb, q);                                     \
    }                                                                                    \
  }
    TK_FIELD(0)
    TK_FIELD(1)
    TK_FIELD(2)
    TK_FIELD(3)
#undef TK_FIELD
  }
}
