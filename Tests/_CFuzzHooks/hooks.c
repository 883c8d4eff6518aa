// What the fuzzer sees of the code under test: how often an input has reached each edge, by counters that the
// compiler puts there, and where those edges are.
#include "FuzzHooks.h"

#include <stdlib.h>
#include <string.h>

// One range for each object that was linked; those that say the same range again are left out.
enum { MOST_RANGES = 4096 };
static struct {
  uint8_t *start, *stop;
} counters[MOST_RANGES];
static struct {
  const uintptr_t *start, *stop;
} places[MOST_RANGES];
static size_t counter_ranges, place_ranges, edges, covered;
// For each edge the powers of two of its count that were seen, one bit each.
static uint8_t *seen;

// Called by the instrumentation before main; strong, so that the sanitizer's own are not taken.
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop) {
  for (size_t i = 0; i < counter_ranges; i++)
    if (counters[i].start == start) return;
  if (start == stop || counter_ranges == MOST_RANGES) return;
  counters[counter_ranges].start = start;
  counters[counter_ranges++].stop = stop;
  edges += (size_t)(stop - start);
}

void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop) {
  for (size_t i = 0; i < place_ranges; i++)
    if (places[i].start == start) return;
  if (start == stop || place_ranges == MOST_RANGES) return;
  places[place_ranges].start = start;
  places[place_ranges++].stop = stop;
}

size_t fuzz_edges(void) { return edges; }
size_t fuzz_edges_covered(void) { return covered; }

void fuzz_clear(void) {
  for (size_t i = 0; i < counter_ranges; i++)
    memset(counters[i].start, 0, (size_t)(counters[i].stop - counters[i].start));
}

static uint8_t bucket(uint8_t n) {
  return n < 4 ? (uint8_t)(1 << n >> 1) : n < 8 ? 8 : n < 16 ? 16 : n < 32 ? 32 : n < 128 ? 64 : 128;
}

size_t fuzz_collect(void) {
  if (edges == 0) return 0;
  if (!seen) seen = calloc(edges, 1);
  if (!seen) return 0;
  size_t new = 0, base = 0;
  for (size_t i = 0; i < counter_ranges; i++) {
    uint8_t *start = counters[i].start;
    size_t count = (size_t)(counters[i].stop - start);
    for (size_t at = 0; at < count; at += 8) {
      uint64_t word = 0;
      size_t width = count - at < 8 ? count - at : 8;
      memcpy(&word, start + at, width);
      if (word == 0) continue;
      for (size_t k = at; k < at + width; k++) {
        if (start[k] == 0) continue;
        uint8_t bit = bucket(start[k]);
        start[k] = 0;
        uint8_t *known = &seen[base + k];
        if (*known & bit) continue;
        covered += *known == 0;
        *known |= bit;
        new ++;
      }
    }
    base += count;
  }
  return new;
}

int fuzz_edge_covered(size_t i) { return seen && i < edges && seen[i]; }

#if defined(__linux__)
extern const char __executable_start[];
#endif

uint64_t fuzz_edge_offset(size_t i) {
  for (size_t range = 0; range < place_ranges; range++) {
    // Two words an edge: where it is, and flags.
    size_t count = (size_t)(places[range].stop - places[range].start) / 2;
    if (i < count) {
      uintptr_t place = places[range].start[2 * i];
#if defined(__linux__)
      return place - (uintptr_t)__executable_start;
#else
      return place;
#endif
    }
    i -= count;
  }
  return 0;
}
