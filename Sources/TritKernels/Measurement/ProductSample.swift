import TritCore

/// Deterministic weights and activations to measure and to check products with: equal arguments
/// give equal values.
enum ProductSample {
  /// The way to fill a matrix of weights.
  enum Fill: String, CaseIterable {
    case random, least, zero, greatest
  }

  /// The forms of weights: nil bits are trits.
  struct Form: CustomStringConvertible {
    var bits: Int?
    var granularity: ScaleGranularity

    var description: String {
      "\(bits.map { "\($0)-bit" } ?? "ternary"), scale per \(granularity)"
    }
  }

  /// Weights of `shape` and `form`, with scales from 0.01 to 1.01.
  static func weights(
    _ shape: WeightShape, _ form: Form, _ fill: Fill, seed: UInt64
  ) -> QuantizedWeights {
    var random = SeededRandom(seed: seed)
    let count = shape.rows * shape.columns
    let values = AlignedBuffer<Int8>(count: count)
    let least = form.bits.map { -(1 << ($0 - 1)) } ?? -1
    let greatest = form.bits.map { (1 << ($0 - 1)) - 1 } ?? 1
    for index in 0..<count {
      switch fill {
      case .random: values.base[index] = Int8(least + random.below(greatest - least + 1))
      case .least: values.base[index] = Int8(least)
      case .zero: values.base[index] = 0
      case .greatest: values.base[index] = Int8(greatest)
      }
    }
    let scaleCount = form.granularity.scaleCount(rows: shape.rows, columns: shape.columns)
    let scales = (0..<scaleCount).map { _ in Float(0.01 + random.uniform()) }
    guard let bits = form.bits else {
      return .ternary(
        TernaryMatrix(
          rows: shape.rows, columns: shape.columns, trits: values, scales: scales,
          granularity: form.granularity))
    }
    return .integer(
      IntegerMatrix(
        rows: shape.rows, columns: shape.columns, bits: bits, values: values, scales: scales,
        granularity: form.granularity))
  }

  /// Gates `[tokens, rows]` of which a share of `zeros` is not above 0.
  static func gates(tokens: Int, rows: Int, zeros: Double, seed: UInt64) -> Matrix<Float> {
    var random = SeededRandom(seed: seed)
    let gate = Matrix<Float>(rows: tokens, columns: rows)
    for index in 0..<gate.storage.count {
      gate.storage.base[index] = Float(random.uniform() - zeros)
    }
    return gate
  }

  /// The patterns that rows of activations cycle through.
  static let activationPatterns = 8

  /// int8 rows: random, all 127, all −127, all −128, zeros, one outlier, alternating signs, four
  /// fifths zeros; and again from `first` on. The float rows are the same values dequantized.
  static func activations(
    rows: Int, columns: Int, form: ActivationForm, first: Int, seed: UInt64
  ) -> QuantizedRows {
    var random = SeededRandom(seed: seed)
    let x = QuantizedRows(capacity: rows, columns: columns)
    x.begin(rows: rows, form: form)
    for row in 0..<rows {
      let outlier = random.below(columns)
      let scale = Float(0.001 + random.uniform() / 64)
      var sum = 0
      for column in 0..<columns {
        let value: Int
        switch (first + row) % activationPatterns {
        case 0: value = random.below(255) - 127
        case 1: value = 127
        case 2: value = -127
        case 3: value = -128
        case 4: value = 0
        case 5: value = column == outlier ? 127 : random.below(3) - 1
        case 6: value = column % 2 == 0 ? 127 : -127
        default: value = random.below(5) == 0 ? random.below(255) - 127 : 0
        }
        x.row(row)[column] = Int8(value)
        sum += value
        if form == .float32 { x.floats.base[row * columns + column] = Float(value) * scale }
      }
      x.scales[row] = scale
      x.sums[row] = Int32(sum)
    }
    return x
  }

  /// int8 rows of any value, all random, of which a share of `zeros` is 0; every scale is 0.01.
  static func noise(_ rows: Int, columns: Int, zeros: Double) -> QuantizedRows {
    var random = SeededRandom(seed: 1)
    let x = QuantizedRows(capacity: rows, columns: columns)
    x.begin(rows: rows, form: .int8)
    for row in 0..<rows {
      var sum: Int32 = 0
      for column in 0..<columns {
        let drawn = Int8(truncatingIfNeeded: Int(random.next() >> 56) - 128)
        let value = zeros > 0 && random.uniform() < zeros ? 0 : drawn
        x.row(row)[column] = value
        sum += Int32(value)
      }
      x.sums[row] = sum
      x.scales[row] = 0.01
    }
    return x
  }
}
