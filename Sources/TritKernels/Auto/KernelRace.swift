import TritCore

/// Times kernels on the first rows of a matrix, under the conditions of the model.
struct KernelRace {
  /// About so many weights a thread: long enough that starting a region does not count, few enough
  /// that all candidates of all shapes take well under a second.
  private static let weightsPerThread = 3 << 19
  private static let batch = 24
  private let sample: QuantizedWeights
  private let one: QuantizedRows
  private let many: QuantizedRows
  private let y: Matrix<Float>
  private let pool: WorkerPool
  private let fromMemory: Bool
  /// Gates of the batch, where outputs are not wanted.
  private let gate: Matrix<Float>?

  init(_ weights: QuantizedWeights, conditions: AutoKernel.Conditions) {
    // Multiples of what packings tile rows by.
    let unit = conditions.sparsity == .inputs ? 768 : 192
    let wanted = Self.weightsPerThread * conditions.threads / max(weights.columns, 1)
    sample = weights.firstRows(max(1, wanted / unit) * unit)
    let zeros = conditions.sparsity == .inputs ? conditions.sparsity.share : 0
    one = ProductSample.noise(1, columns: weights.columns, zeros: zeros)
    many = ProductSample.noise(Self.batch, columns: weights.columns, zeros: zeros)
    gate =
      conditions.sparsity == .outputs
      ? ProductSample.gates(
        tokens: Self.batch, rows: sample.rows, zeros: conditions.sparsity.share, seed: 2) : nil
    y = Matrix(rows: Self.batch, columns: sample.rows)
    pool = WorkerPool(threads: conditions.threads, poll: 100)
    fromMemory = conditions.fromMemory
  }

  /// One that runs, and its first time for one token.
  private struct Runner {
    let name: String
    let isPlain: Bool
    let prepared: any PreparedLinear
    let memory: [any RawMemory]
    var entry = Double.infinity
  }

  /// Times the kernels that take the weights, in their order; one that takes four times as long as
  /// another for one token is left out, and so are plain forms, which never win, where another
  /// takes the weights. Throws what the last one says where none takes them.
  func run(_ kernels: [any LinearKernel], use: AutoKernel.Use) throws -> [AutoKernel.Timing] {
    var runners: [Runner] = []
    var refusal: (any Error)?
    for kernel in kernels
    where !kernel.isPlain || runners.allSatisfy(\.isPlain) {
      do {
        let prepared = try kernel.prepare(sample)
        let memory = fromMemory ? WeightEviction.memory(of: prepared) : []
        var runner = Runner(
          name: kernel.name, isPlain: kernel.isPlain, prepared: prepared, memory: memory)
        // The first run warms up the code and allocates the layout.
        _ = nanoseconds(runner, one)
        runner.entry = nanoseconds(runner, one)
        let best = runners.map(\.entry).min() ?? .infinity
        if runner.entry < 4 * best { runners.append(runner) }
      } catch { refusal = error }
    }
    if runners.isEmpty, let refusal { throw refusal }
    func timing(_ runner: Runner, _ times: [Double]) -> AutoKernel.Timing {
      AutoKernel.Timing(
        kernel: runner.name, rows: sample.rows, decode: min(runner.entry, times[0]),
        prefill: times[1])
    }
    let times = Race().times(
      runners.count,
      score: { use.score(decode: $0[0], prefill: $0[1]) },
      time: { index in
        // A batch reads its weights once for all tokens: where from matters little.
        let batch = nanoseconds(runners[index], many, isCold: false) / Double(Self.batch)
        return [nanoseconds(runners[index], one), batch]
      })
    return zip(runners, times).map(timing)
  }

  /// One multiply, input layout included.
  private func nanoseconds(_ runner: Runner, _ x: QuantizedRows, isCold: Bool = true) -> Double {
    if isCold { WeightEviction.evict(runner.memory) }
    x.begin(rows: x.rows, form: .int8)
    let start = MonotonicClock.nanoseconds()
    multiply(runner.prepared, x)
    return Double(MonotonicClock.nanoseconds() - start)
  }

  /// One multiply as an engine does it: the layout, then rows split over the threads.
  private func multiply(_ prepared: any PreparedLinear, _ x: QuantizedRows) {
    if let layout = prepared.inputLayout { _ = x.built(layout) }
    let view = MutableMatrixView(
      base: y.storage.base, rows: x.rows, columns: sample.rows, stride: sample.rows)
    if let gate, let prepared = prepared as? any SelectiveLinear {
      pool.run(
        SelectiveProductRegion(prepared, x, where: gate.view, into: view), count: prepared.rows,
        alignment: prepared.rowAlignment)
    } else {
      pool.run(
        ProductRegion(prepared, x, into: view), count: prepared.rows,
        alignment: prepared.rowAlignment)
    }
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
