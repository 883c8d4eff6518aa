public import TritCore
import TritKernels

/// The rate at which OpenBLAS multiplies here and now: what a training's speed is a share of.
public enum ProductRate {
  /// Floating-point operations a second of float32 products of `size` × `size` matrices, one on
  /// each worker at a time: the best of `repetitions` rounds, of about 50 ms each on a core of
  /// today; 0 without the library.
  public static func measure(pool: WorkerPool, size: Int = 1024, repetitions: Int = 3) -> Double {
    guard (try? OpenBLASRuntime.start()) != nil else { return 0 }
    let count = size * size
    let memory = (0..<pool.threads).map { _ in AlignedBuffer<Float>(count: 3 * count) }
    for buffer in memory { buffer.base.update(repeating: 0.5, count: 2 * count) }
    let rounds = max(1, Int(1e10 / (2 * Double(count) * Double(size))))
    let clock = ContinuousClock()
    var best = 0.0
    // The first round warms caches and clocks and does not count.
    for repetition in 0...max(repetitions, 1) {
      let start = clock.now
      pool.run(count: pool.threads) { range, _ in
        for index in range {
          let base = memory[index].base
          for _ in 0..<rounds {
            MatrixProduct.timesTransposed(
              MatrixView(base: base, rows: size, columns: size),
              MatrixView(base: base + count, rows: size, columns: size),
              into: MutableMatrixView(base: base + 2 * count, rows: size, columns: size))
          }
        }
      }
      let seconds = (clock.now - start) / .seconds(1)
      let work = Double(rounds * pool.threads) * 2 * Double(count) * Double(size)
      if repetition > 0 { best = max(best, work / max(seconds, 1e-9)) }
    }
    return best
  }
}
