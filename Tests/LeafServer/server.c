// Serves the leaves of the CPU that it runs on, over standard input and output; see tk_leaf.h for the
// frames. `make test-arm` cross-compiles it and runs it under an emulator; the law checkers stay in Swift.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CTritKernels.h"

static uint64_t words[TK_LEAF_MOST_WORDS];
static uint8_t *payload;

static void *buffer(int i) { return words[i] == UINT64_MAX ? NULL : payload + words[i]; }

static float real(int i) {
  uint32_t bits = (uint32_t)words[i];
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static uint64_t of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static uint64_t of_double(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  return bits;
}

#define P(i) buffer(i)
#define N(i) ((size_t)words[i])
#define X(i) real(i)

#if defined(__aarch64__)
static tk_panel_product panel_product(void) {
  return (tk_panel_product){
      .panels = P(0), .steps = N(1), .rows = N(2), .values = P(3), .stride = N(4), .tokens = N(5),
      .sums = P(6), .token_scales = P(7), .row_scales = P(8), .y = P(9), .accumulators = P(10),
      .y_stride = N(11)};
}

static tk_int8_product int8_product(void) {
  return (tk_int8_product){
      .panels = P(0), .steps = N(1), .group_steps = N(2), .groups = N(3), .rows = N(4),
      .values = P(5), .stride = N(6), .tokens = N(7), .token_scales = P(8), .corrections = P(9),
      .scales = P(10), .y = P(11), .accumulators = P(12), .y_stride = N(13)};
}

static tk_group_product group_product(void) {
  return (tk_group_product){
      .panels = P(0), .panels_end = (uint8_t *)P(0) + (N(6) + 31) / 32 * N(1), .panel_bytes = N(1),
      .steps = N(2), .group_steps = N(3), .groups = N(4), .half_scales = N(5), .rows = N(6),
      .tokens = N(7), .values = P(8), .stride = N(9), .group_sums = P(10), .token_scales = P(11),
      .floats = P(12), .float_tiles = P(13), .columns = N(14), .y = P(15), .y_stride = N(16)};
}
#endif

/// Calls one leaf on the words and the payload. Ends the process on a leaf that is not here.
static uint64_t call(uint32_t leaf) {
  const tk_float_ops *f = tk_float_for(tk_cpu_features());
  const tk_attention_ops *a = tk_attention_for(tk_cpu_features());
  switch ((tk_leaf)leaf) {
  case TK_LEAF_FEATURES: return (uint64_t)TK_LEAF_VERSION << 32 | tk_cpu_features();
  case TK_LEAF_SUM_OF_SQUARES: return of_double(f->sum_of_squares(P(0), N(1)));
  case TK_LEAF_SCALE_WEIGHTED: f->scale_weighted(P(0), X(1), P(2), P(3), N(4)); return 0;
  case TK_LEAF_ABSMAX: return of_float(f->absmax(P(0), N(1)));
  case TK_LEAF_MAXIMUM: return of_float(f->maximum(P(0), N(1)));
  case TK_LEAF_QUANTIZE_INT8:
    return (uint32_t)f->quantize_int8(P(0), X(1), (int32_t)words[2], P(3), N(4));
  case TK_LEAF_ADD: f->add(P(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_MULTIPLY: f->multiply(P(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_SCALE: f->scale(P(0), X(1), P(2), N(3)); return 0;
  case TK_LEAF_SILU_MULTIPLY: f->silu_multiply(P(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_RELU2_MULTIPLY: f->relu2_multiply(P(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_DOT: return of_float(f->dot(P(0), P(1), N(2)));
  case TK_LEAF_DOT_F16: return of_float(f->dot_f16(P(0), P(1), N(2)));
  case TK_LEAF_DOT_I8: return of_float(f->dot_i8(P(0), P(1), N(2)));
  case TK_LEAF_AXPY: f->axpy(X(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_AXPY_F16: f->axpy_f16(X(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_AXPY_I8: f->axpy_i8(X(0), P(1), P(2), N(3)); return 0;
  case TK_LEAF_EXP_SHIFTED: return of_double(f->exp_shifted(P(0), X(1), P(2), N(3)));
  case TK_LEAF_F16_TO_F32: f->f16_to_f32(P(0), P(1), N(2)); return 0;
  case TK_LEAF_F32_TO_F16: f->f32_to_f16(P(0), P(1), N(2)); return 0;
  case TK_LEAF_BF16_TO_F32: f->bf16_to_f32(P(0), P(1), N(2)); return 0;
  case TK_LEAF_F32_TO_BF16: f->f32_to_bf16(P(0), P(1), N(2)); return 0;
  case TK_LEAF_HEAD_F16:
    f->head_f16(P(0), N(1), N(2), P(3), N(4), N(5), N(6), P(7), N(8));
    return 0;
  case TK_LEAF_HEAD_BF16:
    f->head_bf16(P(0), N(1), N(2), P(3), N(4), N(5), N(6), P(7), N(8));
    return 0;
  case TK_LEAF_HEAD_I8:
    f->head_i8(P(0), P(1), N(2), N(3), P(4), N(5), N(6), N(7), P(8), N(9));
    return 0;
  case TK_LEAF_HEAD_I4:
    f->head_i4(P(0), P(1), N(2), P(3), N(4), N(5), N(6), P(7), N(8));
    return 0;
  case TK_LEAF_HEAD_I6:
    f->head_i6(P(0), P(1), N(2), P(3), N(4), N(5), N(6), P(7), N(8));
    return 0;
  case TK_LEAF_ATTENTION_SCORES: a->scores(P(0), P(1), N(2), N(3), N(4), X(5), P(6)); return 0;
  case TK_LEAF_ATTENTION_ACCUMULATE:
    a->accumulate(P(0), P(1), N(2), N(3), N(4), X(5), P(6));
    return 0;
#if defined(__aarch64__)
  case TK_LEAF_I2S_NEON:
  case TK_LEAF_I2S_NEON_DOTPROD: {
    tk_panel_product p = panel_product();
    leaf == TK_LEAF_I2S_NEON ? tk_i2s_neon(&p) : tk_i2s_neon_dotprod(&p);
    return 0;
  }
  case TK_LEAF_INT8_NEON:
  case TK_LEAF_INT8_NEON_DOTPROD: {
    tk_int8_product p = int8_product();
    leaf == TK_LEAF_INT8_NEON ? tk_int8_neon(&p) : tk_int8_neon_dotprod(&p);
    return 0;
  }
  case TK_LEAF_GROUP_NEON:
  case TK_LEAF_GROUP_NEON_DOTPROD:
  case TK_LEAF_GROUP_F32_NEON: {
    tk_group_product p = group_product();
    if (leaf == TK_LEAF_GROUP_NEON) tk_group_neon(&p);
    if (leaf == TK_LEAF_GROUP_NEON_DOTPROD) tk_group_neon_dotprod(&p);
    if (leaf == TK_LEAF_GROUP_F32_NEON) tk_group_f32_neon(&p);
    return 0;
  }
  case TK_LEAF_TL1_NEON: tk_tl1_neon(P(0), N(1), N(2), N(3), N(4), P(5), P(6)); return 0;
  case TK_LEAF_TL2_NEON:
    tk_tl2_neon(P(0), N(1), P(2), N(3), N(4), N(5), P(6), P(7), N(8), N(9), P(10), P(11));
    return 0;
#endif
  default: break;
  }
  fprintf(stderr, "leaf server: no leaf %u on this CPU\n", leaf);
  exit(2);
}

static void read_all(void *to, size_t bytes) {
  if (bytes > 0 && fread(to, 1, bytes, stdin) != bytes) {
    fprintf(stderr, "leaf server: a call ends early\n");
    exit(2);
  }
}

int main(void) {
  size_t room = 0;
  for (;;) {
    tk_leaf_call head;
    // No next call: the other side is done.
    if (fread(&head, sizeof head, 1, stdin) != 1) return 0;
    if (head.words > TK_LEAF_MOST_WORDS || head.reply > head.bytes) {
      fprintf(stderr, "leaf server: not a call\n");
      return 2;
    }
    if (head.bytes > room) {
      free(payload);
      room = (head.bytes + 63) / 64 * 64;
      payload = aligned_alloc(64, room);
      if (!payload) {
        fprintf(stderr, "leaf server: no memory for %llu bytes\n", (unsigned long long)head.bytes);
        return 2;
      }
    }
    read_all(words, head.words * sizeof *words);
    read_all(payload, head.bytes);
    uint64_t result = call(head.leaf);
    if (fwrite(&result, sizeof result, 1, stdout) != 1 ||
        fwrite(payload + head.reply, 1, head.bytes - head.reply, stdout) != head.bytes - head.reply ||
        fflush(stdout)) {
      return 2;
    }
  }
}
