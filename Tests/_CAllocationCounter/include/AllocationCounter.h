// Counts heap allocations of the calling thread, by standing in front of glibc's allocator in the test
// executable. Elsewhere (other C libraries, sanitizers) it counts nothing and says so.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether allocations are counted in this build.
bool allocation_counter_works(void);

/// Allocations that the calling thread has made so far.
long allocation_count(void);

#endif
