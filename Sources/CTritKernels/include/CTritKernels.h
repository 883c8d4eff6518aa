// SIMD leaves of TritLab and the CPU facts they need. C exists here only where Swift has no
// instruction for the job. Contract of every function: no allocation, no globals (but for the way
// of prefetching, tk_stream_use), no I/O; sizes are size_t; pointers may alias only where said. One
// prefix: tk_.
#ifndef CTRITKERNELS_H
#define CTRITKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "tk_attention.h"
#include "tk_attention_tile.h"
#include "tk_base3.h"
#include "tk_clock.h"
#include "tk_float.h"
#include "tk_groups.h"
#include "tk_head.h"
#include "tk_i2s.h"
#include "tk_int8.h"
#include "tk_leaf.h"
#include "tk_lookup.h"
#include "tk_lookup_panels.h"
#include "tk_peak.h"
#include "tk_sparse.h"

// --- CPU ----------------------------------------------------------------------------------------

/// Bits of tk_cpu_features().
enum {
  TK_CPU_AVX2 = 1 << 0,         ///< AVX2 with FMA, F16C and popcnt
  TK_CPU_AVX_VNNI = 1 << 1,     ///< vpdpbusd on ymm
  TK_CPU_AVX512 = 1 << 2,       ///< AVX-512 F, BW, DQ, VL, and all of AVX2
  TK_CPU_AVX512_VNNI = 1 << 3,  ///< vpdpbusd on zmm
  TK_CPU_AVX512_VBMI = 1 << 4,  ///< vpermb, vpermi2b
  TK_CPU_AVX512_BF16 = 1 << 5,  ///< vdpbf16ps
  TK_CPU_NEON = 1 << 8,         ///< AArch64 baseline
  TK_CPU_NEON_DOTPROD = 1 << 9, ///< sdot, udot
  TK_CPU_NEON_I8MM = 1 << 10,   ///< smmla
};

/// Numbers of the single instruction sets of x86 that leaves are compiled for, and of the registers
/// that the operating system keeps.
enum {
  TK_FLAG_YMM,
  TK_FLAG_ZMM,
  TK_FLAG_POPCNT,
  TK_FLAG_BMI1,
  TK_FLAG_BMI2,
  TK_FLAG_LZCNT,
  TK_FLAG_AVX,
  TK_FLAG_AVX2,
  TK_FLAG_FMA,
  TK_FLAG_F16C,
  TK_FLAG_AVX_VNNI,
  TK_FLAG_AVX512F,
  TK_FLAG_AVX512BW,
  TK_FLAG_AVX512DQ,
  TK_FLAG_AVX512VL,
  TK_FLAG_AVX512VNNI,
  TK_FLAG_AVX512VBMI,
  TK_FLAG_AVX512BF16,
  TK_FLAG_COUNT,
};

/// The sets that the running CPU and its operating system have, bit 1 << TK_FLAG_…; 0 where it is
/// no x86.
uint32_t tk_cpu_flags(void);

/// The name of flag 0…TK_FLAG_COUNT - 1, as /proc/cpuinfo spells it without underscores.
const char *_Nonnull tk_cpu_flag_name(int flag);

/// The TK_CPU_ bits of a CPU with `flags`. Each bit stands for every set that leaves behind it are
/// compiled for, their predecessors and the registers included. Only x86 has flags: another CPU
/// tells its bits itself.
uint32_t tk_cpu_features_of(uint32_t flags);

/// What the running CPU offers, as a set of TK_CPU_ bits.
uint32_t tk_cpu_features(void);

/// Throws `bytes` at `memory` out of all caches, written back where they had changed. Returns 0,
/// and does nothing, where a program may not do that.
int tk_evict(const void *_Nonnull memory, size_t bytes);

/// Takes `blocks` blocks of 64 bytes into the SHA-256 `state` [8], with the `constants` [64] of
/// FIPS 180-4. Returns 0, and does nothing, where the CPU has no instructions for it.
int tk_sha256(uint32_t *_Nonnull state, const uint32_t *_Nonnull constants,
              const void *_Nonnull data, size_t blocks);

/// Tells the CPU that the caller spins (x86 pause, ARM yield).
static inline void tk_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
