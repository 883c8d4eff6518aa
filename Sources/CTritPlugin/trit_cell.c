// A cell of a notebook is the main file of a module of its own: its top level is the function
// `entry`. An error that leaves a top level is given to swift_errorInMain, which ends the process.
// Cells are linked with --wrap, so that theirs comes to the function below, which returns to
// trit_cell_run by a jump. Only the frame of the cell's main lies between, and what it owns are
// globals.
#define _GNU_SOURCE
#include "trit_cell.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <link.h>
#endif

static jmp_buf start;
static int is_running;
static void *raised;

void __wrap_swift_errorInMain(void *error);
void __wrap_swift_errorInMain(void *error) {
  if (!is_running) abort();
  raised = error;
  longjmp(start, 1);
}

int trit_cell_run(void *entry, void **error) {
  int (*function)(int, char **) = (int (*)(int, char **))entry;
  int has_failed = 0;
  is_running = 1;
  if (setjmp(start) == 0) {
    function(0, 0);
  } else {
    has_failed = 1;
    *error = raised;
  }
  is_running = 0;
  return has_failed;
}

enum { MOST_FRAMES = 48 };
static void *newest[MOST_FRAMES];
static int newest_count;

// Swift's runtime calls what these point to, where an error is thrown.
#ifdef __linux__
extern _Atomic(void *) _swift_willThrow __attribute__((weak));
extern _Atomic(void *) _swift_willThrowTypedImpl __attribute__((weak));
#endif

static void keep(void) { newest_count = backtrace(newest, MOST_FRAMES); }
static void on_throw(void *error) {
  (void)error;
  keep();
}
static void on_typed_throw(void *value, const void *type, const void *conformance) {
  (void)value, (void)type, (void)conformance;
  keep();
}

void trit_cell_watch_throws(void) {
#ifdef __linux__
  if (&_swift_willThrow) atomic_store(&_swift_willThrow, (void *)on_throw);
  if (&_swift_willThrowTypedImpl) atomic_store(&_swift_willThrowTypedImpl, (void *)on_typed_throw);
#else
  (void)on_throw, (void)on_typed_throw;
#endif
}

void trit_cell_forget_throw(void) { newest_count = 0; }

int trit_cell_throw_frames(void **frames, int most) {
  int count = newest_count < most ? newest_count : most;
  memcpy(frames, newest, sizeof(void *) * (size_t)count);
  return count;
}

void *trit_library_inside(void *handle) {
#ifdef __linux__
  struct link_map *map = 0;
  return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map ? (void *)map->l_ld : 0;
#else
  (void)handle;
  return 0;
#endif
}

void trit_cell_lines(void) { setvbuf(stdout, 0, _IOLBF, 0); }
