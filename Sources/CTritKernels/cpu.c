// What the CPU can do: single features by cpuid, with what the system keeps of its registers, or by
// the auxiliary vector on ARM; and the groups of them that kernels ask for.
#include "CTritKernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMDDP
#define HWCAP_ASIMDDP (1 << 20)
#endif
#ifndef HWCAP2_I8MM
#define HWCAP2_I8MM (1 << 13)
#endif
#endif

static const char *const names[TK_FLAG_COUNT] = {
    [TK_FLAG_YMM] = "ymm",
    [TK_FLAG_ZMM] = "zmm",
    [TK_FLAG_POPCNT] = "popcnt",
    [TK_FLAG_BMI1] = "bmi1",
    [TK_FLAG_BMI2] = "bmi2",
    [TK_FLAG_LZCNT] = "lzcnt",
    [TK_FLAG_AVX] = "avx",
    [TK_FLAG_AVX2] = "avx2",
    [TK_FLAG_FMA] = "fma",
    [TK_FLAG_F16C] = "f16c",
    [TK_FLAG_AVX_VNNI] = "avxvnni",
    [TK_FLAG_AVX512F] = "avx512f",
    [TK_FLAG_AVX512BW] = "avx512bw",
    [TK_FLAG_AVX512DQ] = "avx512dq",
    [TK_FLAG_AVX512VL] = "avx512vl",
    [TK_FLAG_AVX512VNNI] = "avx512vnni",
    [TK_FLAG_AVX512VBMI] = "avx512vbmi",
    [TK_FLAG_AVX512BF16] = "avx512bf16",
};

const char *tk_cpu_flag_name(int flag) { return names[flag]; }

#if defined(__x86_64__)
#include <cpuid.h>

// The registers that the operating system keeps when it switches threads. Only called where the CPU
// says that the instruction may be used (OSXSAVE).
static uint64_t xgetbv0(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static uint32_t flag(uint32_t word, int bit, int name) { return (word >> bit & 1u) << name; }

uint32_t tk_cpu_flags(void) {
  uint32_t a, b, c, d, found = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  found |= flag(c, 23, TK_FLAG_POPCNT) | flag(c, 28, TK_FLAG_AVX) | flag(c, 12, TK_FLAG_FMA) |
           flag(c, 29, TK_FLAG_F16C);
  if (c >> 27 & 1u) {
    const uint64_t kept = xgetbv0();
    if ((kept & 0x06) == 0x06) found |= 1u << TK_FLAG_YMM;
    if ((kept & 0xe6) == 0xe6) found |= 1u << TK_FLAG_ZMM;
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    found |= flag(b, 3, TK_FLAG_BMI1) | flag(b, 8, TK_FLAG_BMI2) | flag(b, 5, TK_FLAG_AVX2) |
             flag(b, 16, TK_FLAG_AVX512F) | flag(b, 17, TK_FLAG_AVX512DQ) |
             flag(b, 30, TK_FLAG_AVX512BW) | flag(b, 31, TK_FLAG_AVX512VL) |
             flag(c, 11, TK_FLAG_AVX512VNNI) | flag(c, 1, TK_FLAG_AVX512VBMI);
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
      found |= flag(a, 4, TK_FLAG_AVX_VNNI) | flag(a, 5, TK_FLAG_AVX512BF16);
    }
  }
  if (__get_cpuid(0x80000001, &a, &b, &c, &d)) found |= flag(c, 5, TK_FLAG_LZCNT);
  return found;
}
#else
uint32_t tk_cpu_flags(void) { return 0; }
#endif

static int has(uint32_t flags, uint32_t wanted) { return (flags & wanted) == wanted; }

// Compilers take an instruction set's predecessors with it: target("avx512f") may use FMA, F16C and
// AVX2, and target("avx2") popcnt. So each group asks for those too.
#define BIT(name) (1u << TK_FLAG_##name)
#define NEEDS_AVX2 (BIT(YMM) | BIT(POPCNT) | BIT(AVX) | BIT(AVX2) | BIT(FMA) | BIT(F16C))
#define NEEDS_AVX512 \
  (NEEDS_AVX2 | BIT(ZMM) | BIT(AVX512F) | BIT(AVX512BW) | BIT(AVX512DQ) | BIT(AVX512VL))

uint32_t tk_cpu_features_of(uint32_t flags) {
  uint32_t features = 0;
#if defined(__x86_64__)
  if (has(flags, NEEDS_AVX2)) features |= TK_CPU_AVX2;
  if (has(flags, NEEDS_AVX2 | BIT(AVX_VNNI))) features |= TK_CPU_AVX_VNNI;
  if (has(flags, NEEDS_AVX512)) {
    features |= TK_CPU_AVX512;
    if (has(flags, BIT(AVX512VNNI))) features |= TK_CPU_AVX512_VNNI;
    if (has(flags, BIT(AVX512VBMI))) features |= TK_CPU_AVX512_VBMI;
    if (has(flags, BIT(AVX512BF16))) features |= TK_CPU_AVX512_BF16;
  }
#elif defined(__aarch64__)
  (void)flags;
  (void)has;
  features |= TK_CPU_NEON;
#if defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) features |= TK_CPU_NEON_DOTPROD;
  if (getauxval(AT_HWCAP2) & HWCAP2_I8MM) features |= TK_CPU_NEON_I8MM;
#else
  features |= TK_CPU_NEON_DOTPROD;
#endif
#else
  (void)flags;
  (void)has;
#endif
  return features;
}

uint32_t tk_cpu_features(void) { return tk_cpu_features_of(tk_cpu_flags()); }
