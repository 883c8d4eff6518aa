import TritCore
import TritKernels

/// Random ternary weights of the arena, and exact products with them that share nothing with any
/// kernel.
struct ArenaWeights {
  /// The weights as kernels take them: one scale, a power of two.
  let weights: QuantizedWeights
  private let trits: AlignedBuffer<Int8>
  private let scale: Float
  let rows: Int
  let columns: Int

  init(_ shape: WeightShape, _ random: inout SeededRandom) {
    rows = shape.rows
    columns = shape.columns
    let count = rows * columns
    trits = AlignedBuffer(count: count)
    var index = 0
    while index < count {
      // The digits of a fraction in base 3; after 32 of them a draw still has 13 bits.
      var fraction = random.next()
      for place in index..<min(index + 32, count) {
        let (digit, rest) = fraction.multipliedFullWidth(by: 3)
        trits.base[place] = Int8(truncatingIfNeeded: digit) - 1
        fraction = rest
      }
      index += 32
    }
    scale = Float(sign: .plus, exponent: -2 - random.below(6), significand: 1)
    weights = .ternary(
      TernaryMatrix(rows: rows, columns: columns, trits: trits, scales: [scale]))
  }

  /// Where outputs are not the products of their inputs.
  struct Mismatch {
    let token: Int
    let row: Int
    let found: Float
    let expected: Float
  }

  /// What all outputs of a call are compared with: for every row the sum over the tokens of its
  /// integer sums, each times a random odd number, in 32 bits.
  ///
  /// A wrong set of outputs passes with a chance of at most 2⁻³¹·2ᵇ a row, where 2ᵇ divides all its
  /// errors (Freivalds, "Probabilistic machines can use less running time", IFIP 1977): the numbers
  /// are drawn after the call.
  struct Digest {
    fileprivate var factors: [Int32]
    fileprivate var sums: [Int32]
  }

  func digest(_ x: QuantizedRows, _ random: inout SeededRandom) -> Digest {
    let factors = (0..<x.rows).map { _ in Int32(truncatingIfNeeded: random.next()) | 1 }
    var mixed = [Int32](repeating: 0, count: columns)
    for (token, factor) in factors.enumerated() {
      let row = x.row(token)
      for column in 0..<columns { mixed[column] &+= factor &* Int32(row[column]) }
    }
    let sums = mixed.withUnsafeBufferPointer { mixed in
      (0..<rows).map { row in
        let weights = trits.base + row * columns
        var sum: Int32 = 0
        for column in 0..<columns { sum &+= Int32(weights[column]) &* mixed[column] }
        return sum
      }
    }
    return Digest(factors: factors, sums: sums)
  }

  /// The first output that is not the exact product; nil where all are.
  func mismatch(_ buffers: ArenaBuffers, _ digest: Digest) -> Mismatch? {
    let (x, y) = (buffers.x, buffers.y)
    var found = [Int32](repeating: 0, count: rows)
    for token in 0..<x.rows {
      let inverse = 1 / (scale * x.scales[token])
      let factor = digest.factors[token]
      let outputs = y.base + token * y.stride
      for row in 0..<rows {
        // No sum of int8 products is as large; NaN fails too.
        let value = outputs[row] * inverse
        guard abs(value) < 0x1p30, value == value.rounded(.towardZero) else {
          return wrong(buffers, token, row)
        }
        found[row] &+= factor &* Int32(value)
      }
    }
    for row in 0..<rows where found[row] != digest.sums[row] {
      let token = (0..<x.rows).first { sum(x, $0, row) != y.base[$0 * y.stride + row] }
      if let token { return wrong(buffers, token, row) }
    }
    return nil
  }

  private func wrong(_ buffers: ArenaBuffers, _ token: Int, _ row: Int) -> Mismatch {
    Mismatch(
      token: token, row: row, found: buffers.y.base[token * buffers.y.stride + row],
      expected: sum(buffers.x, token, row))
  }

  /// The exact output `[token, row]`.
  func sum(_ x: QuantizedRows, _ token: Int, _ row: Int) -> Float {
    let values = x.row(token)
    let weights = trits.base + row * columns
    var sum: Int32 = 0
    for column in 0..<columns { sum &+= Int32(weights[column]) &* Int32(values[column]) }
    return Float(sum) * scale * x.scales[token]
  }
}
