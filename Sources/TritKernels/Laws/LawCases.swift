import TritCore

/// A shape of weights `[rows, columns]` that law checkers try.
public struct WeightShape: Sendable, Hashable, CustomStringConvertible {
  /// Number of rows (outputs).
  public let rows: Int
  /// Number of columns (inputs).
  public let columns: Int

  /// A shape.
  public init(_ rows: Int, _ columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// `rows × columns`.
  public var description: String { "\(rows) × \(columns)" }

  /// One row and one column, just below and above every block size in use, primes, and the row lengths
  /// of real models with few rows.
  public static let awkward: [WeightShape] = [
    WeightShape(1, 1), WeightShape(3, 31), WeightShape(5, 127), WeightShape(1, 128),
    WeightShape(17, 129), WeightShape(32, 24), WeightShape(32, 32), WeightShape(33, 256),
    WeightShape(64, 96), WeightShape(96, 104), WeightShape(96, 384), WeightShape(64, 1000),
    WeightShape(160, 640), WeightShape(128, 768), WeightShape(37, 1536), WeightShape(64, 2560),
    WeightShape(32, 6912), WeightShape(32, 8640),
  ]
}

/// Deterministic weights and activations that provoke mistakes.
enum LawCases {
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

    static let all: [Form] =
      [.tensor, .row, .group(32), .group(256)].map { Form(bits: nil, granularity: $0) }
      + [Form(bits: 8, granularity: .row), Form(bits: 4, granularity: .group(32))]
      + [Form(bits: 2, granularity: .tensor)]
  }

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

  /// int8 rows: random, all 127, all −127, all −128, zeros, one outlier, alternating signs, four fifths zeros;
  /// and again from `first` on. The float rows are the same values dequantized.
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
}
