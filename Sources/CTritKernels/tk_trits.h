// Trits as digits, several at once: what packing of panels starts from.
#ifndef TK_TRITS_H
#define TK_TRITS_H

#include <stdint.h>
#include <string.h>

/// Eight bytes -1, 0, +1 to 0, 1, 2; no carry leaves a byte.
static inline uint64_t tk_digits(uint64_t trits) {
  const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  return ((trits & ~tops) + ones) ^ (trits & tops);
}

/// The code dword of 16 trits of a row, as in tk_i2s.h: the four quads are laid over one another, 2
/// bits apart.
static inline uint32_t tk_code_dword(const int8_t *trits) {
  uint64_t low, high;
  memcpy(&low, trits, 8);
  memcpy(&high, trits + 8, 8);
  low = tk_digits(low) | tk_digits(high) << 4;
  return (uint32_t)low | (uint32_t)(low >> 32) << 2;
}

#endif
