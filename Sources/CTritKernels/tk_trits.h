// Trits as digits, several at once: what packing of panels starts from.
#ifndef TK_TRITS_H
#define TK_TRITS_H

#include <stdint.h>

/// Eight bytes -1, 0, +1 to 0, 1, 2; no carry leaves a byte.
static inline uint64_t tk_digits(uint64_t trits) {
  const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
  return ((trits & ~tops) + ones) ^ (trits & tops);
}

#endif
