// Time and CPU time by system calls, and the counter of the CPU.
#define _GNU_SOURCE
#include "CTritKernels.h"

#include <time.h>
#if defined(__linux__)
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

static uint64_t clock_of(clockid_t id) {
  struct timespec time = {0, 0};
#if defined(__linux__)
  if (syscall(SYS_clock_gettime, id, &time) != 0) return 0;
#else
  if (clock_gettime(id, &time) != 0) return 0;
#endif
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t tk_clock_raw(void) { return clock_of(CLOCK_MONOTONIC_RAW); }

uint64_t tk_clock_process(void) { return clock_of(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t tk_clock_ticks(void) {
#if defined(__x86_64__)
  unsigned int core;
  return __rdtscp(&core);
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
  return ticks;
#else
  return 0;
#endif
}

uint64_t tk_clock_thread(int64_t thread) {
#if defined(__linux__)
  // Linux makes the clock of a thread from its number: the bits of the other kind, 4 for one
  // thread, 2 for run time.
  return thread > 0 ? clock_of((clockid_t)((~(uint32_t)thread << 3) | 6u)) : 0;
#else
  (void)thread;
  return 0;
#endif
}

int64_t tk_thread_id(void) {
#if defined(__linux__)
  return (int64_t)syscall(SYS_gettid);
#else
  return 0;
#endif
}

int tk_end_with_parent(void) {
#if defined(__linux__)
  return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
#else
  return 0;
#endif
}
