/// What `trit new kernel` writes. The C file is written against version 1 of `trit_kernel.h`.
enum KernelTemplate {
  /// The kernel: a byte a trit, plain loops.
  static func source(_ name: String) -> String {
    """
    // \(name): a linear kernel for TritLab. It keeps each trit in a byte: make it smaller, or faster.
    //
    //     trit kernel check \(name) --plugin \(name).c
    //     trit kernel bench \(name) i2_s --tokens 1 --plugin \(name).c
    //     trit run \(name).yaml --plugin \(name).c
    #include "trit_kernel.h"

    static size_t packed_bytes(size_t rows, size_t columns) { return rows * columns; }

    static void pack(size_t rows, size_t columns, const int8_t *trits, void *packed) {
      for (size_t i = 0; i < rows * columns; i++) ((int8_t *)packed)[i] = trits[i];
    }

    // sums[t][r] is the sum over k of trit[r][k] * x[t][k], for the rows of this call.
    static void multiply(const trit_work *work) {
      const int8_t *trits = work->packed;
      for (size_t r = work->first_row; r < work->end_row; r++) {
        for (size_t t = 0; t < work->tokens; t++) {
          const int8_t *row = trits + r * work->columns, *x = work->x + t * work->x_stride;
          int32_t sum = 0;
          for (size_t k = 0; k < work->columns; k++) sum += row[k] * x[k];
          work->sums[t * work->sums_stride + r] = sum;
        }
      }
    }

    TRIT_KERNELS({.name = "\(name)", .summary = "a byte a trit, plain loops",
                  .packed_bytes = packed_bytes, .pack = pack, .multiply = multiply})

    """
  }

  /// The experiment: the kernel beside two of the lab's own.
  static func experiment(_ name: String) -> String {
    """
    # \(name) beside kernels of the lab: perplexity must be the same, speed is what differs.
    #
    #   trit run \(name).yaml --plugin \(name).c
    name: "\(name)"
    model: builtin:storyteller
    sweep:
      kernel: [i2_s, tq2_0, "\(name)"]
    measure:
      perplexity: {data: builtin:storyteller/test:20, context: 128}
      speed: {prompt: 128, tokens: 64, repetitions: 5}

    """
  }
}
