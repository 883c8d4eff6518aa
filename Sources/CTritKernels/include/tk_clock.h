// Clocks and facts of threads that are asked of the system itself, past every function that a
// library loaded into the process could have replaced. A race of foreign kernels reads its time
// here.
#ifndef TK_CLOCK_H
#define TK_CLOCK_H

#include <stdint.h>

/// Nanoseconds of the clock that nobody sets or slews (CLOCK_MONOTONIC_RAW), by a system call on
/// Linux.
uint64_t tk_clock_raw(void);
/// The CPU's own counter (x86 tsc, ARM cntvct), in ticks of an unknown but constant length; 0 where
/// there is none.
uint64_t tk_clock_ticks(void);
/// Nanoseconds of CPU time that all threads of the process have used, ended ones included; by a
/// system call on Linux.
uint64_t tk_clock_process(void);
/// Nanoseconds of CPU time of the living thread `thread` of this process; 0 where the system does
/// not tell.
uint64_t tk_clock_thread(int64_t thread);
/// The system's number of the calling thread; 0 where it has none.
int64_t tk_thread_id(void);
/// Asks the system to end this process when its parent ends. Returns 0 where it cannot.
int tk_end_with_parent(void);

#endif
