// What the process that checks a plug-in needs of C: it tells where it was when it crashed or hung.
// For the lab alone; plug-ins include trit_kernel.h.
#ifndef TRIT_PLUGIN_CHILD_H
#define TRIT_PLUGIN_CHILD_H

#include <stdint.h>

// The text of trit_kernel.h as it was when this program was built.
const char *trit_kernel_header(void);

// The loaded library that the object at `symbol` is part of: where it begins in memory, and the
// address behind its last byte. 0 where there is none.
uintptr_t trit_library_start(const void *symbol);
uintptr_t trit_library_end(const void *symbol);

// From now on a crash, and the signal SIGALRM after `seconds`, ends the process with a report on
// `descriptor`: one line "S number address", then one line "F address" for each frame, the
// innermost first, all in hexadecimal but the number. No core file is left. On Linux the process
// also ends with its parent. Where `seconds` is 0 there is no limit, and SIGALRM only asks: the
// thread that gets it reports where it is, and goes on.
void trit_child_watch(int descriptor, unsigned seconds);

// Asks a thread of a process that watches without a limit where it is. 0 where it was asked.
int trit_ask_thread(int process, int thread);

#endif
