public import TritCore

/// One kernel on one shape: exact where it should be, and how fast.
///
/// Copies of the layer are multiplied in turn, so that weights come from where they come from in a
/// model: with one token from memory, which no cache can hold.
public final class KernelTrial {
  /// The kernel that runs, after a choice by `auto` or a packing's bare name.
  public let kernel: String
  /// The shape.
  public let shape: WeightShape
  /// What shares a scale.
  public let granularity: ScaleGranularity
  /// Bytes of weights that one multiply reads.
  public let weightBytes: Int
  /// Bytes of all copies that are multiplied in turn: what a cache would have to hold.
  public var workingBytes: Int { weightBytes * copies.count }
  /// The form of activations.
  public let accepts: ActivationForm
  /// What the products are made of: which peak of the machine bounds them.
  public let arithmetic: ProductArithmetic
  private let weights: QuantizedWeights
  private let copies: [any PreparedLinear]
  private let pool: WorkerPool
  private let zeros: Double
  private var gate: Matrix<Float>?

  /// One speed.
  public struct Speed: Sendable, Hashable {
    /// Tokens of a multiply.
    public let tokens: Int
    /// Seconds of the shortest multiply, input layout included. Roofs are the best that was seen
    /// too: what else runs on a machine only takes away, and a mean held against a best measures
    /// the neighbours.
    public let seconds: Double
    /// Seconds of the median multiply.
    public let medianSeconds: Double
    /// Multiplications and additions a second of the whole product, made or left out.
    public let operationsPerSecond: Double
    /// The share of them that a kernel which skips zeros has to make; 1 for others.
    public let madeShare: Double
    /// Bytes of weights that a multiply reads: not those that it skips.
    public let bytesRead: Double
    /// Bytes of weights read a second.
    public let bytesPerSecond: Double
  }

  /// How far outputs are from the reference kernel's.
  public struct Residual: Sendable, Hashable {
    /// The largest |y − reference| over the largest |reference|.
    public let relative: Double
    /// Whether all int32 sums are the reference's; nil where the kernel has none.
    public let sumsAreExact: Bool?
  }

  /// Random weights of `shape`, of a `kind` and with as many scales as `granularity` says, prepared
  /// by `kernel` for activations of `form` (the one that it `accepts` where nothing is said), as
  /// often as it takes to fill `streaming` bytes (once for 0). A share of `zeros` of the
  /// activations is 0, and so many outputs are not wanted where the layer is a `SelectiveLinear`.
  /// Throws what `prepare` throws.
  public init(
    _ kernel: any LinearKernel, shape: WeightShape, kind: QuantizedWeights.Kind = .ternary,
    granularity: ScaleGranularity = .tensor, form: ActivationForm? = nil, streaming: Int = 0,
    threads: Int = 1, zeros: Double = 0
  ) throws {
    if streaming > 0 { StreamingForm.settle() }
    self.shape = shape
    self.granularity = granularity
    self.zeros = zeros
    let form = form ?? kernel.accepts
    let weights = Self.weights(shape, kind, granularity)
    self.weights = weights
    let first = try kernel.prepare(weights, for: form)
    let count = max(1, min(streaming / max(first.weightBytes, 1), 512))
    copies =
      try [first] + (1..<max(count, 1)).map { _ in try kernel.prepare(weights, for: form) }
    self.kernel = first.kernel
    accepts = first.accepts
    arithmetic = first.arithmetic
    weightBytes = first.weightBytes
    pool = WorkerPool(threads: threads)
  }

  private static func weights(
    _ shape: WeightShape, _ kind: QuantizedWeights.Kind, _ granularity: ScaleGranularity
  ) -> QuantizedWeights {
    let seed = UInt64(shape.rows * 100_003 + shape.columns)
    var form = ProductSample.Form(bits: nil, granularity: granularity)
    if case .integer(let bits) = kind { form.bits = bits }
    var weights = ProductSample.weights(shape, form, .random, seed: seed)
    if case .group = granularity, case .ternary(let matrix) = weights {
      // 16 bits a scale, as block formats have them.
      weights = .ternary(
        TernaryMatrix(
          rows: matrix.rows, columns: matrix.columns, trits: matrix.trits,
          scales: matrix.scales.map { Float(Float16($0)) }, granularity: granularity))
    }
    return kind == .dense ? .dense(weights.dequantized()) : weights
  }

  /// Times multiplies of `tokens` rows for about `seconds`, at least three after one that does not
  /// count.
  public func time(tokens: Int, seconds: Double = 0.25) -> Speed {
    let x = activations(tokens)
    let y = Matrix<Float>(rows: tokens, columns: shape.rows)
    var samples: [Double] = []
    multiply(copies[0], x, y)
    let begin = MonotonicClock.seconds()
    var index = 1
    while samples.count < 3 || MonotonicClock.seconds() - begin < seconds {
      let start = MonotonicClock.seconds()
      multiply(copies[index % copies.count], x, y)
      samples.append(MonotonicClock.seconds() - start)
      index += 1
    }
    samples.sort()
    let time = max(samples[0], 1e-9)
    let operations = 2 * Double(shape.rows) * Double(shape.columns) * Double(tokens)
    let shares = shares(x)
    let bytes = Double(weightBytes) * shares.read
    return Speed(
      tokens: tokens, seconds: time, medianSeconds: max(samples[samples.count / 2], 1e-9),
      operationsPerSecond: operations / time, madeShare: shares.made, bytesRead: bytes,
      bytesPerSecond: bytes / time)
  }

  /// Which share of the weights some token needs, and which share of the products all tokens do.
  private func shares(_ x: QuantizedRows) -> (read: Double, made: Double) {
    switch copies[0].skips {
    case .none: return (1, 1)
    case .inputs:
      return Self.shares(x.rows, x.columns) { x.row($0)[$1] != 0 }
    case .outputs:
      guard zeros > 0 else { return (1, 1) }
      let gate = gates(x.rows)
      return Self.shares(x.rows, shape.rows) { gate[$0, $1] > 0 }
    }
  }

  private static func shares(_ tokens: Int, _ count: Int, _ isNeeded: (Int, Int) -> Bool) -> (
    read: Double, made: Double
  ) {
    var (needed, products) = (0, 0)
    for index in 0..<count {
      let users = (0..<tokens).count { isNeeded($0, index) }
      needed += users > 0 ? 1 : 0
      products += users
    }
    let all = Double(max(count, 1))
    return (Double(needed) / all, Double(products) / all / Double(max(tokens, 1)))
  }

  /// Compares the outputs for `tokens` rows, and the int32 sums where there are some, with the
  /// reference.
  public func residual(tokens: Int) throws -> Residual {
    let x = activations(tokens)
    let y = Matrix<Float>(rows: tokens, columns: shape.rows)
    multiply(copies[0], x, y)
    let exact = Matrix<Float>(rows: tokens, columns: shape.rows)
    let oracle: any PreparedLinear
    if accepts == .int8, weights.kind != .dense {
      oracle = try ReferenceKernel().prepare(weights)
      oracle.multiply(x, into: exact.mutableView)
    } else {
      // What int8 rows stand for.
      let values = QuantizedRows(capacity: tokens, columns: shape.columns)
      values.begin(rows: tokens, form: .float32)
      let floats = x.dequantized()
      for index in 0..<floats.storage.count { values.floats[index] = floats.storage[index] }
      oracle = try ReferenceFloatKernel().prepare(weights)
      oracle.multiply(values, into: exact.mutableView)
    }
    var difference = 0.0
    var greatest = 0.0
    for index in 0..<y.storage.count {
      let (value, right) = (Double(y.storage.base[index]), Double(exact.storage.base[index]))
      difference = max(difference, abs(value - right))
      greatest = max(greatest, abs(right))
    }
    return Residual(
      relative: greatest > 0 ? difference / greatest : difference,
      sumsAreExact: sumsAreExact(x, oracle))
  }

  private func sumsAreExact(_ x: QuantizedRows, _ oracle: any PreparedLinear) -> Bool? {
    guard accepts == .int8 else { return nil }
    let found = Matrix<Int32>(rows: x.rows, columns: shape.rows)
    let right = Matrix<Int32>(rows: x.rows, columns: shape.rows)
    guard copies[0].accumulate(x, rows: 0..<shape.rows, into: found.mutableView),
      oracle.accumulate(x, rows: 0..<shape.rows, into: right.mutableView)
    else { return nil }
    return (0..<found.storage.count).allSatisfy {
      found.storage.base[$0] == right.storage.base[$0]
    }
  }

  /// One multiply as an engine does it: the layout built in parts, then rows split over the
  /// threads.
  private func multiply(_ linear: any PreparedLinear, _ x: QuantizedRows, _ y: Matrix<Float>) {
    x.begin(rows: x.rows, form: x.form)
    if let layout = linear.inputLayout {
      let region = LayoutRegion(layout, from: x)
      pool.run(region, count: region.parts, partsPerThread: 4)
      x.markBuilt(layout)
    }
    let view = y.mutableView
    if zeros > 0, let linear = linear as? any SelectiveLinear {
      return pool.run(
        SelectiveProductRegion(linear, x, where: gates(x.rows).view, into: view),
        count: linear.rows, alignment: linear.rowAlignment, partsPerThread: 4)
    }
    pool.run(
      ProductRegion(linear, x, into: view), count: linear.rows, alignment: linear.rowAlignment,
      partsPerThread: 4)
  }

  /// Gates of which a share of `zeros` is not above 0.
  private func gates(_ tokens: Int) -> Matrix<Float> {
    if let gate, gate.rows == tokens { return gate }
    let gate = ProductSample.gates(
      tokens: tokens, rows: shape.rows, zeros: zeros, seed: UInt64(shape.rows))
    self.gate = gate
    return gate
  }

  private func activations(_ tokens: Int) -> QuantizedRows {
    let seed = UInt64(shape.columns * 31 + tokens)
    let x = ProductSample.activations(
      rows: tokens, columns: shape.columns, form: accepts, first: 0, seed: seed)
    guard zeros > 0 else { return x }
    var random = SeededRandom(seed: seed)
    for row in 0..<tokens {
      for column in 0..<shape.columns where random.uniform() < zeros {
        x.sums[row] -= Int32(x.row(row)[column])
        x.row(row)[column] = 0
        if accepts == .float32 { x.floats.base[row * shape.columns + column] = 0 }
      }
    }
    return x
  }
}
