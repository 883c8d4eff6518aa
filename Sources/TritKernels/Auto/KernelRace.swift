import TritCore

/// Times kernels on the first rows of a matrix.
struct KernelRace {
  /// Enough rows to see the kernel's speed, few enough that a whole model takes well under a second.
  private static let mostRows = 192
  private static let batch = 24
  private let sample: QuantizedWeights
  private let one: QuantizedRows
  private let many: QuantizedRows
  private let y: Matrix<Float>

  init(_ weights: QuantizedWeights) {
    sample = weights.firstRows(Self.mostRows)
    one = Self.activations(1, columns: weights.columns)
    many = Self.activations(Self.batch, columns: weights.columns)
    y = Matrix(rows: Self.batch, columns: sample.rows)
  }

  /// Prepares and times `kernel`; nil where one token alone takes eight times as long as `best`. Throws
  /// what `prepare` throws.
  func time(_ kernel: any LinearKernel, best: Double?) throws -> AutoKernel.Timing? {
    let prepared = try kernel.prepare(sample)
    let decode = nanoseconds(prepared, one)
    if let best, decode > 8 * best { return nil }
    let prefill = nanoseconds(prepared, many) / Double(Self.batch)
    return AutoKernel.Timing(
      kernel: kernel.name, rows: sample.rows, decode: decode, prefill: prefill)
  }

  /// The shortest of a few runs, input layout included; stops after about a millisecond.
  private func nanoseconds(_ prepared: any PreparedLinear, _ x: QuantizedRows) -> Double {
    let view = MutableMatrixView(
      base: y.storage.base, rows: x.rows, columns: sample.rows, stride: sample.rows)
    var best = Double.infinity
    let begin = Double(MonotonicClock.nanoseconds())
    for run in 0..<8 {
      x.begin(rows: x.rows, form: .int8)
      let start = Double(MonotonicClock.nanoseconds())
      prepared.multiply(x, into: view)
      let end = Double(MonotonicClock.nanoseconds())
      // The first run warms caches and allocates the layout.
      if run > 0 { best = min(best, end - start) }
      if run > 0, end - begin > 1_000_000 { break }
    }
    return best
  }

  private static func activations(_ rows: Int, columns: Int) -> QuantizedRows {
    var random = SeededRandom(seed: 1)
    let x = QuantizedRows(capacity: rows, columns: columns)
    x.begin(rows: rows, form: .int8)
    for row in 0..<rows {
      var sum: Int32 = 0
      for column in 0..<columns {
        let value = Int8(truncatingIfNeeded: Int(random.next() >> 56) - 128)
        x.row(row)[column] = value
        sum += Int32(value)
      }
      x.sums[row] = sum
      x.scales[row] = 0.01
    }
    return x
  }
}

extension QuantizedWeights {
  /// The first `count` rows (all, if there are fewer), copied.
  func firstRows(_ count: Int) -> QuantizedWeights {
    guard rows > count else { return self }
    switch self {
    case .ternary(let matrix):
      return .ternary(
        TernaryMatrix(
          rows: count, columns: columns,
          trits: AlignedBuffer(
            UnsafeBufferPointer(start: matrix.trits.base, count: count * columns)),
          scales: Array(
            matrix.scales.prefix(matrix.granularity.scaleCount(rows: count, columns: columns))),
          granularity: matrix.granularity))
    case .integer(let matrix):
      return .integer(
        IntegerMatrix(
          rows: count, columns: columns, bits: matrix.bits,
          values: AlignedBuffer(
            UnsafeBufferPointer(start: matrix.values.base, count: count * columns)),
          scales: Array(
            matrix.scales.prefix(matrix.granularity.scaleCount(rows: count, columns: columns))),
          granularity: matrix.granularity))
    case .dense(let matrix):
      return .dense(
        Matrix(
          rows: count, columns: columns,
          UnsafeBufferPointer(start: matrix.storage.base, count: count * columns)))
    }
  }
}
