// Group panels in plain C: packing, and sums of activations.
#include <string.h>

#include "tk_groups.h"
#include "tk_i2s.h"
#include "tk_trits.h"

static inline size_t scale_bytes(size_t half_scales) { return half_scales ? 64 : 128; }

/// The bits of a float16 that holds `value` exactly.
static uint16_t half_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x38800000) return (uint16_t)(sign | (magnitude - 0x38000000) >> 13);
  // A subnormal: its units are 2^-24.
  float unsigned_value;
  memcpy(&unsigned_value, &magnitude, 4);
  return (uint16_t)(sign | (uint32_t)(unsigned_value * 16777216.0f));
}

void tk_group_pack(const int8_t *trits, const float *scales, size_t rows, size_t columns,
                   size_t group_steps, size_t half_scales, uint8_t *out) {
  size_t steps = (columns + 15) / 16, groups = (steps + group_steps - 1) / group_steps;
  size_t line = scale_bytes(half_scales), panel_bytes = steps * 128 + groups * line;
  size_t panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
  for (size_t panel = 0; panel < panels; panel++) {
    uint8_t *base = out + panel * panel_bytes;
    for (size_t group = 0; group < groups; group++) {
      size_t first = group * group_steps;
      size_t count = steps - first < group_steps ? steps - first : group_steps;
      memset(base, 0x55, count * 128);
      memset(base + count * 128, 0, line);
      for (size_t lane = 0; lane < TK_PANEL_ROWS; lane++) {
        size_t row = panel * TK_PANEL_ROWS + lane;
        if (row >= rows) break;
        const int8_t *w = trits + row * columns;
        size_t end = (first + count) * 16 < columns ? (first + count) * 16 : columns;
        size_t k = first * 16;
        for (; k + 16 <= end; k += 16) {
          uint32_t packed = tk_code_dword(w + k);
          memcpy(base + (k / 16 - first) * 128 + lane * 4, &packed, 4);
        }
        for (; k < end; k++) {
          uint8_t *byte = base + (k / 16 - first) * 128 + lane * 4 + k % 4;
          size_t shift = k % 16 / 4 * 2;
          *byte = (uint8_t)((*byte & ~(3u << shift)) | (unsigned)(w[k] + 1) << shift);
        }
        float scale = scales[row * groups + group];
        uint8_t *at = base + count * 128;
        if (half_scales) {
          uint16_t half = half_of(scale);
          memcpy(at + 2 * lane, &half, 2);
        } else {
          memcpy(at + 4 * lane, &scale, 4);
        }
      }
      base += count * 128 + line;
    }
  }
}

void tk_group_sums(const int8_t *values, size_t stride, size_t group_columns, size_t groups,
                   size_t first, size_t last, int32_t *out) {
  for (size_t token = first; token < last; token++) {
    const int8_t *x = values + token * stride;
    for (size_t group = 0; group < groups; group++) {
      size_t start = group * group_columns;
      size_t end = start + group_columns < stride ? start + group_columns : stride;
      int32_t sum = 0;
      for (size_t k = start; k < end; k++) sum += x[k];
      out[token * groups + group] = sum;
    }
  }
}

void tk_group_float_tables(const float *values, size_t stride, size_t tokens, size_t columns,
                           size_t first, size_t last, float *out) {
  size_t steps = (columns + 15) / 16;
  for (size_t t = 0; t < tokens; t++)
    for (size_t step = first; step < last; step++) {
      float x[16] = {0};
      size_t left = columns - 16 * step;
      memcpy(x, values + t * stride + 16 * step, (left < 16 ? left : 16) * sizeof(float));
      float *table = out + (t * steps + step) * (TK_PAIR_BYTES / sizeof(float));
      for (int n = 0; n < 8; n++, table += 16) {
        // Byte n / 2 of the dword, its lower or upper half: see tk_i2s.h.
        float a = x[8 * (n % 2) + n / 2], b = x[8 * (n % 2) + n / 2 + 4];
        for (int code = 0; code < 16; code++)
          table[code] = (float)(code % 4 - 1) * a + (float)(code / 4 - 1) * b;
      }
    }
}

void tk_group_float_tiles(const float *values, size_t stride, size_t tokens, size_t columns,
                          size_t first, size_t last, float *out) {
  for (size_t tile = first; tile < last; tile++) {
    size_t start = tk_tile_start(tokens, tile), end = tk_tile_start(tokens, tile + 1);
    float *tile_out = out + tile * columns * TK_TILE_TOKENS;
    for (size_t t = start; t < end; t++)
      for (size_t k = 0; k < columns; k++)
        tile_out[k * TK_TILE_TOKENS + t - start] = values[t * stride + k];
  }
}
