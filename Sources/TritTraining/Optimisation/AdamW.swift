public import TritCore

/// Adam with decoupled weight decay, and clipping of the gradient's norm.
///
/// `p ← p · (1 − η·λ) − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)`, `m` and `v` the running means of
/// the gradient and its square. Source: Loshchilov and Hutter 2019 (arXiv:1711.05101), algorithm 2,
/// in the order of operations of PyTorch's `AdamW`. Gains and biases do not decay.
public final class AdamW: @unchecked Sendable {
  /// Decay rate of the mean.
  public let beta1: Double
  /// Decay rate of the mean square.
  public let beta2: Double
  /// Added to the denominator.
  public let epsilon: Double
  /// Running means, in the order of the parameters' buffers.
  public let means: AlignedBuffer<Float>
  /// Running mean squares.
  public let squares: AlignedBuffer<Float>
  /// Updates made so far.
  public internal(set) var updates = 0
  private let parameters: ParameterSet
  private let pool: WorkerPool
  private let partialSums: AlignedBuffer<Double>

  /// Values of a sum that one worker takes; fixed, so that sums do not depend on the threads.
  private static let chunk = 1 << 15

  /// State for `parameters`, all zero.
  public init(
    _ parameters: ParameterSet, beta1: Double = 0.9, beta2: Double = 0.95, epsilon: Double = 1e-8,
    pool: WorkerPool
  ) {
    self.parameters = parameters
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.pool = pool
    let count = parameters.values.count
    means = AlignedBuffer(count: count)
    squares = AlignedBuffer(count: count)
    partialSums = AlignedBuffer(count: (count + Self.chunk - 1) / Self.chunk)
  }

  /// √(Σ g²) over all gradients.
  public func gradientNorm() -> Double {
    let count = parameters.gradients.count
    let gradients = parameters.gradients
    let sums = partialSums
    pool.run(count: sums.count) { range, _ in
      for index in range {
        let start = index * Self.chunk
        sums.base[index] = VectorMath.sumOfSquares(
          gradients.base + start, count: min(Self.chunk, count - start))
      }
    }
    return sums.buffer.reduce(0, +).squareRoot()
  }

  /// One update. The gradient is scaled down to a norm of `clip` where it is longer. Gives the norm
  /// before clipping; does nothing where that is not finite.
  @discardableResult public func update(
    rate: Double, weightDecay: Double, clip: Double?
  ) -> Double {
    let norm = gradientNorm()
    guard norm.isFinite else { return norm }
    updates += 1
    let step = Step(
      scale: Float(clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1), beta1: Float(beta1),
      beta2: Float(beta2), rate: Float(rate / (1 - power(beta1, updates))),
      root: Float(1 / (1 - power(beta2, updates)).squareRoot()), epsilon: Float(epsilon))
    let keep = Float(1 - rate * weightDecay)
    let values = parameters.values
    let gradients = parameters.gradients
    for info in parameters.list {
      let factor = info.decays ? keep : 1
      pool.run(count: info.count, alignment: 1024) { range, _ in
        let start = info.offset + range.lowerBound
        step.apply(
          values.base + start, gradients.base + start, means.base + start, squares.base + start,
          count: range.count, keep: factor)
      }
    }
    return norm
  }

  /// `base` to a whole power by squaring: the same bits everywhere.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }

  private struct Step {
    let scale: Float, beta1: Float, beta2: Float, rate: Float, root: Float, epsilon: Float

    func apply(
      _ values: UnsafeMutablePointer<Float>, _ gradients: UnsafePointer<Float>,
      _ means: UnsafeMutablePointer<Float>, _ squares: UnsafeMutablePointer<Float>, count: Int,
      keep: Float
    ) {
      for index in 0..<count {
        let gradient = gradients[index] * scale
        let mean = beta1 * means[index] + (1 - beta1) * gradient
        let square = beta2 * squares[index] + (1 - beta2) * gradient * gradient
        means[index] = mean
        squares[index] = square
        values[index] =
          values[index] * keep - rate * mean / (square.squareRoot() * root + epsilon)
      }
    }
  }
}
