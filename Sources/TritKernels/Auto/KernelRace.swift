import TritCore

/// Times kernels on the first rows of a matrix, under the conditions of the model.
struct KernelRace {
  /// About so many weights a thread: long enough that starting a region does not count, few enough that all
  /// candidates of all shapes take well under a second.
  private static let weightsPerThread = 1 << 20
  private static let batch = 24
  private let sample: QuantizedWeights
  private let one: QuantizedRows
  private let many: QuantizedRows
  private let y: Matrix<Float>
  private let pool: WorkerPool
  private let fromMemory: Bool

  init(_ weights: QuantizedWeights, conditions: AutoKernel.Conditions) {
    // Multiples of what packings tile rows by.
    let unit = 192
    let wanted = Self.weightsPerThread * conditions.threads / max(weights.columns, 1)
    sample = weights.firstRows(max(1, wanted / unit) * unit)
    one = Self.activations(1, columns: weights.columns)
    many = Self.activations(Self.batch, columns: weights.columns)
    y = Matrix(rows: Self.batch, columns: sample.rows)
    pool = WorkerPool(threads: conditions.threads, poll: 100)
    fromMemory = conditions.fromMemory
  }

  /// Prepares and times `kernel`; nil where one token alone takes eight times as long as `best`. Throws
  /// what `prepare` throws.
  func time(_ kernel: any LinearKernel, best: Double?) throws -> AutoKernel.Timing? {
    let prepared = try kernel.prepare(sample)
    let memory = fromMemory ? WeightEviction.memory(of: prepared) : []
    let decode = nanoseconds(prepared, one, memory)
    if let best, decode > 8 * best { return nil }
    let prefill = nanoseconds(prepared, many, memory) / Double(Self.batch)
    return AutoKernel.Timing(
      kernel: kernel.name, rows: sample.rows, decode: decode, prefill: prefill)
  }

  /// The shortest of a few runs, input layout included; stops after some milliseconds.
  private func nanoseconds(
    _ prepared: any PreparedLinear, _ x: QuantizedRows, _ memory: [any RawMemory]
  ) -> Double {
    var best = Double.infinity
    let begin = Double(MonotonicClock.nanoseconds())
    for run in 0..<8 {
      WeightEviction.evict(memory)
      x.begin(rows: x.rows, form: .int8)
      let start = Double(MonotonicClock.nanoseconds())
      multiply(prepared, x)
      let end = Double(MonotonicClock.nanoseconds())
      // The first run warms up the code and allocates the layout.
      if run > 0 { best = min(best, end - start) }
      if run > 1, end - begin > 3_000_000 { break }
    }
    return best
  }

  /// One multiply as an engine does it: the layout, then rows split over the threads.
  private func multiply(_ prepared: any PreparedLinear, _ x: QuantizedRows) {
    if let layout = prepared.inputLayout { _ = x.built(layout) }
    let view = MutableMatrixView(
      base: y.storage.base, rows: x.rows, columns: sample.rows, stride: sample.rows)
    pool.run(count: prepared.rows, alignment: prepared.rowAlignment) { range, _ in
      prepared.multiply(x, rows: range, into: view)
    }
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
