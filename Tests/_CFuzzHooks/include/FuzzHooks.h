// What the compiler's coverage instrumentation leaves behind, for the fuzzer to read. Builds without
// `-sanitize-coverage=edge,inline-8bit-counters,pc-table` have no counters: everything is then 0.
#ifndef FUZZ_HOOKS_H
#define FUZZ_HOOKS_H

#include <stddef.h>
#include <stdint.h>

/// Instrumented edges of the program.
size_t fuzz_edges(void);
/// Edges that were ever run since the program began, as of the last `fuzz_collect`.
size_t fuzz_edges_covered(void);
/// Counters to 0, as before an input.
void fuzz_clear(void);
/// Looks at the counters and puts them to 0. Returns how many of (edge, power of two of its count) were never
/// seen before.
size_t fuzz_collect(void);
/// Whether edge `i` was ever run.
int fuzz_edge_covered(size_t i);
/// Where edge `i` lies in the program's file.
uint64_t fuzz_edge_offset(size_t i);

#endif
