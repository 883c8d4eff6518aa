// Attention leaves: scores of one query against rows of keys, and the weighted sum of rows of
// values. One body of vector C (attention_body.h) is compiled once per instruction set. Each result
// is summed in an order that depends on d alone, never on how many rows there are.
#ifndef TK_ATTENTION_H
#define TK_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

/// The attention leaves of one instruction set.
typedef struct tk_attention_ops {
  /// out[p] = scale · Σ_i query[i] · keys[p · stride + i] for p < count, i < d.
  void (*_Nonnull scores)(const float *_Nonnull query, const float *_Nonnull keys, size_t stride,
                          size_t count, size_t d, float scale, float *_Nonnull out);
  /// out[i] = decay · out[i] + Σ_p weights[p] · values[p · stride + i] for i < d, p in order.
  void (*_Nonnull accumulate)(const float *_Nonnull weights, const float *_Nonnull values,
                              size_t stride, size_t count, size_t d, float decay,
                              float *_Nonnull out);
} tk_attention_ops;

/// Plain C, every CPU.
extern const tk_attention_ops tk_attention_scalar;
#if defined(__x86_64__)
/// AVX2 and FMA.
extern const tk_attention_ops tk_attention_avx2;
/// AVX-512 F.
extern const tk_attention_ops tk_attention_avx512;
#endif

/// The leaves for a CPU with `features` (TK_CPU_ bits).
static inline const tk_attention_ops *_Nonnull tk_attention_for(uint32_t features) {
#if defined(__x86_64__)
  if (features & (1u << 2)) return &tk_attention_avx512;
  if (features & (1u << 0)) return &tk_attention_avx2;
#endif
  (void)features;
  return &tk_attention_scalar;
}

#endif
