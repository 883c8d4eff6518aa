// Prefetching of weights that are read once, front to back, from memory.
//
// Which way is fast differs between CPUs, so it is measured (StreamingForm in Swift) and set before
// the first product. Where the hardware's prefetcher runs far ahead of one stream (Zen 4), the
// program only has to stay near: lines asked for from far away no longer miss, so that the hardware
// stops running ahead, and the program's own requests are bounded by the misses that L1 can have
// open (16 GB/s on one core, where 28 are there). Where it looks no further than a 4 KiB page (an
// Ice Lake Xeon), lines of eight pages asked for in turn keep eight of its streams busy: reading
// rises from 12.5 to 16 GB/s on one core and from 24 to 32 GB/s on two. The order of computation
// never changes, only the order in which lines are asked for.
#ifndef TK_STREAM_H
#define TK_STREAM_H

#include <stddef.h>
#include <stdint.h>

/// How many bytes ahead lines are asked for; 0: those of eight pages in turn. See tk_stream_use.
extern size_t tk_stream_ahead;

/// Asks for two lines of the next 32 KiB block, for the two lines at `at` that are being read.
/// `base` is where the stream starts, `end` where it ends.
static inline __attribute__((always_inline)) void tk_prefetch_in_turn(
    const uint8_t *base, const uint8_t *at, const uint8_t *end) {
  size_t pair = (size_t)(at - base) / 128, place = pair % 256;
  const uint8_t *ahead = base + (pair - place + 256) * 128 + place % 8 * 4096 + place / 8 * 128;
  if (ahead < end) {
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 64);
  }
}

/// Asks for two lines, for the two at `at` that are being read, in the way that is fast here; call
/// it once for every 128 bytes of the stream from `base` to `end`.
static inline __attribute__((always_inline)) void tk_prefetch(
    const uint8_t *base, const uint8_t *at, const uint8_t *end) {
  if (tk_stream_ahead) {
    __builtin_prefetch(at + tk_stream_ahead);
    __builtin_prefetch(at + tk_stream_ahead + 64);
  } else {
    tk_prefetch_in_turn(base, at, end);
  }
}

#endif
