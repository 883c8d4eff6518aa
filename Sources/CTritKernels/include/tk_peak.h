// Measuring sticks: loops that do nothing but the instruction, or the reading, whose speed bounds a
// kernel. Results go nowhere; the loops are opaque to the compiler, so that nothing is hoisted or
// dropped.
#ifndef TK_PEAK_H
#define TK_PEAK_H

#include <stddef.h>
#include <stdint.h>

/// One way to multiply and add at full speed.
typedef struct tk_peak_leaf {
  /// The instruction set as kernels name it: `avx512vnni`.
  const char *_Nonnull name;
  /// What the loop consists of: `vpdpbusd zmm`.
  const char *_Nonnull instruction;
  /// TK_CPU_ bits that it needs.
  uint32_t features;
  /// Multiply-adds of one round.
  size_t products;
  /// Runs `rounds` rounds of long independent chains.
  void (*_Nonnull run)(size_t rounds);
} tk_peak_leaf;

/// The int8 leaves of this architecture, widest first; `count` receives how many.
const tk_peak_leaf *_Nullable tk_peak_int8(size_t *_Nonnull count);
/// The float32 leaves of this architecture, widest first; `count` receives how many.
const tk_peak_leaf *_Nullable tk_peak_float(size_t *_Nonnull count);

/// Ways of asking for lines of a stream before they are read: so many bytes ahead, or
enum {
  TK_READ_PAGES = 1,    ///< those of eight pages in turn (tk_stream.h),
  TK_STREAM_NEAR = 256, ///< just in front of what the hardware's prefetcher fetches,
  TK_STREAM_FAR = 4096, ///< a page ahead.
};

/// Sets the way in which leaves that read weights once ask for them: TK_READ_PAGES, or bytes ahead.
/// Until then it is
/// TK_STREAM_NEAR. Results do not depend on it. The one thing that leaves share; set it while none runs, or
/// some go on in the old way for a while.
void tk_stream_use(size_t ahead);
/// The way that is set.
size_t tk_stream_used(void);

/// Reads `bytes` (a multiple of 512, 64-byte aligned) in the widest loads that `features` allow,
/// prefetching `ahead` bytes in front (0 leaves it to the hardware), or with TK_READ_PAGES the
/// lines of eight pages in turn. Returns the exclusive or of all.
uint64_t tk_peak_read(const void *_Nonnull memory, size_t bytes, size_t ahead, uint32_t features);

/// `rounds` times 16 additions, each waiting for the one before: 16 cycles a round where an
/// addition takes one, which is on every CPU that the lab knows.
void tk_peak_chain(size_t rounds);

#endif
