import TritLab

/// Kernels: the C file is written against version 1 of `trit_kernel.h`, the Swift file gives
/// `DotKernel` its function.
extension StageTemplate {
  static let kernelInC = StageTemplate(
    key: .kernel, language: .c,
    source: { name in
      """
      // \(name.text): a linear kernel for TritLab. It keeps each trit in a byte: make it smaller,
      // or faster.
      //
      //     trit kernel check \(name.text) --plugin \(name.file)
      //     trit kernel bench \(name.text) i2_s --tokens 1 --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
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

      TRIT_KERNELS({.name = "\(name.text)", .summary = "a byte a trit, plain loops",
                    .packed_bytes = packed_bytes, .pack = pack, .multiply = multiply})

      """
    }, experiment: experiment, question: question)

  static let kernelInSwift = StageTemplate(
    key: .kernel, language: .swift,
    source: { name in
      """
      // \(name.text): a linear kernel for TritLab from one function. Make it faster, or pack
      // otherwise: a type that conforms to LinearKernel decides all of it.
      //
      //     trit kernel check \(name.text) --plugin \(name.file)
      //     trit kernel bench \(name.text) i2_s --tokens 1 --plugin \(name.file)
      //     trit run \(name.experiment) --plugin \(name.file)
      import TritLab

      enum \(name.type) {
        /// One row times one token: the sum of code[k] · x[k], code = trit + 1. Columns come in
        /// blocks of 128: byte i of the 32 of a block holds the codes of columns i, i + 32, i + 64
        /// and i + 96, from the low bits up. DotKernel takes the sum of x off again.
        static func dot(_ codes: UnsafePointer<UInt8>, _ x: UnsafePointer<Int8>, _ columns: Int)
          -> Int32
        {
          var sum: Int32 = 0
          for block in 0..<columns / 128 {
            let (codes, x) = (codes + 32 * block, x + 128 * block)
            for i in 0..<32 {
              let byte = Int32(codes[i])
              sum &+= (byte & 3) &* Int32(x[i]) &+ (byte >> 2 & 3) &* Int32(x[i + 32])
              sum &+= (byte >> 4 & 3) &* Int32(x[i + 64]) &+ (byte >> 6) &* Int32(x[i + 96])
            }
          }
          return sum
        }
      }

      func register(_ lab: inout Lab) throws {
        let descriptor = StageDescriptor(
          "\(name.text)", summary: "two bits a trit, one function", source: "\(name.file)",
          accepts: "ternary weights (scale per tensor or row), int8 activations", gives: "int32 sums",
          kernel: KernelFacts())
        try lab.add(.kernel, descriptor) { _ in
          DotKernel("\(name.text)") { codes, x, columns in \(name.type).dot(codes, x, columns) }
        }
      }

      """
    }, experiment: experiment, question: question)

  private static let question: @Sendable (TemplateName) -> String = { name in
    "\(name.text) beside kernels of the lab: perplexity must be the same, speed is what differs."
  }

  private static let experiment: @Sendable (TemplateName) -> String = { name in
    """
    sweep:
      kernel: [i2_s, tq2_0, "\(name.text)"]
    measure:
      perplexity: {data: builtin:storyteller/test:20, context: 128}
      speed: {prompt: 128, tokens: 64, repetitions: 5}

    """
  }
}
