// Reading at full speed: whole cache lines into 8 independent sums, in one sequential pass.
#include "CTritKernels.h"
#include "tk_stream.h"

static uint64_t read_plain(const uint8_t *p, size_t bytes, size_t ahead) {
  uint64_t sums[8] = {0};
  for (size_t at = 0; at < bytes; at += 64) {
    if (ahead == TK_READ_PAGES) {
      if (at % 128 == 0) tk_prefetch_in_turn(p, p + at, p + bytes);
    } else if (ahead) {
      __builtin_prefetch(p + at + ahead);
    }
    const uint64_t *line = (const uint64_t *)(p + at);
    for (int i = 0; i < 8; i++) sums[i] ^= line[i];
  }
  uint64_t sum = 0;
  for (int i = 0; i < 8; i++) sum ^= sums[i];
  return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f"))) static uint64_t read512(const uint8_t *p, size_t bytes,
                                                           size_t ahead) {
  __m512i acc[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) acc[i] = _mm512_setzero_si512();
  for (size_t at = 0; at < bytes; at += 512) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
      if (ahead == TK_READ_PAGES) {
        if (i % 2 == 0) tk_prefetch_in_turn(p, p + at + 64 * i, p + bytes);
      } else if (ahead) {
        _mm_prefetch((const char *)p + at + 64 * i + ahead, _MM_HINT_T0);
      }
      acc[i] = _mm512_xor_si512(acc[i], _mm512_load_si512(p + at + 64 * i));
    }
  }
#pragma clang loop unroll(full)
  for (int i = 1; i < 8; i++) acc[0] = _mm512_xor_si512(acc[0], acc[i]);
  uint64_t parts[8], sum = 0;
  _mm512_storeu_si512(parts, acc[0]);
  for (int i = 0; i < 8; i++) sum ^= parts[i];
  return sum;
}

__attribute__((target("avx2"))) static uint64_t read256(const uint8_t *p, size_t bytes,
                                                        size_t ahead) {
  __m256i acc[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) acc[i] = _mm256_setzero_si256();
  for (size_t at = 0; at < bytes; at += 256) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
      if (ahead == TK_READ_PAGES) {
        if (i % 4 == 0) tk_prefetch_in_turn(p, p + at + 32 * i, p + bytes);
      } else if (ahead && i % 2 == 0) {
        _mm_prefetch((const char *)p + at + 32 * i + ahead, _MM_HINT_T0);
      }
      acc[i] = _mm256_xor_si256(acc[i], _mm256_load_si256((const __m256i *)(p + at + 32 * i)));
    }
  }
#pragma clang loop unroll(full)
  for (int i = 1; i < 8; i++) acc[0] = _mm256_xor_si256(acc[0], acc[i]);
  uint64_t parts[4];
  _mm256_storeu_si256((__m256i *)parts, acc[0]);
  return parts[0] ^ parts[1] ^ parts[2] ^ parts[3];
}
#endif

uint64_t tk_peak_read(const void *memory, size_t bytes, size_t ahead, uint32_t features) {
#if defined(__x86_64__)
  if (features & TK_CPU_AVX512) return read512(memory, bytes, ahead);
  if (features & TK_CPU_AVX2) return read256(memory, bytes, ahead);
#endif
  (void)features;
  return read_plain(memory, bytes, ahead);
}
