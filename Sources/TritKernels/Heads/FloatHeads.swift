internal import CTritKernels
public import TritCore

/// The output head in float32 through OpenBLAS: the formula `logits = x · Wᵀ`, and the reference.
public struct Float32Head: OutputHead {
  /// `f32`.
  public let name = "f32"

  /// The float32 head.
  public init() {}

  /// Copies `weights`. Throws `badData` where one is not finite.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try HeadWeights.check(weights, head: name)
    try OpenBLASRuntime.start()
    let copy = Matrix<Float>(rows: weights.rows, columns: weights.columns)
    for row in 0..<weights.rows {
      let target = copy.storage.base + row * weights.columns
      target.update(from: weights.base + row * weights.stride, count: weights.columns)
    }
    return PreparedFloat32Head(weights: copy)
  }
}

struct PreparedFloat32Head: PreparedHead {
  let weights: Matrix<Float>

  var kernel: String { "f32/openblas" }
  var memory: [any RawMemory] { [weights.storage] }
  var rows: Int { weights.rows }
  var columns: Int { weights.columns }
  var weightBytes: Int { rows * columns * 4 }
  var rowAlignment: Int { DenseProduct.block(rows: rows) }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    DenseProduct.multiply(x, by: weights.view, rows: range, into: logits)
  }
}

/// The output head in 16-bit floats, widened to float32 as they are read: half the bytes of f32.
///
/// `f16` keeps 11 significant bits in a range of ±65504; `bf16` keeps 8 bits in float32's range and
/// is exact for checkpoints stored in bfloat16.
public struct HalfHead: OutputHead {
  /// The 16-bit format.
  public enum Format: String, Sendable, Codable {
    /// IEEE 754 binary16.
    case f16
    /// The upper half of a float32.
    case bf16
  }

  /// The 16-bit format.
  public let format: Format

  /// `f16` or `bf16`.
  public var name: String { format.rawValue }

  /// A head in `format`.
  public init(_ format: Format) { self.format = format }

  /// Rounds `weights` to 16 bits, nearest even. Throws `badData` where one is not finite or, for
  /// `f16`, too large.
  public func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    try prepare(weights.source(), on: nil)
  }

  /// The same, row by row.
  public func prepare(_ source: HeadRows, on pool: WorkerPool?) throws -> any PreparedHead {
    let head = PreparedHalfHead(format: format, rows: source.rows, columns: source.columns)
    try source.forEach(on: pool) { first, weights in
      try HeadWeights.check(
        weights, head: name, firstRow: first, limit: format == .f16 ? 65_519 : nil)
      head.encode(weights, firstRow: first)
    }
    return head
  }
}

struct PreparedHalfHead: KeptHead {
  let format: HalfHead.Format
  let rows: Int
  let columns: Int
  let stride: Int
  let codes: AlignedBuffer<UInt16>
  let errors: AlignedBuffer<Float>
  /// Whether the rows lie in the model's file.
  let isStored: Bool

  /// A head of zeros, for `encode` to fill.
  init(format: HalfHead.Format, rows: Int, columns: Int) {
    self.format = format
    self.rows = rows
    self.columns = columns
    stride = (columns + 31) / 32 * 32
    codes = AlignedBuffer(count: rows * stride, isStreamed: true)
    errors = AlignedBuffer(count: rows)
    isStored = false
  }

  /// A head of the rows that a file holds, where they lie: for what reads a few of them. nil where
  /// the rows are in another format.
  init?(_ stored: StoredHalfRows?, in format: HalfHead.Format, rows: Int, columns: Int) {
    guard let stored, stored.format == format, let buffer = stored.buffer(count: rows * columns)
    else { return nil }
    self.format = format
    self.rows = rows
    self.columns = columns
    stride = columns
    codes = buffer
    errors = AlignedBuffer(count: rows)
    isStored = true
  }

  /// What was kept of such a head.
  init(
    format: HalfHead.Format, rows: Int, columns: Int, from memory: inout KeptMemory
  ) throws {
    self.format = format
    self.rows = rows
    self.columns = columns
    stride = (columns + 31) / 32 * 32
    codes = try memory.next(rows * stride)
    errors = try memory.next(rows)
    isStored = false
  }

  var keptForm: KeptHeadForm { .half(format, isStored: isStored) }
  var memory: [any RawMemory] { [codes, errors] }
  var keptMemory: [any RawMemory] { isStored ? [] : memory }

  /// Rounds `weights`, which have been checked, to the rows from `firstRow` on.
  func encode(_ weights: MatrixView<Float>, firstRow: Int) {
    let back = AlignedBuffer<Float>(count: columns)
    for index in 0..<weights.rows {
      let row = firstRow + index
      let source = weights.base + index * weights.stride
      let target = codes.base + row * stride
      switch format {
      case .f16:
        VectorMath.narrow(source, toFloat16: target, count: weights.columns)
        VectorMath.widen(float16: target, into: back.base, count: weights.columns)
      case .bf16:
        VectorMath.narrow(source, toBFloat16: target, count: weights.columns)
        VectorMath.widen(bfloat16: target, into: back.base, count: weights.columns)
      }
      errors.base[row] = HeadWeights.distance(columns) { (source[$0], back[$0]) }
    }
  }

  var kernel: String { "\(format.rawValue)/\(HeadWeights.instructionSet)" }
  var weightBytes: Int { rows * stride * 2 }
  var rowAlignment: Int { 16 }

  func weightError(row: Int) -> Float { errors[row] }

  /// The values of one row.
  func widen(row: Int, into out: UnsafeMutablePointer<Float>) {
    let codes = codes.base + row * stride
    switch format {
    case .f16: VectorMath.widen(float16: codes, into: out, count: columns)
    case .bf16: VectorMath.widen(bfloat16: codes, into: out, count: columns)
    }
  }

  /// The logit of one row and token, by the same sequence of operations as `multiply` of all
  /// tokens: it takes four together while there are four.
  func logit(_ x: MatrixView<Float>, token: Int, row: Int) -> Float {
    let leaf = format == .f16 ? HeadWeights.ops.head_f16 : HeadWeights.ops.head_bf16
    let first = token / 4 * 4
    let isTile = first + 4 <= x.rows
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 4) { out in
      guard let base = out.baseAddress else { return .nan }
      let start = isTile ? first : token
      leaf(
        codes.base + row * stride, stride, 1, x.base + start * x.stride, x.stride,
        isTile ? 4 : 1, columns, base, 1)
      return out[token - start]
    }
  }

  func multiply(
    _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
  ) {
    let leaf = format == .f16 ? HeadWeights.ops.head_f16 : HeadWeights.ops.head_bf16
    leaf(
      codes.base + range.lowerBound * stride, stride, range.count, x.base, x.stride, x.rows,
      columns, logits.base + range.lowerBound, logits.stride)
  }
}

/// What all heads share.
enum HeadWeights {
  static let ops = Leaves.float

  /// The instruction set of `ops`.
  static var instructionSet: String {
    let here = CPUFeatures.here
    if here.contains(.avx512) { return "avx512" }
    if here.contains(.avx2) { return "avx2" }
    return here.contains(.neon) ? "neon" : "scalar"
  }

  /// Whether `columns` go through integer dot products (tk_head.h).
  static func takesIntegers(columns: Int) -> Bool {
    #if arch(x86_64)
      return columns <= Int(TK_HEAD_COLUMNS) && CPUFeatures.here.contains([.avx512, .avx512VNNI])
    #else
      return false
    #endif
  }

  /// The instruction set of integer heads.
  static func integerInstructionSet(columns: Int) -> String {
    takesIntegers(columns: columns) ? "avx512vnni" : instructionSet
  }

  /// The error of one row of an integer head, as `weightError` states it, where `rest` is weights
  /// minus rounded weights in float32: their Euclidean length, plus what that subtraction and the
  /// activations' 16 bits (√32 / 65024, see tk_head.h) may add. The second also holds where
  /// activations stay floats.
  static func error(of weights: UnsafePointer<Float>, rest: UnsafePointer<Float>, _ columns: Int)
    -> Float
  {
    let length = VectorMath.sumOfSquares(weights, count: columns).squareRoot()
    let distance = VectorMath.sumOfSquares(rest, count: columns).squareRoot()
    return Float((distance + (length + distance) * 8.71e-5) * 1.000_01).nextUp
  }

  /// `limit / max |w|` and its inverse, both 0 for a row of zeros (or of numbers too small to
  /// divide by).
  static func scale(
    _ row: UnsafePointer<Float>, _ count: Int, limit: Float
  ) -> (multiplier: Float, scale: Float) {
    let multiplier = limit / VectorMath.absmax(row, count: count)
    return multiplier.isFinite ? (multiplier, 1 / multiplier) : (0, 0)
  }

  /// Euclidean distance of `count` pairs, rounded up.
  static func distance(_ count: Int, _ pair: (Int) -> (Float, Float)) -> Float {
    // Four sums, so that additions need not wait for one another; the rounding of float64 sums of a
    // few thousand terms vanishes in the one of float32 that follows.
    var squares = (0.0, 0.0, 0.0, 0.0)
    var index = 0
    func term(_ index: Int) -> Double {
      let (a, b) = pair(index)
      let difference = Double(a) - Double(b)
      return difference * difference
    }
    while index + 4 <= count {
      squares.0 += term(index)
      squares.1 += term(index + 1)
      squares.2 += term(index + 2)
      squares.3 += term(index + 3)
      index += 4
    }
    while index < count {
      squares.0 += term(index)
      index += 1
    }
    let sum = (squares.0 + squares.1) + (squares.2 + squares.3)
    return Float(sum.squareRoot()).nextUp
  }

  /// Throws where a weight is not finite or its magnitude exceeds `limit`.
  static func check(
    _ weights: MatrixView<Float>, head: String, firstRow: Int = 0, limit: Float? = nil
  ) throws {
    for row in 0..<weights.rows {
      let base = weights.base + row * weights.stride
      let most = limit ?? .greatestFiniteMagnitude
      // One look at the row first: `absmax` ignores NaN, the sum of squares does not.
      let squares = VectorMath.sumOfSquares(base, count: weights.columns)
      if !squares.isNaN, VectorMath.absmax(base, count: weights.columns) <= most { continue }
      for column in 0..<weights.columns where !(abs(base[column]) <= most) {
        let value = base[column]
        throw LabError(
          .badData,
          value.isFinite
            ? "an output weight is too large for head '\(head)'" : "an output weight is not finite",
          at: "row \(firstRow + row), column \(column)",
          expected: limit.map { "magnitudes up to \($0)" } ?? "finite numbers", got: "\(value)",
          advice: value.isFinite
            ? "use head 'bf16' or 'f32'" : "the checkpoint is damaged; get it again")
      }
    }
  }
}
