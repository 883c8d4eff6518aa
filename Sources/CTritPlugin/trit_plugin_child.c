// The report of a crash. Everything in the handler is a system call or works on memory that is
// there already, but for backtrace(), which is called once beforehand so that it has loaded what it
// needs.
#define _GNU_SOURCE
#include "trit_plugin_child.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <link.h>
#include <sys/prctl.h>
#include <ucontext.h>
#endif

static int report_descriptor = -1;
// Whether SIGALRM is a question, after whose answer the thread goes on.
static int is_asked;
static char alternate_stack[1 << 16] __attribute__((aligned(16)));

static char *put_number(char *at, uintptr_t value, unsigned base) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  while (count) *at++ = digits[--count];
  return at;
}

static void put_frame(uintptr_t address) {
  char line[32], *at = line;
  *at++ = 'F';
  *at++ = ' ';
  at = put_number(at, address, 16);
  *at++ = '\n';
  (void)!write(report_descriptor, line, (size_t)(at - line));
}

static uintptr_t interrupted_at(void *context) {
#if defined(__linux__) && defined(__x86_64__)
  return (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__linux__) && defined(__aarch64__)
  return (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

static void on_signal(int number, siginfo_t *info, void *context) {
  char line[64], *at = line;
  *at++ = 'S';
  *at++ = ' ';
  at = put_number(at, (uintptr_t)number, 10);
  *at++ = ' ';
  at = put_number(at, (uintptr_t)info->si_addr, 16);
  *at++ = '\n';
  (void)!write(report_descriptor, line, (size_t)(at - line));
  uintptr_t place = interrupted_at(context);
  if (place) put_frame(place);
  void *frames[64];
  int count = backtrace(frames, 64);
  // A frame above holds the address to return to: the call is the byte before.
  for (int i = 0; i < count; i++) put_frame((uintptr_t)frames[i] - 1);
  if (number == SIGALRM && is_asked) return;
  _exit(128 + number);
}

void trit_child_watch(int descriptor, unsigned seconds) {
  report_descriptor = descriptor;
  is_asked = seconds == 0;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  void *frames[4];
  backtrace(frames, 4);
  stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack)};
  sigaltstack(&stack, 0);
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, SIGALRM};
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
    if (numbers[i] == SIGALRM && is_asked) action.sa_flags &= ~SA_RESETHAND;
    sigaction(numbers[i], &action, 0);
    sigaddset(&unblocked, numbers[i]);
  }
  sigprocmask(SIG_UNBLOCK, &unblocked, 0);
  struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds}};
  setitimer(ITIMER_REAL, &timer, 0);
}

int trit_ask_thread(int process, int thread) {
#ifdef __linux__
  return (int)syscall(SYS_tgkill, process, thread, SIGALRM);
#else
  (void)thread;
  return kill(process, SIGALRM);
#endif
}

#ifdef __linux__
struct extent {
  uintptr_t inside, start, end;
};

static int find_extent(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  struct extent *extent = context;
  uintptr_t end = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD) continue;
    uintptr_t last = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    if (last > end) end = last;
  }
  if (extent->inside < info->dlpi_addr || extent->inside >= end) return 0;
  extent->start = info->dlpi_addr;
  extent->end = end;
  return 1;
}

static struct extent extent_of(const void *symbol) {
  struct extent extent = {.inside = (uintptr_t)symbol};
  dl_iterate_phdr(find_extent, &extent);
  return extent;
}
uintptr_t trit_library_start(const void *symbol) { return extent_of(symbol).start; }
uintptr_t trit_library_end(const void *symbol) { return extent_of(symbol).end; }
#else
uintptr_t trit_library_start(const void *symbol) {
  Dl_info info;
  return dladdr(symbol, &info) ? (uintptr_t)info.dli_fbase : 0;
}
uintptr_t trit_library_end(const void *symbol) {
  // Its size is not told: all that lies behind its start may be of it.
  return trit_library_start(symbol) ? UINTPTR_MAX : 0;
}
#endif
